/** One change of a file that has not been synced. */
export type Change =
  | { readonly kind: 'write'; readonly offset: number; readonly bytes: Uint8Array }
  | { readonly kind: 'truncate'; readonly length: number }

/**
 * What a power cut leaves of an unsynced change: nothing, all of it, the new length of the file and none of the bytes, or the bytes
 * `from` .. `to` of a write (in it, not in the file). Where bytes are missing there is what was there before, or zeros.
 */
export type Survival = boolean | 'length' | { readonly from: number; readonly to: number }

interface NumberedChange {
  readonly number: number
  readonly change: Change
  /** A sync has failed on it: the system believes that it is on the disk, and will not write it again. */
  abandoned: boolean
}

/** What a file holds: as a program sees it now, and as it would be found after a power cut. */
export class Contents {
  #current = new GrowingBytes()
  #durable = new GrowingBytes()
  #unsynced: NumberedChange[] = []
  #changes = 0

  get length(): number {
    return this.#current.length
  }

  /** How many changes there have been: what a sync that begins now has to make durable. */
  get changes(): number {
    return this.#changes
  }

  get unsynced(): readonly Change[] {
    return this.#unsynced.map(({ change }) => change)
  }

  read(offset: number, length: number): Uint8Array {
    return this.#current.read(offset, length)
  }

  change(change: Change): void {
    this.#changes += 1
    this.#unsynced.push({ number: this.#changes, change, abandoned: false })
    this.#current.apply(change)
  }

  /** Makes the first `changes` changes durable, but for those that a failed sync has left behind: they are lost for good. */
  sync(changes: number): void {
    for (const { number, change, abandoned } of this.#unsynced) {
      if (number <= changes && !abandoned) this.#durable.apply(change)
    }
    this.#unsynced = this.#unsynced.filter(({ number }) => number > changes)
  }

  /** A sync that has failed, as Linux does it: what it was to write can still be read, and no later sync will write it. */
  failSync(changes: number): void {
    for (const numbered of this.#unsynced) if (numbered.number <= changes) numbered.abandoned = true
  }

  /** Changes a bit for good, as a disk that rots. */
  flip(bit: number): void {
    for (const side of [this.#current, this.#durable]) side.flip(bit)
  }

  /** A power cut: the unsynced changes are lost, except those that happened to reach the disk. */
  crash(survives: (change: Change) => Survival): void {
    for (const { change } of this.#unsynced) this.#survive(change, survives(change))
    this.#unsynced = []
    this.#current = this.#durable.clone()
  }

  /** What a power cut would leave, for another disk. */
  afterCrash(survives: (change: Change) => Survival): Contents {
    const copy = new Contents()
    copy.#durable = this.#durable.clone()
    for (const { change } of this.#unsynced) copy.#survive(change, survives(change))
    copy.#current = copy.#durable.clone()
    return copy
  }

  #survive(change: Change, survival: Survival): void {
    if (survival === false) return
    if (survival === true || change.kind === 'truncate') return this.#durable.apply(change)
    const length = change.offset + change.bytes.length
    if (length > this.#durable.length) this.#durable.apply({ kind: 'truncate', length })
    if (survival === 'length') return
    const { from, to } = survival
    this.#durable.apply({ kind: 'write', offset: change.offset + from, bytes: change.bytes.subarray(from, to) })
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

  flip(bit: number): void {
    const at = bit >>> 3
    if (at < this.length) this.#bytes[at] = (this.#bytes[at] as number) ^ (1 << (bit & 7))
  }

  clone(): GrowingBytes {
    const clone = new GrowingBytes()
    clone.#bytes = this.#bytes.slice(0, this.length)
    clone.length = this.length
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
