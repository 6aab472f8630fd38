/** A large fragment on its way in. Pieces wait until memory for the whole is set aside; then they land in place. */
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
  #allocate: ((bytes: number) => Uint8Array) | undefined

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

  /**
   * Its memory is set aside. It is allocated when something comes after the announcement: to have 16 MiB set aside again and again
   * takes some words, and to allocate and collect them takes more time than all else that a session can ask for.
   */
  land(allocate: (bytes: number) => Uint8Array): void {
    this.#allocate = allocate
    this.waitingBytes = 0
    if (this.pieces > 1 || this.receivedBytes === this.totalBytes) this.#move(allocate)
  }

  /** The whole fragment, when all of it has waited. */
  join(): Uint8Array {
    return this.#move((bytes) => new Uint8Array(bytes))
  }

  /** Where the next `length` bytes behind the first piece belong, for who can put them there himself. */
  place(length: number): Uint8Array | undefined {
    if (length > 0) this.#expect()
    if (this.#buffer === undefined || this.receivedBytes + length > this.totalBytes) return undefined
    return this.#buffer.subarray(this.receivedBytes, this.receivedBytes + length)
  }

  /** Takes the next piece, wherever it stands; bytes already in place are not copied again. */
  take(bytes: Uint8Array, start: number, end: number, now: number): void {
    if ((this.pieces > 0 && end > start) || end - start === this.totalBytes) this.#expect()
    const buffer = this.#buffer
    if (buffer === undefined) this.#waiting.push(bytes.slice(start, end))
    else if (!(bytes.buffer === buffer.buffer && bytes.byteOffset + start === buffer.byteOffset + this.receivedBytes)) {
      buffer.set(bytes.subarray(start, end), this.receivedBytes)
    }
    this.receivedBytes += end - start
    this.pieces += 1
    this.lastPieceAt = now
  }

  /** There is content: it lands in place from now on, if memory is set aside. */
  #expect(): void {
    if (this.#buffer === undefined && this.#allocate !== undefined) this.#move(this.#allocate)
  }

  /** Moves in what has waited. */
  #move(allocate: (bytes: number) => Uint8Array): Uint8Array {
    const buffer = allocate(this.totalBytes)
    let at = 0
    for (const piece of this.#waiting) {
      buffer.set(piece, at)
      at += piece.length
    }
    this.#waiting = []
    this.#buffer = buffer
    return buffer
  }
}
