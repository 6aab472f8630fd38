/** Records that will be written with one call: to one segment, from one position on. */
export class Batch {
  /** Of the segment that they go to. */
  readonly segment: number
  readonly start: number
  bytes: Uint8Array
  used = 0

  constructor(segment: number, start: number, bytes: Uint8Array) {
    this.segment = segment
    this.start = start
    this.bytes = bytes
  }

  get end(): number {
    return this.start + this.used
  }

  /** Makes room for so many bytes more. */
  reserve(count: number): void {
    const wanted = this.used + count
    if (wanted <= this.bytes.length) return
    const grown = new Uint8Array(Math.max(wanted, this.bytes.length * 2))
    grown.set(this.bytes.subarray(0, this.used))
    this.bytes = grown
  }
}

/** Memory for batches, used again: one is being written while the next one fills. */
export class BatchBuffers {
  #spare: Uint8Array[] = []

  take(): Uint8Array {
    return this.#spare.pop() ?? new Uint8Array(firstBytes)
  }

  give(bytes: Uint8Array): void {
    if (this.#spare.length < 2 && bytes.length <= keptBytes) this.#spare.push(bytes)
  }
}

const firstBytes = 64 * 1024
const keptBytes = 4 * 1024 * 1024
