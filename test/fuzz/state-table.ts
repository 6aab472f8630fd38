import type { Channel } from '../../src/session/channel.ts'
import type { Session } from '../../src/session/session.ts'
import { frameTypes } from '../../src/wire/frame.ts'

/** Where a frame arrives: in a handshake, at the session itself, or at a circuit in one of its states. */
export const states = [
  'hello',
  'greeted',
  'confirmed',
  'resuming',
  'session',
  'unopened',
  'opening',
  'offered',
  'open',
  'reassembling',
  'waiting',
  'ended',
  'closing',
  'closed',
  'gone',
  'duplicate',
] as const

export type State = (typeof states)[number]

/** What comes of a frame: it is heeded, dropped, or ends its circuit (REFUSE, RESET) or the session. */
export const outcomes = ['taken', 'dropped', 'refused', 'reset', 'over'] as const

export type Outcome = (typeof outcomes)[number]

/** Rows of the table: every type that there is, and the two kinds of those that there are not. */
export type Row = keyof typeof frameTypes | 'unnumbered' | 'numbered'

const rowsByType: ReadonlyMap<number, Row> = new Map(
  Object.entries(frameTypes).map(([name, type]) => [type, name as Row]),
)

export const rows: readonly Row[] = [...rowsByType.values(), 'unnumbered', 'numbered']

export function rowOf(type: number): Row {
  return rowsByType.get(type) ?? (type < frameTypes.OPEN ? 'unnumbered' : 'numbered')
}

/** Where a frame for circuit `number` arrives in a session that is ready. */
export function stateOf(session: Session, type: number, number: number, duplicates: number): State {
  if (type < frameTypes.OPEN && type !== frameTypes.CREDIT) return 'session'
  if (duplicates > 0 && type >= frameTypes.OPEN) return 'duplicate'
  const channel = session.channelsByNumber.get(number)
  if (channel === undefined) return session.wasOpened(number) ? 'gone' : 'unopened'
  return stateOfChannel(channel)
}

function stateOfChannel(channel: Channel): State {
  if (channel.remoteClosed) return 'closed'
  if (channel.remoteEnded) return 'ended'
  if (channel.reassembly !== undefined) return channel.reassembly.reserved ? 'reassembling' : 'waiting'
  if (!channel.accepted) return channel.opener ? 'opening' : 'offered'
  return channel.closing ? 'closing' : 'open'
}

/**
 * The state table of the protocol. T taken, D dropped, F refused, R the circuit reset, E the session or the handshake over. A capital
 * must be seen sooner or later; a small letter is right too, and rare. Everything else is wrong.
 */
const table: Readonly<Record<Row, Partial<Record<State, string>>>> = {
  HELLO: { hello: 'TE', greeted: 'E', confirmed: 'E', resuming: 'E', session: 'E' },
  READY: { hello: 'E', greeted: 'TE', confirmed: 'TE', resuming: 'TE', session: 'E' },
  RESUME: { hello: 'E', greeted: 'TE', confirmed: 'TE', resuming: 'TE', session: 'E' },
  ACK: { ...early('E'), session: 'TE' },
  PING: { ...early('E'), session: 'TE' },
  PONG: { ...early('E'), session: 'TE' },
  CREDIT: { ...early('E'), ...live('TE'), unopened: 'E', gone: 'DE' },
  GOAWAY: { ...early('E'), session: 'E' },
  OPEN: { ...early('E'), ...live('E'), unopened: 'TFE', gone: 'E', duplicate: 'D' },
  ACCEPT: { ...lost(), ...live('R'), opening: 'TRE', reassembling: 'Rte', waiting: 'Rte', ended: 'Rte', closed: 'Rte' },
  REFUSE: { ...lost(), ...live('Rt'), opening: 'T' },
  RESET: { ...lost(), ...live('T'), offered: 'Te' },
  END: { ...lost(), ...live('TR'), reassembling: 'R', waiting: 'R', ended: 'R', closed: 'R' },
  CLOSE: { ...lost(), ...live('TR'), reassembling: 'Rt', waiting: 'Rt', closed: 'R' },
  DATA: { ...lost(), ...live('TR'), reassembling: 'R', waiting: 'R', ended: 'R', closed: 'R' },
  FIRST: { ...lost(), ...live('TRe'), reassembling: 'R', waiting: 'R', ended: 'R', closed: 'R' },
  MORE: { ...lost(), ...live('Re'), reassembling: 'TRe', waiting: 'TRe' },
  unnumbered: { ...early('E'), session: 'E' },
  numbered: { ...early('E'), ...live('E'), unopened: 'E', gone: 'E', duplicate: 'E' },
}

function early(letters: string): Partial<Record<State, string>> {
  return { hello: letters, greeted: letters, confirmed: letters, resuming: letters }
}

/** Frames of a circuit that is not there. */
function lost(): Partial<Record<State, string>> {
  return { ...early('E'), unopened: 'E', gone: 'D', duplicate: 'D' }
}

function live(letters: string): Partial<Record<State, string>> {
  const circuit = ['opening', 'offered', 'open', 'reassembling', 'waiting', 'ended', 'closing', 'closed'] as const
  return Object.fromEntries(circuit.map((state) => [state, letters]))
}

const letters: Readonly<Record<Outcome, string>> = { taken: 't', dropped: 'd', refused: 'f', reset: 'r', over: 'e' }

export function isAllowed(row: Row, state: State, outcome: Outcome): boolean {
  return (table[row][state] ?? '').toLowerCase().includes(letters[outcome])
}

/** Whether a table without this cell would be one that has not been tried. */
export function isRequired(row: Row, state: State, outcome: Outcome): boolean {
  return (table[row][state] ?? '').includes(letters[outcome].toUpperCase())
}

/** How often each outcome was seen in each cell. */
export class Tally {
  readonly counts: Map<string, number> = new Map()

  add(row: Row, state: State, outcome: Outcome, count = 1): void {
    const key = `${row} ${state} ${outcome}`
    this.counts.set(key, (this.counts.get(key) ?? 0) + count)
  }

  merge(counts: Iterable<readonly [string, number]>): void {
    for (const [key, count] of counts) this.counts.set(key, (this.counts.get(key) ?? 0) + count)
  }

  /** What has to be seen, and was not. */
  get missing(): readonly string[] {
    const missing: string[] = []
    for (const row of rows) {
      for (const state of states) {
        for (const outcome of outcomes) {
          const key = `${row} ${state} ${outcome}`
          if (isRequired(row, state, outcome) && !this.counts.has(key)) missing.push(key)
        }
      }
    }
    return missing
  }

  /** The table as text: a line for each cell. */
  lines(): readonly string[] {
    const lines: string[] = []
    for (const row of rows) {
      for (const state of states) {
        const seen = outcomes.map((outcome) => [outcome, this.counts.get(`${row} ${state} ${outcome}`)] as const)
        const cell = seen.filter(([, count]) => count !== undefined).map(([outcome, count]) => `${outcome} ${count}`)
        if (cell.length > 0) lines.push(`${row.padEnd(10)} ${state.padEnd(12)} ${cell.join(', ')}`)
      }
    }
    return lines
  }
}
