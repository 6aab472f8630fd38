import { PlaitError } from '../../src/base/error.ts'
import { defaultLimits } from '../../src/base/limits.ts'
import type { Limits } from '../../src/base/limits.ts'
import { CircuitPair } from '../../src/testing/circuit-pair.ts'
import { rawFrame } from '../../src/testing/raw-peer.ts'
import { encodeError } from '../../src/wire/error.ts'
import { frameTypes, headerBytes, writeHeader } from '../../src/wire/frame.ts'
import { KiB, openBody, rawFragment, u64 } from './bytes.ts'
import { Hostile } from './hostile.ts'
import { closing } from './row.ts'
import type { Outcome, Row } from './row.ts'

/** The application sends frames of 64 KiB to a remote that reads, grants, and acknowledges nothing; whether all of them left. */
function unacknowledged(amount: number, limits: Partial<Limits>): Outcome {
  const hostile = new Hostile(limits)
  const circuit = hostile.opened(2 ** 40)
  hostile.acknowledge()
  const largest = 64 * KiB
  for (let restBytes = amount; restBytes > 0; restBytes -= largest) {
    const payload = new Uint8Array(Math.max(0, Math.min(restBytes, largest) - headerBytes - 1))
    if (circuit.bufferedBytes < 8 * KiB * KiB) circuit.send({ payload })
    hostile.peer.drain(64 * KiB * KiB)
  }
  const { session } = hostile
  const limit = { ...defaultLimits, ...limits }.unacknowledgedBytes
  if (session.unacknowledgedBytes > limit + largest) throw new Error(`${session.unacknowledgedBytes} bytes left`)
  const kept = circuit.bufferedBytes
  hostile.acknowledge()
  for (let left = -1; left !== circuit.bufferedBytes;) {
    left = circuit.bufferedBytes
    hostile.peer.drain(64 * 1024 * KiB)
    hostile.acknowledge()
  }
  if (circuit.bufferedBytes > 0) throw new Error('an acknowledgement did not let the rest go')
  return { ...hostile.outcome(circuit.id), kept: kept === 0 ? 0 : 1 }
}

/** One circuit fits into the account, and each one more makes another give way: so many of them. */
function givingWay(amount: number): Outcome {
  const pair = new CircuitPair({ limits: { accountBytes: 24 * KiB } })
  for (let index = 0; index <= amount && pair.right.session.state !== 'closed'; index += 1) {
    pair.connect()[0].send({ payload: new Uint8Array(15 * KiB) })
    pair.settle()
  }
  const { error } = pair.right
  if (error !== undefined) return { closed: 'session', code: error.code }
  const ended = pair.offers.flatMap(({ circuit }) =>
    circuit.reason?.error === undefined ? [] : [circuit.reason.error],
  )
  if (ended.length !== amount) throw new Error(`${ended.length} circuits have given way instead of ${amount}`)
  return { closed: 'circuit', ...(ended[0] === undefined ? {} : { code: ended[0].code }) }
}

/** When data waits for acknowledgement already, so many bytes of refusals: whether all of them left. */
function refusals(amount: number, limits: Partial<Limits>): Outcome {
  const hostile = new Hostile(limits)
  const circuit = hostile.opened(2 ** 40)
  const { unacknowledgedBytes, unacknowledgedControlBytes } = { ...defaultLimits, ...limits }
  hostile.acknowledge()
  for (let index = 0; index < 100; index += 1) circuit.send({ payload: new Uint8Array(KiB) })
  hostile.peer.drain()
  const before = hostile.session.unacknowledgedBytes
  if (before < unacknowledgedBytes || circuit.bufferedBytes === 0) throw new Error('data is not held back')
  const refusal = new PlaitError('FORBIDDEN', 'x'.repeat(100))
  const frameBytes = headerBytes + encodeError(refusal).length
  // What each write costs besides its frames counts as well.
  const weightBytes = frameBytes + 256
  hostile.peer.end.onOffer = (channel) => channel.refuse(refusal)
  const account = hostile.session.account.usedBytes
  // The last frame of data may have been larger than its room.
  const count = Math.floor((amount - 2 * KiB) / weightBytes)
  for (let index = 0; index < count; index += 1) hostile.open()
  const sent = hostile.session.unacknowledgedBytes - before
  if (sent > unacknowledgedControlBytes + frameBytes) throw new Error(`${sent} bytes of refusals left`)
  const queued = hostile.session.account.usedBytes - account
  const waiting = count * frameBytes - sent
  if (queued !== waiting) throw new Error(`${queued} bytes are charged, ${waiting} wait`)
  hostile.peer.end.onOffer = undefined
  hostile.acknowledge()
  return { ...hostile.outcome(), kept: queued === 0 ? 0 : 1 }
}

/** How many PINGs are sent in `amount` ms. */
function pings(amount: number, isBusy: boolean): Outcome {
  const hostile = new Hostile()
  if (!isBusy) for (const circuit of hostile.circuits.values()) circuit.abort()
  hostile.run(60_000)
  const before = hostile.peer.framesOf(frameTypes.PING).length
  hostile.run(amount)
  const kept = hostile.peer.framesOf(frameTypes.PING).length - before
  return isBusy ? { ...hostile.outcome(), kept } : { closed: 'nothing', kept }
}

/** Silence for one beat less than `amount`; the state of the session then, and whether it recovers. */
function silence(amount: number, limits: Partial<Limits>): { state: string; outcome: Outcome } {
  const hostile = new Hostile(limits, { resumeMs: 0 })
  hostile.run(5_000)
  // The beat that is on its way when the silence begins was not missed.
  hostile.peer.run(amount * defaultLimits.heartbeatMs)
  const { state, error } = hostile.session
  if (error === undefined) return { state, outcome: hostile.outcome() }
  return { state, outcome: { closed: 'session', code: error.code } }
}

/** What a remote may do on a session that is ready. */
export const sessionRows: readonly Row[] = [
  {
    limit: 'framePayloadBytes',
    attempt: (amount) => {
      const hostile = new Hostile()
      const number = hostile.open()
      const before = hostile.session.account.usedBytes
      if (amount === defaultLimits.framePayloadBytes) hostile.send(frameTypes.DATA, number, new Uint8Array(amount))
      else {
        const header = new Uint8Array(headerBytes)
        writeHeader(header, 0, frameTypes.DATA, amount, number)
        hostile.peer.send(header)
        if (hostile.session.account.usedBytes > before) throw new Error('memory was taken for a claim')
      }
      return hostile.outcome(number)
    },
    ...closing('session', 'LIMIT'),
  },
  {
    limit: 'earlyResetsPerSecond',
    attempt: (amount) => {
      const hostile = new Hostile({}, { takes: false })
      const error = encodeError(new PlaitError('ABORTED', 'never mind'))
      for (let index = 0; index < amount && hostile.peer.end.error === undefined; index += 1) {
        const number = 1_001 + 2 * index
        hostile.peer.send(
          rawFrame(frameTypes.OPEN, number, openBody('echo')),
          rawFrame(frameTypes.RESET, number, error),
        )
      }
      return hostile.outcome()
    },
    ...closing('session', 'LIMIT'),
  },
  {
    limit: 'budgetResetsPerSecond',
    attempt: givingWay,
    within: () => ({ closed: 'circuit', code: 'BUDGET' }),
    beyond: () => ({ closed: 'session', code: 'BUDGET' }),
  },
  {
    limit: 'unacknowledgedBytes',
    what: 'data; what is beyond is held back',
    limits: { unacknowledgedBytes: 2 * KiB * KiB },
    attempt: unacknowledged,
    within: () => ({ closed: 'nothing', kept: 0 }),
    beyond: () => ({ closed: 'nothing', kept: 1 }),
  },
  {
    limit: 'unacknowledgedControlBytes',
    what: 'refusals; what is beyond is held back, and charged',
    limits: { unacknowledgedBytes: 64 * KiB, unacknowledgedControlBytes: 16 * KiB },
    attempt: refusals,
    within: () => ({ closed: 'nothing', kept: 0 }),
    beyond: () => ({ closed: 'nothing', kept: 1 }),
    step: 4 * KiB,
  },
  {
    limit: 'noProgressFrames',
    what: 'acknowledgements of nothing',
    attempt: (amount) => {
      const hostile = new Hostile()
      hostile.acknowledge()
      hostile.fragment(1, rawFragment({}))
      for (let index = 0; index < amount; index += 1) hostile.acknowledge()
      return hostile.outcome()
    },
    ...closing('session', 'LIMIT'),
  },
  {
    limit: 'noProgressFrames',
    what: 'answers that nobody asked for',
    attempt: (amount) => {
      const hostile = new Hostile()
      hostile.fragment(1, rawFragment({}))
      for (let index = 0; index < amount; index += 1) hostile.send(frameTypes.PONG, 0, u64(2 ** 40))
      return hostile.outcome()
    },
    ...closing('session', 'LIMIT'),
  },
  {
    limit: 'pingsPerSecond',
    attempt: (amount) => {
      const hostile = new Hostile()
      for (let index = 0; index < amount; index += 1) hostile.send(frameTypes.PING, 0, u64(index))
      const answers = hostile.peer.framesOf(frameTypes.PONG).length
      if (answers > defaultLimits.pingsPerSecond) throw new Error(`${answers} answers`)
      return hostile.outcome()
    },
    ...closing('session', 'LIMIT'),
  },
  {
    limit: 'heartbeatMs',
    attempt: (amount) => pings(amount, true),
    within: () => ({ closed: 'nothing', kept: 1 }),
    beyond: (amount, limit) => ({ closed: 'nothing', kept: Math.floor(amount / limit) }),
  },
  {
    limit: 'idleHeartbeatMs',
    attempt: (amount) => pings(amount, false),
    within: () => ({ closed: 'nothing', kept: 1 }),
    beyond: (amount, limit) => ({ closed: 'nothing', kept: Math.floor(amount / limit) }),
  },
  {
    limit: 'suspectBeats',
    what: 'fewer silent ones are no reason for suspicion',
    limits: { lostBeats: 1_000 },
    attempt: (amount, limits) => {
      const { state, outcome } = silence(amount, limits)
      return { ...outcome, kept: state === 'suspect' ? 1 : 0 }
    },
    within: () => ({ closed: 'nothing', kept: 0 }),
    beyond: () => ({ closed: 'nothing', kept: 1 }),
  },
  {
    limit: 'lostBeats',
    what: 'fewer silent ones are borne',
    attempt: (amount, limits) => silence(amount, limits).outcome,
    ...closing('session', 'LINK_LOST'),
  },
]
