import type { Batch, BatchId } from '../batch.ts'
import { isPartOf, type Region } from '../ring.ts'

/** A batch that was taken, while it is remembered. */
export interface Held {
  readonly batch: Batch
  readonly takenAt: number
  /** Whether its signature was looked at; it came from its author itself when not. */
  isVerified: boolean
  /** Whether it has still its place in the archive. */
  isKept: boolean
  /** The parts of the ring that were handed over with it. */
  readonly regions: Region[]
}

export interface ArchiveOptions {
  readonly lastsMs: number
  readonly bytesMax: number
}

/** The last batches, for those that miss them; the oldest go first. */
export class Archive {
  readonly #options: ArchiveOptions
  readonly #heldByKey = new Map<string, Held>()
  #bytes = 0

  constructor(options: ArchiveOptions) {
    this.#options = options
  }

  get bytes(): number {
    return this.#bytes
  }

  get size(): number {
    return this.#heldByKey.size
  }

  /** From the oldest on. */
  values(): IterableIterator<Held> {
    return this.#heldByKey.values()
  }

  find(id: BatchId): Held | undefined {
    return this.#heldByKey.get(keyOf(id))
  }

  has(id: BatchId): boolean {
    return this.#heldByKey.has(keyOf(id))
  }

  /** It is not here yet. */
  add(held: Held): void {
    this.#heldByKey.set(keyOf(held.batch), held)
    this.#bytes += sizeOf(held)
    for (const oldest of this.#heldByKey.values()) {
      if (this.#bytes <= this.#options.bytesMax) return
      this.#remove(oldest)
    }
  }

  expire(now: number): void {
    for (const oldest of this.#heldByKey.values()) {
      if (now - oldest.takenAt < this.#options.lastsMs) return
      this.#remove(oldest)
    }
  }

  #remove(held: Held): void {
    held.isKept = false
    this.#heldByKey.delete(keyOf(held.batch))
    this.#bytes -= sizeOf(held)
  }
}

/** What stands around a batch is as much as a small one. */
const overheadBytes = 512

function sizeOf({ batch }: Held): number {
  return batch.bytes.length + overheadBytes
}

/** Whether all of a part was handed over before. */
export function isCovered(held: Held, region: Region): boolean {
  return held.regions.some((outer) => isPartOf(region, outer))
}

/** As text, for a map. */
export function keyOf({ author, epoch, counter }: BatchId): string {
  return `${author}/${epoch}/${counter}`
}
