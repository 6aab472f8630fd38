import type { Runs } from '../../src/feed/runs.ts'
import type { FeedStore, VerifiedBatch } from '../../src/feed/sync/feed-store.ts'
import type { Random } from '../../src/runtime/random.ts'
import type { SyncWorld } from './sync-world.ts'

/** A store that takes its time as a disk does, and fails now and then, when it is to store something. */
export class SlowStore implements FeedStore {
  readonly #inner: FeedStore
  readonly #world: SyncWorld
  readonly #random: Random
  #storedAt = 0
  /** All that was handed over before a failure fails with it. */
  #epoch = 0
  #failures: number

  constructor(inner: FeedStore, world: SyncWorld, random: Random, failures: number) {
    this.#inner = inner
    this.#world = world
    this.#random = random
    this.#failures = failures
  }

  measure(
    runs: Runs,
    bytesMax: number,
    done: (measured?: { readonly runs: Runs; readonly bytes: number }) => void,
  ): void {
    this.#later(() => this.#inner.measure(runs, bytesMax, done))
  }

  readNodes(positions: readonly number[], done: (nodes?: Uint8Array) => void): void {
    this.#later(() => this.#inner.readNodes(positions, done))
  }

  readBlocks(start: number, end: number, bytesMax: number, done: (blocks?: readonly Uint8Array[]) => void): void {
    this.#later(() => this.#inner.readBlocks(start, end, bytesMax, done))
  }

  store(batch: VerifiedBatch, done: (isStored: boolean) => void): void {
    this.#write(done, () => this.#inner.store(batch, done))
  }

  reset(fork: number, done: (isStored: boolean) => void): void {
    this.#write(done, () => this.#inner.reset(fork, done))
  }

  #write(done: (isStored: boolean) => void, write: () => void): void {
    this.#storedAt = Math.max(this.#storedAt, this.#world.now) + (this.#random.uint32() % 20)
    const epoch = this.#epoch
    this.#world.later(this.#storedAt - this.#world.now, () => {
      if (epoch !== this.#epoch) return done(false)
      const fails = this.#failures > 0 && this.#random.uint32() % 8 === 0
      if (!fails) return write()
      this.#failures -= 1
      this.#epoch += 1
      done(false)
    })
  }

  #later(run: () => void): void {
    this.#world.later(this.#random.uint32() % 10, run)
  }
}
