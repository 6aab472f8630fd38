import type { PlaitError } from '../base/error.ts'
import type { Link } from '../link/link.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { Timer } from '../runtime/timers.ts'

/** How much a link may hold that the operating system has not taken: a small fragment waits behind no more than this. */
const linkBytesMax = 128 * 1024
/** The same where there is nobody who could wait. */
const linkBytesAlone = 512 * 1024

/**
 * How long last words may take to leave: when the end is wanted at once, and in order. Who does not listen keeps no link open, and
 * who has done wrong is gone within a second. Nothing that was sent depends on it: a session that closes in order has all of it
 * acknowledged before.
 */
const farewellMs = 500
const partingMs = 800

/** What speaks over a link: first a handshake, then a session. */
export interface Speaker {
  receive(bytes: Uint8Array, now: number): void
  transmit(roomBytes: number, now: number): readonly Uint8Array[]
  /** Something waits for room in the link. */
  readonly pending: boolean
  /** All that is said belongs together: nothing in it could be held up by the rest. */
  readonly solitary?: boolean
}

/** What the carrier tells the shell of who speaks. */
export interface CarrierHost {
  /** Bytes have been taken. */
  received(): void
  /** A turn has ended in which something was said. */
  turned(): void
  /** The link has closed, once and last. */
  closed(error: PlaitError | undefined): void
}

/** Joins a link to whoever speaks over it at the time. What is said in one turn leaves in one write. */
export class Carrier {
  readonly link: Link
  /** Resolves when the link has closed. */
  readonly gone: Promise<void>
  #closed = false
  readonly #runtime: Runtime
  #speaker: Speaker
  #host: CarrierHost
  #woken = false
  #transmitting = false
  #farewellTimer: Timer | undefined
  #endAt = Infinity

  constructor(link: Link, runtime: Runtime, speaker: Speaker, host: CarrierHost) {
    this.link = link
    this.#runtime = runtime
    this.#speaker = speaker
    this.#host = host
    this.gone = new Promise((resolve) => {
      link.attach({
        data: (bytes) => this.#data(bytes),
        drain: () => this.#drain(),
        close: (error) => {
          this.#closed = true
          this.#farewellTimer?.cancel()
          this.#host.closed(error)
          resolve()
        },
      })
    })
  }

  /** From now on another one speaks. */
  hand(speaker: Speaker, host: CarrierHost): void {
    this.#speaker = speaker
    this.#host = host
  }

  /** There is something to say: it leaves when the turn ends. */
  wake(): void {
    if (this.#woken) return
    this.#woken = true
    this.#runtime.timers.endOfTurn(this.#endOfTurn)
  }

  /** Writes what there is to say and the link has room for. */
  flush(): void {
    if (this.#transmitting || this.#closed) return
    this.#transmitting = true
    const bytesMax = this.#speaker.solitary === true ? linkBytesAlone : linkBytesMax
    const roomBytes = Math.max(0, bytesMax - this.link.pendingBytes)
    const chunks = this.#speaker.transmit(roomBytes, this.#runtime.clock.now())
    if (chunks.length > 0) this.link.write(chunks)
    this.#transmitting = false
  }

  /** Says what is left, and closes the link in order; without the other side's help when that does not come. */
  leave(error: PlaitError): void {
    this.#part(error, partingMs)
  }

  /** Like `leave`, with less patience. */
  abort(error: PlaitError): void {
    this.#part(error, farewellMs)
  }

  #part(error: PlaitError, patienceMs: number): void {
    this.flush()
    this.link.close()
    const endAt = this.#runtime.clock.now() + patienceMs
    if (this.#closed || endAt >= this.#endAt) return
    this.#endAt = endAt
    this.#farewellTimer?.cancel()
    this.#farewellTimer = this.#runtime.timers.after(patienceMs, () => this.link.abort(error), { background: true })
  }

  #data(bytes: Uint8Array): void {
    this.#speaker.receive(bytes, this.#runtime.clock.now())
    this.#host.received()
  }

  #drain(): void {
    if (this.#speaker.pending) this.flush()
  }

  readonly #endOfTurn = (): void => {
    this.#woken = false
    this.flush()
    this.#host.turned()
  }
}
