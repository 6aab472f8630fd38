import type { PlaitError } from '../../src/base/error.ts'
import { defaultLimits } from '../../src/base/limits.ts'
import type { Limits } from '../../src/base/limits.ts'
import { Account } from '../../src/session/account.ts'
import { Window } from '../../src/session/window.ts'
import { frameTypes, headerBytes } from '../../src/wire/frame.ts'
import { concat, KiB, rawFragment, text } from './bytes.ts'
import { Hostile } from './hostile.ts'
import { capping, closing } from './row.ts'
import type { Outcome, Row } from './row.ts'

/** Opens `amount` circuits; what became of the last one, and of how many the same. */
function opens(amount: number, limits: Partial<Limits>, takes: boolean): Outcome {
  const hostile = new Hostile(limits, { takes })
  const others = hostile.session.channelsByNumber.size
  const { circuitsPerSession, unacceptedPerSession } = { ...defaultLimits, ...limits }
  const limit = takes ? circuitsPerSession - others : unacceptedPerSession
  let last = 0
  const wanted = takes ? amount - others : amount
  for (let index = 0; index < wanted; index += 1) {
    last = hostile.open()
    if (index % 1_000 === 999) hostile.acknowledge()
  }
  const refused = hostile.peer.framesOf(frameTypes.REFUSE).length
  if (refused !== Math.max(0, wanted - limit)) throw new Error(`${refused} of ${wanted} were refused`)
  return hostile.outcome(last)
}

/** Fills the send buffer of a circuit without credit up to `amount` bytes; what `send` said last. */
function buffers(amount: number, limits: Partial<Limits>): { said: boolean | undefined; outcome: Outcome } {
  const hostile = new Hostile(limits)
  const circuit = hostile.opened(0)
  // What is larger than this is not copied into a frame: it counts as it is, and one byte for the rest of the fragment.
  const largest = 64 * KiB
  let said: boolean | undefined
  let code: PlaitError['code'] | undefined
  while (circuit.bufferedBytes < amount && code === undefined) {
    const restBytes = amount - circuit.bufferedBytes
    try {
      const smallest = headerBytes + 1
      if (restBytes <= largest && restBytes < 4 * KiB) {
        // The last one goes into a frame, which has a header.
        said = circuit.send({ payload: new Uint8Array(Math.max(0, restBytes - smallest)) })
      } else said = circuit.send({ payload: new Uint8Array(Math.min(restBytes - 2 * KiB, largest) - 1) })
    } catch (error) {
      code = (error as PlaitError).code
    }
  }
  if (circuit.state !== 'open') throw new Error(`the circuit is ${circuit.state}`)
  const outcome = hostile.outcome(circuit.id)
  return { said, outcome: code === undefined ? outcome : { ...outcome, code } }
}

/** Reads as fast as a window of `amount` bytes lets a sender 20 ms away send; the window in the end. */
function tuned(amount: number): number {
  const window = new Window(256 * KiB, defaultLimits)
  const account = new Account(1e12)
  let now = 0
  while (now < 3_000) {
    const bytesPerMs = Math.min(window.windowBytes, amount) / 20
    now += (64 * KiB) / bytesPerMs
    if (!window.receive(64 * KiB)) throw new Error('a frame came without credit')
    if (window.consume(64 * KiB)) window.grant()
    window.tune(now, 20, account)
  }
  return Math.min(window.windowBytes, amount)
}

/** Circuits: how many, how long, how wide. */
export const circuitRows: readonly Row[] = [
  {
    limit: 'circuitsPerSession',
    limits: { circuitsPerSession: 128 },
    attempt: (amount, limits) => opens(amount, limits, true),
    ...closing('circuit', 'BUSY'),
  },
  {
    limit: 'unacceptedPerSession',
    limits: { unacceptedPerSession: 64 },
    attempt: (amount, limits) => opens(amount, limits, false),
    ...closing('circuit', 'BUSY'),
  },
  {
    limit: 'acceptTimeoutMs',
    attempt: (amount) => {
      const hostile = new Hostile({}, { takes: false })
      const number = hostile.open()
      hostile.run(amount - 1)
      return hostile.outcome(number)
    },
    ...closing('circuit', 'NOT_ACCEPTED'),
    step: 1_000,
  },
  {
    limit: 'windowBytesMin',
    what: 'what may follow an OPEN that nobody has taken',
    attempt: (amount) => {
      const hostile = new Hostile({}, { takes: false })
      const number = hostile.open()
      hostile.fill(number, amount)
      return hostile.outcome(number)
    },
    ...closing('circuit', 'PROTOCOL'),
  },
  {
    limit: 'windowBytesInitial',
    what: 'what may be sent to a reader that does not read',
    attempt: (amount) => {
      const hostile = new Hostile()
      const number = hostile.open()
      hostile.fill(number, amount)
      return hostile.outcome(number)
    },
    ...closing('circuit', 'PROTOCOL'),
  },
  {
    limit: 'windowBytesMax',
    what: 'how far a window grows that its sender fills',
    attempt: (amount) => ({ closed: 'nothing', kept: tuned(amount) }),
    ...capping,
    // It doubles.
    step: defaultLimits.windowBytesMax,
  },
  {
    limit: 'widestCircuits',
    what: 'circuits with a wide window',
    attempt: (amount) => {
      const hostile = new Hostile()
      const others = hostile.circuits.size
      let last = 0
      for (let index = others; index < amount; index += 1) last = hostile.open()
      const wide = [...hostile.session.channelsByNumber.values()].filter(
        ({ window }) => window.windowBytes === defaultLimits.windowBytesInitial,
      )
      return { ...hostile.outcome(last), kept: wide.length }
    },
    ...capping,
  },
  {
    limit: 'sendBufferMarkBytes',
    what: 'below it send says true',
    limits: { sendBufferMarkBytes: 64 * KiB },
    attempt: (amount, limits) => {
      const { said, outcome } = buffers(amount - 1, limits)
      return { ...outcome, kept: said === true ? 1 : 0 }
    },
    within: () => ({ closed: 'nothing', kept: 1 }),
    beyond: () => ({ closed: 'nothing', kept: 0 }),
  },
  {
    limit: 'sendBufferBytes',
    attempt: (amount, limits) => buffers(amount, limits).outcome,
    within: () => ({ closed: 'nothing' }),
    beyond: () => ({ closed: 'nothing', code: 'BUFFER_FULL' }),
  },
  {
    limit: 'closeTimeoutMs',
    what: 'a close that gets no credit',
    attempt: (amount) => {
      const hostile = new Hostile()
      const circuit = hostile.opened(0)
      circuit.send({ payload: new Uint8Array(20 * KiB) })
      void circuit.close()
      hostile.run(amount - 1)
      return hostile.outcome(circuit.id)
    },
    ...closing('circuit', 'CLOSE_TIMEOUT'),
    step: 1_000,
  },
  {
    limit: 'unreadErrors',
    attempt: (amount) => {
      const hostile = new Hostile()
      const number = hostile.open()
      const error = { code: 4_096, message: 'no' }
      for (let part = 1; part <= amount; part += 1) hostile.fragment(number, rawFragment({ part, error }))
      const { errors } = hostile.circuit(number)
      if (errors.dropped !== amount - errors.unread) throw new Error('errors got lost uncounted')
      return { ...hostile.outcome(number), kept: errors.unread }
    },
    ...capping,
  },
  {
    limit: 'nameBytes',
    what: 'the name in an OPEN',
    attempt: (amount) => {
      const hostile = new Hostile()
      const service = text('s'.repeat(amount))
      const credit = new Uint8Array(8).fill(1, 1, 2)
      const body = concat(credit, Uint8Array.of(0), service, Uint8Array.of(0, 0, 0, 0))
      return hostile.outcome(hostile.open(body))
    },
    ...closing('circuit', 'LIMIT'),
  },
]
