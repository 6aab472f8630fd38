/** What a message of a stream costs besides its bytes, so that empty ones are not free. */
const itemBytes = 64

/** The window of a stream, in bytes: at first, in both directions, which both ends know; and at most. */
export const windowBytesFirst: number = 16 * 1024
export const windowBytesMax: number = 1024 * 1024

export function costOf(payloadBytes: number): number {
  return payloadBytes + itemBytes
}

/**
 * Credit of one stream, in both directions. A message may be sent while any credit is left, and takes it below zero if it is larger, so
 * that no message is too large for a stream.
 */
export class Flow {
  /** What may still be sent. */
  creditBytes: number = windowBytesFirst
  /** What the other side may still send. */
  grantedBytes: number = windowBytesFirst
  #windowBytes = windowBytesFirst
  #readBytes = 0

  get windowBytes(): number {
    return this.#windowBytes
  }

  /** A message has come; false when the other side had no credit left. */
  receive(costBytes: number): boolean {
    if (this.grantedBytes <= 0) return false
    this.grantedBytes -= costBytes
    return true
  }

  /**
   * A message has been read; what goes back to the other side, a quarter of the window at a time, or 0. `waiting`: the reader has
   * read all there is, so that the window and not the reader is what holds the stream up, and may grow.
   */
  read(costBytes: number, waiting: boolean): number {
    this.#readBytes += costBytes
    if (this.#readBytes < this.#windowBytes / 4) return 0
    let backBytes = this.#readBytes
    if (waiting && this.grantedBytes < this.#windowBytes / 2 && this.#windowBytes < windowBytesMax) {
      backBytes += this.#windowBytes
      this.#windowBytes *= 2
    }
    this.#readBytes = 0
    this.grantedBytes += backBytes
    return backBytes
  }
}
