import type { Limits } from '../base/limits.ts'
import type { Circuit } from '../circuit/circuit-api.ts'
import { stepTurns } from '../runtime/system/turn.ts'
import type { FragmentFields } from '../wire/fragment.ts'
import { CircuitPair } from './circuit-pair.ts'

export interface JoinedCircuitsOptions {
  readonly limits?: Partial<Limits>
  /** How long the circuit outlives its link, in virtual milliseconds. 30,000 when absent. */
  readonly resumeMs?: number
  /** Travels with the request; it is the first that the far end reads. */
  readonly first?: FragmentFields
}

/** Both ends of one circuit, without nodes, on a virtual time that stands still outside `settle` and `run`. */
export interface JoinedCircuits {
  /** The end that has opened the circuit. */
  readonly near: Circuit
  /** The end that has accepted it. */
  readonly far: Circuit
  /** Virtual milliseconds since the beginning. */
  readonly now: number
  /** Lets time pass until `promise` has settled, and gives what it gives. Throws when that takes more than `limitMs`, or 60,000. */
  settle<Value>(promise: Promise<Value>, limitMs?: number): Promise<Value>
  /** Lets `elapsedMs` pass. */
  run(elapsedMs: number): Promise<void>
  /** Breaks the link; what is on its way is lost with it, and is sent again after `relink`. */
  cut(): void
  /** Joins the two by a new link. */
  relink(): void
}

/** Opens a circuit between two sessions that live in this process, for tests of a protocol on it. */
export function joinCircuits(options: JoinedCircuitsOptions = {}): JoinedCircuits {
  const { limits, resumeMs, first } = options
  const pair = new CircuitPair({
    ...(limits === undefined ? {} : { limits }),
    ...(resumeMs === undefined ? {} : { resumeMs }),
  })
  const [near, far] = pair.connect(pair.left, first)
  return {
    near,
    far,
    get now() {
      return Math.max(pair.now, pair.scheduler.now)
    },
    settle: (promise, limitMs = 60_000) => settle(pair, promise, limitMs),
    run: async (elapsedMs) => {
      const endMs = pair.now + elapsedMs
      await stepTurns(stepsUntil(pair, endMs, () => false))
      pair.run(endMs - pair.now)
    },
    cut: () => pair.cut(),
    relink: () => pair.relink(),
  }
}

async function settle<Value>(pair: CircuitPair, promise: Promise<Value>, limitMs: number): Promise<Value> {
  let isSettled = false
  const settled = (): void => void (isSettled = true)
  promise.then(settled, settled)
  await stepTurns(stepsUntil(pair, pair.now + limitMs, () => isSettled))
  if (!isSettled) throw new Error(`still waiting after ${limitMs} virtual milliseconds, at ${pair.now} ms`)
  return promise
}

/** One transmission, or the next deadline when all is quiet and no promise has made anything new to send. */
function stepsUntil(pair: CircuitPair, endMs: number, isDone: () => boolean): () => boolean {
  let isQuiet = false
  return () => {
    if (isDone()) return false
    if (pair.step()) isQuiet = false
    else if (isQuiet) {
      isQuiet = false
      return pair.jump(endMs)
    } else isQuiet = true
    return true
  }
}
