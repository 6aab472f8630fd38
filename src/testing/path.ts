import type { Scheduler } from '../runtime/simulated/scheduler.ts'
import type { SeededRandom } from '../runtime/simulated/random.ts'

/** How the way between two hosts behaves, the same in both directions. */
export interface PathConditions {
  /** One way, in milliseconds. */
  readonly latencyMs: number
  /** Up to so much is added to the latency of each write; nothing overtakes. */
  readonly jitterMs: number
  readonly bytesPerMs: number
  /** Arrivals happen at multiples of this, so that what comes close together comes as one. */
  readonly gridMs: number
  /** How often what has arrived is cut at a random place, 0 to 1. */
  readonly splits: number
  /** What the sender's operating system takes before `pendingBytes` grows. */
  readonly socketBytes: number
  /** Written bytes are read when they arrive, not when they are written: shows who reuses what it has lent. */
  readonly readsLate: boolean
}

/** A way as one finds it in the world, drawn at random. */
export function drawConditions(random: SeededRandom): PathConditions {
  const latencyMs = random.logarithmic(1, 50)
  return {
    latencyMs,
    jitterMs: random.chance(0.3) ? 0 : latencyMs * random.real(),
    bytesPerMs: random.logarithmic(1_000, 1_000_000),
    gridMs: random.pick([0.125, 0.5, 1, 2]),
    splits: random.pick([0, 0.05, 0.3, 0.8]),
    socketBytes: random.pick([4, 64, 256, 1_024]) * 1_024,
    readsLate: random.chance(0.4),
  }
}

/** The way between two hosts, with its blockades. */
export class Path {
  readonly conditions: PathConditions
  readonly #scheduler: Scheduler
  readonly #random: SeededRandom
  readonly #held: (() => void)[] = []
  #blockades = 0
  /** How often something was done to this way that may end a link, and a session that finds no other in time. */
  troubles = 0
  /** How often links broke, and new ones could be made at once. */
  breaks = 0

  constructor(scheduler: Scheduler, random: SeededRandom, conditions: PathConditions) {
    this.#scheduler = scheduler
    this.#random = random
    this.conditions = conditions
  }

  get isBlocked(): boolean {
    return this.#blockades > 0
  }

  /** Holds back whatever arrives until as many calls of `unblock`. */
  block(): void {
    this.#blockades += 1
  }

  unblock(): void {
    this.#blockades -= 1
    if (this.#blockades > 0) return
    for (const run of this.#held.splice(0)) this.carry(run)
  }

  /** A moment at which something that leaves now would arrive, on the grid. */
  arrivalMs(): number {
    const { latencyMs, jitterMs, gridMs } = this.conditions
    return Math.ceil((this.#scheduler.now + latencyMs + jitterMs * this.#random.real()) / gridMs) * gridMs
  }

  /** Runs `run` when a packet that leaves now has arrived; it is sent again until the way is free. */
  carry(run: () => void): void {
    this.#scheduler.at(this.arrivalMs(), () => this.whenFree(run))
  }

  /** Runs `run` now, or one more passage after the way has become free. */
  whenFree(run: () => void): void {
    if (this.isBlocked) this.#held.push(run)
    else run()
  }
}
