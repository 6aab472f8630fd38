import { varintLength, writeVarint } from '../base/varint.ts'
import type { Cell } from './cell.ts'

/**
 * The cells of a state on their way into its encoding. Their bytes stand one behind the other: those of a million elements would
 * otherwise be two million arrays, and to put these in order is to wait for memory.
 */
export class CellBuffer {
  #bytes = new Uint8Array(1_024)
  #length = 0
  /** Where each key begins, and where its value does, which ends where the next key begins. */
  readonly #starts: number[] = []

  add({ key, value }: Cell): void {
    const valueStart = this.#length + key.length
    const end = valueStart + value.length
    if (end > this.#bytes.length) this.#grow(2 * end)
    this.#bytes.set(key, this.#length)
    this.#bytes.set(value, valueStart)
    this.#starts.push(this.#length, valueStart)
    this.#length = end
  }

  /**
   * The LEB128 count of cells; for each its key and its value, each behind its LEB128 length, in the order of the keys. Keys are written
   * whole: what they share with the one before could be left out, but then a few bytes could make a reader keep many.
   */
  encode(): Uint8Array {
    const count = this.#starts.length / 2
    let length = varintLength(count) + this.#length
    for (let start = 0; start < 2 * count; start += 1) length += varintLength(this.#end(start) - this.#start(start))
    const out = new Uint8Array(length)
    let at = writeVarint(out, 0, count)
    for (const cell of this.#inOrder()) at = this.#writePart(2 * cell + 1, out, this.#writePart(2 * cell, out, at))
    return out
  }

  #writePart(part: number, out: Uint8Array, offset: number): number {
    const [start, end] = [this.#start(part), this.#end(part)]
    const at = writeVarint(out, offset, end - start)
    // A view for a few bytes costs more than they do.
    if (end - start > shortBytes) out.set(this.#bytes.subarray(start, end), at)
    else for (let from = start; from < end; from += 1) out[at + from - start] = this.#bytes[from] as number
    return at + end - start
  }

  /** The numbers of the cells, in the order of their keys: see `compareBytes`. */
  #inOrder(): Uint32Array {
    const cells = Uint32Array.from({ length: this.#starts.length / 2 }, (_, cell) => cell)
    const shared = this.#sharedBytes()
    const leads = Float64Array.from(cells, (cell) => this.#lead(cell, shared))
    return cells.sort(
      (left, right) => (leads[left] as number) - (leads[right] as number) || this.#compareKeys(left, right, shared),
    )
  }

  /** With how many bytes all keys begin alike. */
  #sharedBytes(): number {
    let shared = this.#starts.length === 0 ? 0 : this.#end(0)
    for (let part = 2; part < this.#starts.length; part += 2) {
      const [start, length] = [this.#start(part), Math.min(shared, this.#end(part) - this.#start(part))]
      shared = 0
      while (shared < length && this.#bytes[start + shared] === this.#bytes[shared]) shared += 1
    }
    return shared
  }

  /** What mostly decides: the first bytes of a key that others do not share, as a number. Those it has not count as 0. */
  #lead(cell: number, shared: number): number {
    const [start, end] = [this.#start(2 * cell) + shared, this.#end(2 * cell)]
    let lead = 0
    for (let at = start; at < start + leadBytes; at += 1)
      lead = lead * 256 + (at < end ? (this.#bytes[at] as number) : 0)
    return lead
  }

  #compareKeys(left: number, right: number, shared: number): number {
    const [leftStart, rightStart] = [this.#start(2 * left), this.#start(2 * right)]
    const [leftLength, rightLength] = [this.#end(2 * left) - leftStart, this.#end(2 * right) - rightStart]
    for (let at = shared; at < leftLength && at < rightLength; at += 1) {
      const difference = (this.#bytes[leftStart + at] as number) - (this.#bytes[rightStart + at] as number)
      if (difference !== 0) return difference
    }
    return leftLength - rightLength
  }

  /** Of a key, or of the value that is the next part. */
  #start(part: number): number {
    return this.#starts[part] as number
  }

  #end(part: number): number {
    return this.#starts[part + 1] ?? this.#length
  }

  #grow(length: number): void {
    const grown = new Uint8Array(length)
    grown.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = grown
  }
}

/** As many as a number holds exactly. */
const leadBytes = 6
const shortBytes = 48
