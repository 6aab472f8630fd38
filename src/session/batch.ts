/** What leaves in one write: views of slabs and of large payloads, in order. Neighbours in one slab become one view. */
export class Batch {
  readonly chunks: Uint8Array[] = []
  bytes = 0
  /** Numbered frames among it. */
  frames = 0
  #slab: Uint8Array | undefined
  #start = 0
  #end = 0

  addSlab(slab: Uint8Array, start: number, end: number): void {
    this.bytes += end - start
    if (this.#slab === slab && this.#end === start) {
      this.#end = end
      return
    }
    this.#seal()
    this.#slab = slab
    this.#start = start
    this.#end = end
  }

  add(bytes: Uint8Array): void {
    this.#seal()
    this.bytes += bytes.length
    this.chunks.push(bytes)
  }

  finish(): Uint8Array[] {
    this.#seal()
    return this.chunks
  }

  #seal(): void {
    if (this.#slab === undefined) return
    this.chunks.push(this.#slab.subarray(this.#start, this.#end))
    this.#slab = undefined
  }
}
