import { PlaitError } from '../base/error.ts'
import { Waiters } from '../base/waiters.ts'
import { freshBytes } from './disk/fresh-bytes.ts'
import { dataBytes, windowFragments } from './protocol.ts'

/**
 * The sharer's side of a content circuit's window: how many data fragments may be on their way, and the buffers that they
 * are read into. A buffer is used again when the receiver has done with the fragment that was in it, so that a stream of any
 * length needs no more memory than the window.
 */
export class StreamWindow {
  readonly #buffers: Uint8Array[] = []
  readonly #opened = new Waiters()
  #sent = 0
  #returned = 0
  #failure: unknown

  /** Data fragments sent on this circuit. */
  get sent(): number {
    return this.#sent
  }

  /**
   * The buffer of data fragment `number`, `dataBytes` long, as soon as the receiver has done with the one that had it
   * before. Rejects with the reason of `end`.
   */
  async buffer(number: number): Promise<Uint8Array> {
    while (number - this.#returned >= windowFragments) {
      if (this.#failure !== undefined) throw this.#failure as Error
      await this.#opened.wait()
    }
    const slot = number % windowFragments
    return (this.#buffers[slot] ??= freshBytes(dataBytes))
  }

  /** A data fragment has been handed to the circuit. */
  noteSent(): void {
    this.#sent += 1
  }

  /** The receiver has done with the first `count` of them. Throws `PROTOCOL` for what cannot be. */
  noteReturned(count: number): void {
    if (!(count > this.#returned && count <= this.#sent)) {
      throw new PlaitError('PROTOCOL', `the receiver returned ${count} pieces, of ${this.#sent} that it was sent`)
    }
    this.#returned = count
    this.#opened.wake()
  }

  /** Nothing will be returned any more. */
  end(reason: unknown): void {
    this.#failure = reason
    this.#opened.fail(reason)
  }
}
