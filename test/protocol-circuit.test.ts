import { describe, expect, it } from 'vitest'
import { PlaitError } from '../src/base/error.ts'
import type { ChannelCircuit } from '../src/circuit/circuit.ts'
import { encodeAcceptance, encodeClosing } from '../src/circuit/open.ts'
import { withCredit } from '../src/session/channel.ts'
import { CircuitPair } from '../src/testing/circuit-pair.ts'
import { rawFrame } from '../src/testing/raw-peer.ts'
import { encodeError } from '../src/wire/error.ts'
import { frameTypes } from '../src/wire/frame.ts'
import { tablesOf } from './protocol/page.ts'

// Each row of the table of a circuit's states in PROTOCOL.md, tried on the code.

type Row = readonly [string, string, string]

/** A circuit that is accepted, and both its ends. */
function open(): { readonly pair: CircuitPair; readonly opener: ChannelCircuit; readonly acceptor: ChannelCircuit } {
  const pair = new CircuitPair()
  const [opener, acceptor] = pair.connect()
  return { pair, opener, acceptor }
}

function offered(): { readonly pair: CircuitPair; readonly opener: ChannelCircuit } {
  const pair = new CircuitPair()
  const opener = pair.open()
  pair.settle()
  return { pair, opener }
}

/** What the acceptor's end makes of raw frames on the circuit. */
function misused(...frames: readonly (readonly [number, Uint8Array])[]): string | undefined {
  const { pair, opener, acceptor } = open()
  for (const [type, body] of frames) pair.right.receive(rawFrame(type, opener.id, body), pair.now)
  expect(pair.right.session.state).toBe('ready')
  return acceptor.reason?.error?.code
}

const { ACCEPT, REFUSE, DATA, FIRST, MORE, END, CLOSE } = frameTypes
const nothing = new Uint8Array(0)
const fragment = Uint8Array.of(0)
const closing = encodeClosing({ code: 1, message: 'x' })
const begun = [FIRST, Uint8Array.of(9, 0, 1)] as const

const trials: Readonly<Record<string, () => Promise<void> | void>> = {
  'opening: ACCEPT': () => {
    const { pair, opener } = offered()
    expect(opener.state).toBe('opening')
    pair.offers[0]?.accept({ service: 'echo', peerId: '2' })
    pair.settle()
    expect(opener.state).toBe('open')
  },
  'opening: REFUSE': () => {
    const { pair, opener } = offered()
    opener.send({ op: 1 })
    pair.offers[0]?.refuse(new PlaitError('FORBIDDEN', 'no'))
    pair.settle()
    expect([opener.state, opener.reason?.error?.code]).toEqual(['closed', 'FORBIDDEN'])
    expect([pair.left.session.state, pair.right.session.state]).toEqual(['ready', 'ready'])
  },
  'offered: taken by a peer': () => {
    const { pair } = offered()
    expect(pair.offers[0]?.accept({ service: 'echo', peerId: '2' }).state).toBe('open')
  },
  'offered: policy, limits, ten seconds without taker': () => {
    const { pair, opener } = offered()
    pair.run(9_000)
    expect(opener.state).toBe('opening')
    pair.run(2_000)
    expect([opener.state, opener.reason?.error?.code]).toEqual(['closed', 'NOT_ACCEPTED'])
  },
  'opening, offered or open: END': async () => {
    const { pair, opener, acceptor } = open()
    opener.send({ op: 1 })
    opener.end()
    pair.settle()
    expect((await acceptor.read())?.op).toBe(1)
    expect(await acceptor.read()).toBeUndefined()
    acceptor.send({ op: 2 })
    pair.settle()
    expect((await opener.read())?.op).toBe(2)
  },
  'opening, offered or open: CLOSE': async () => {
    const { pair, opener, acceptor } = open()
    opener.send({ op: 1 })
    void opener.close({ code: 28, message: 'disk full' })
    pair.settle()
    expect([opener.state, acceptor.state]).toEqual(['closing', 'open'])
    await acceptor.read()
    pair.settle()
    expect([opener.state, acceptor.state]).toEqual(['closed', 'closed'])
    expect(acceptor.reason).toEqual({ code: 28, message: 'disk full' })
    expect(pair.left.session.channelsByNumber.size + pair.right.session.channelsByNumber.size).toBe(0)
  },
  'opening or open: closed here': () => {
    const early = offered()
    void early.opener.close({ code: 3, message: 'never mind' })
    early.pair.settle()
    expect([early.opener.reason, early.pair.offers[0]?.circuit.reason]).toEqual([
      { code: 3, message: 'never mind' },
      { code: 3, message: 'never mind' },
    ])
    expect(early.pair.offers[0]?.pending).toBe(false)
    const { pair, opener, acceptor } = open()
    void opener.close()
    expect(opener.state).toBe('closing')
    acceptor.send({ payload: new Uint8Array(1_000_000) }, { copy: true })
    pair.settle()
    expect([acceptor.bufferedBytes, opener.inbound.unreadFragments]).toEqual([0, 0])
  },
  'closing: CLOSE': () => {
    const { pair, opener, acceptor } = open()
    void opener.close({ code: 1, message: 'mine' })
    void acceptor.close({ code: 2, message: 'its own' })
    pair.settle()
    expect([opener.reason?.code, acceptor.reason?.code]).toEqual([1, 2])
    const other = open()
    other.opener.end()
    other.acceptor.end()
    other.pair.settle()
    expect([other.opener.reason, other.acceptor.reason]).toEqual([
      { code: 0, message: '' },
      { code: 0, message: '' },
    ])
  },
  'closing: a fragment, END': () => {
    const { pair, opener, acceptor } = open()
    acceptor.send({ op: 1 })
    acceptor.end()
    void opener.close()
    pair.settle()
    expect(opener.fragmentsSent + opener.inbound.unreadFragments).toBe(0)
    expect(opener.reason?.error).toBeUndefined()
  },
  'closing: no credit for 30 s': () => {
    const { pair, opener, acceptor } = open()
    for (let index = 0; index < 100; index += 1) opener.send({ payload: new Uint8Array(8_000) })
    void opener.close()
    pair.run(29_000)
    expect(opener.state).toBe('closing')
    pair.run(3_000)
    expect([opener.reason?.error?.code, acceptor.reason?.error?.code]).toEqual(['CLOSE_TIMEOUT', 'CLOSE_TIMEOUT'])
  },
  'any: RESET, or the end of the session': () => {
    const reset = open()
    reset.opener.abort(new PlaitError('ABORTED', 'enough'))
    reset.pair.settle()
    expect(reset.acceptor.reason?.error?.code).toBe('ABORTED')
    const session = open()
    session.pair.left.session.fail(new PlaitError('GOING_AWAY', 'bye'))
    session.pair.settle()
    expect(session.acceptor.reason?.error?.code).toBe('GOING_AWAY')
  },
  'any: a frame that does not belong there (listed below)': () => {
    const refusal = encodeError(new PlaitError('BUSY', ''))
    const misuses: readonly (readonly (readonly [number, Uint8Array])[])[] = [
      [[ACCEPT, withCredit(1, encodeAcceptance({ service: '', peerId: '' }))]],
      [[REFUSE, refusal]],
      ...[END, CLOSE].flatMap((last) =>
        ([[DATA, fragment], begun, [MORE, fragment], [END, nothing]] as const).map(
          (late) => [[last, last === END ? nothing : closing], late] as const,
        ),
      ),
      [
        [CLOSE, closing],
        [CLOSE, closing],
      ],
      [[END, Uint8Array.of(0)]],
      ...([[DATA, fragment], begun, [END, nothing], [CLOSE, closing]] as const).map(
        (within) => [begun, within] as const,
      ),
      [[MORE, fragment]],
      [begun, [MORE, new Uint8Array(8)]],
      [[FIRST, Uint8Array.of(0)]],
      [[FIRST, Uint8Array.of(1, 0, 0)]],
      [[ACCEPT, nothing]],
      [[CLOSE, nothing]],
      [[DATA, Uint8Array.of(32)]],
    ]
    // An application that reads nothing, so that a CLOSE is not answered before the next frame.
    expect(misuses.map((frames) => misused([DATA, fragment], ...frames))).toEqual(misuses.map(() => 'PROTOCOL'))
    expect(misused(begun, [MORE, new Uint8Array(7)], [END, nothing])).toBeUndefined()
  },
}

const rows = tablesOf('state', 'what happens', 'what follows')[1] as unknown as Row[]

describe('the states of a circuit', () => {
  it('are those of the page, and no others', () => {
    expect(rows.map(([state, what]) => `${state}: ${what}`)).toEqual(Object.keys(trials))
  })

  it.each(rows)('%s: %s: %s', async (state, what) => {
    expect.hasAssertions()
    await trials[`${state}: ${what}`]?.()
  })
})
