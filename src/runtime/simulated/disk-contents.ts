/** One change that has not been synced. */
export type Change =
  | { readonly kind: 'write'; readonly offset: number; readonly bytes: Uint8Array }
  | { readonly kind: 'truncate'; readonly length: number }

interface NumberedChange {
  readonly number: number
  readonly change: Change
}

/** What a file holds: as a program sees it now, and as it would be found after a power cut. */
export class Contents {
  #current = new GrowingBytes()
  readonly #durable = new GrowingBytes()
  #unsynced: NumberedChange[] = []
  #changes = 0

  get length(): number {
    return this.#current.length
  }

  /** How many changes there have been: what a sync that begins now has to make durable. */
  get changes(): number {
    return this.#changes
  }

  read(offset: number, length: number): Uint8Array {
    return this.#current.read(offset, length)
  }

  change(change: Change): void {
    this.#changes += 1
    this.#unsynced.push({ number: this.#changes, change })
    this.#current.apply(change)
  }

  /** Makes the first `changes` changes durable. */
  sync(changes: number): void {
    for (const { number, change } of this.#unsynced) if (number <= changes) this.#durable.apply(change)
    this.#unsynced = this.#unsynced.filter(({ number }) => number > changes)
  }

  /** A power cut: the unsynced changes are lost, except those that happened to reach the disk. */
  crash(survives: (change: Change) => boolean): void {
    const survivors = this.#unsynced.filter(({ change }) => survives(change))
    for (const { change } of survivors) this.#durable.apply(change)
    this.#unsynced = []
    this.#current = this.#durable.clone()
  }
}

class GrowingBytes {
  #bytes = new Uint8Array(0)
  length = 0

  read(offset: number, length: number): Uint8Array {
    return this.#bytes.slice(Math.min(offset, this.length), Math.min(offset + length, this.length))
  }

  apply(change: Change): void {
    if (change.kind === 'truncate') return this.#resize(change.length)
    if (change.bytes.length === 0) return
    this.#resize(Math.max(this.length, change.offset + change.bytes.length))
    this.#bytes.set(change.bytes, change.offset)
  }

  clone(): GrowingBytes {
    const clone = new GrowingBytes()
    clone.apply({ kind: 'write', offset: 0, bytes: this.read(0, this.length) })
    return clone
  }

  #resize(length: number): void {
    if (length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(length, this.#bytes.length * 2, 256))
      grown.set(this.#bytes.subarray(0, this.length))
      this.#bytes = grown
    }
    if (length < this.length) this.#bytes.fill(0, length, this.length)
    this.length = length
  }
}
