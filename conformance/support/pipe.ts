/** How one direction of a proxied connection treats its bytes. */
export interface PipeShape {
  /** How long a byte is under way. */
  delayMs: number
  /** Infinity: as fast as this machine can. */
  bytesPerSecond: number
}

/** What leaves at one time; also how finely the rate is dosed. */
const pieceBytes = 16 * 1024
/** What a pipe holds beyond what its delay keeps under way, before its source has to wait. */
const slackBytes = 256 * 1024
/** The same for a pipe without a rate. */
const unratedBytes = 64 * 1024 * 1024

/** One direction: bytes leave in the order in which they came, not before their time, and not faster than the rate. */
export class Pipe {
  readonly #shape: PipeShape
  readonly #write: (bytes: Uint8Array) => void
  #queue: { bytes: Uint8Array; at: number }[] = []
  #held = 0
  /** When the last byte has passed the bottleneck. */
  #passedAt = 0
  #timer: NodeJS.Timeout | undefined
  #end: (() => void) | undefined

  constructor(shape: PipeShape, write: (bytes: Uint8Array) => void) {
    this.#shape = shape
    this.#write = write
  }

  /** Its source should wait. */
  get full(): boolean {
    const { delayMs, bytesPerSecond } = this.#shape
    const limitBytes = bytesPerSecond === Infinity ? unratedBytes : slackBytes + (bytesPerSecond * delayMs) / 1_000
    return this.#held > limitBytes
  }

  /** Takes bytes, which are its own from now on. */
  put(bytes: Uint8Array): void {
    const { delayMs, bytesPerSecond } = this.#shape
    for (let start = 0; start < bytes.length; start += pieceBytes) {
      const piece = bytes.subarray(start, start + pieceBytes)
      this.#passedAt = Math.max(this.#passedAt, performance.now()) + (piece.length * 1_000) / bytesPerSecond
      this.#queue.push({ bytes: piece, at: this.#passedAt + delayMs })
      this.#held += piece.length
    }
    this.#deliver()
  }

  /** Nothing more comes: `then` is called when all has left. */
  end(then: () => void): void {
    this.#end = then
    this.#deliver()
  }

  /** Forgets what is under way. */
  clear(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#queue = []
    this.#held = 0
    this.#end = undefined
  }

  #deliver(): void {
    if (this.#timer !== undefined) return
    const now = performance.now()
    let sent = 0
    while (sent < this.#queue.length && this.#queue[sent]!.at <= now) sent += 1
    for (const { bytes } of this.#queue.splice(0, sent)) {
      this.#held -= bytes.length
      this.#write(bytes)
    }
    const next = this.#queue[0]
    if (next !== undefined) {
      this.#timer = setTimeout(
        () => {
          this.#timer = undefined
          this.#deliver()
        },
        Math.max(0, next.at - now),
      )
      return
    }
    const end = this.#end
    this.#end = undefined
    end?.()
  }
}
