/** A large fragment on its way in. Pieces wait in `waiting` until memory for the whole is reserved; then they land in place. */
export class Reassembly {
  readonly totalBytes: number
  receivedBytes = 0
  pieces = 0
  lastPieceAt: number
  /** Frame bytes whose credit goes back when memory is reserved. */
  owedBytes = 0
  /** Its memory counts among what is reserved. */
  reserved = false
  /** What the pieces are charged with that have come before that. */
  waitingBytes = 0
  #buffer: Uint8Array | undefined
  #waiting: Uint8Array[] = []

  constructor(totalBytes: number, now: number) {
    this.totalBytes = totalBytes
    this.lastPieceAt = now
  }

  get complete(): boolean {
    return this.#buffer !== undefined && this.receivedBytes === this.totalBytes
  }

  /** The whole fragment; belongs to who takes it. */
  get buffer(): Uint8Array | undefined {
    return this.#buffer
  }

  /** Here is its memory, `totalBytes` of it: moves in what has waited. */
  land(buffer: Uint8Array): void {
    let at = 0
    for (const piece of this.#waiting) {
      buffer.set(piece, at)
      at += piece.length
    }
    this.#waiting = []
    this.waitingBytes = 0
    this.#buffer = buffer
  }

  /** The whole fragment, when all of it has waited. */
  join(): Uint8Array {
    this.land(new Uint8Array(this.totalBytes))
    return this.#buffer as Uint8Array
  }

  /** Where the next `length` bytes belong, for who can put them there himself. */
  place(length: number): Uint8Array | undefined {
    if (this.#buffer === undefined || this.receivedBytes + length > this.totalBytes) return undefined
    return this.#buffer.subarray(this.receivedBytes, this.receivedBytes + length)
  }

  /** Takes the next piece, wherever it stands; bytes already in place are not copied again. */
  take(bytes: Uint8Array, start: number, end: number, now: number): void {
    const buffer = this.#buffer
    if (buffer === undefined) this.#waiting.push(bytes.slice(start, end))
    else if (!(bytes.buffer === buffer.buffer && bytes.byteOffset + start === buffer.byteOffset + this.receivedBytes)) {
      buffer.set(bytes.subarray(start, end), this.receivedBytes)
    }
    this.receivedBytes += end - start
    this.pieces += 1
    this.lastPieceAt = now
  }
}
