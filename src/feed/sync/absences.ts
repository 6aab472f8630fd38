import { Bitmap } from '../bitmap.ts'
import { doubtMs } from './doubts.ts'

/** Of the time that one would wait: after so much of it what the peer says of the feed is taken for a sign that it has more. */
const heardShare = 1 / 20

/**
 * Chunks, by their places in a list, that one peer has said not to have. It is asked again some time later, each time after a longer
 * one.
 */
export class Absences {
  readonly chunks: Bitmap = new Bitmap()
  #pauseMs: number = doubtMs.first
  #notedAt = 0
  #untilMs = Infinity

  note(place: number, now: number): void {
    if (this.chunks.count === 0) {
      this.#notedAt = now
      this.#untilMs = now + this.#pauseMs
    }
    this.chunks.add(place, place + 1)
  }

  /** The peer has said something new of the feed. */
  hear(): void {
    this.#untilMs = Math.min(this.#untilMs, this.#notedAt + this.#pauseMs * heardShare)
  }

  /** It has given one: it does get new ones. */
  succeed(): void {
    this.#pauseMs = doubtMs.first
  }

  /** Whether it is to be asked for all of them again, from now on. */
  end(now: number): boolean {
    if (this.chunks.count === 0 || now < this.#untilMs) return false
    this.chunks.clear()
    this.#untilMs = Infinity
    this.#pauseMs = Math.min(doubtMs.longest, 2 * this.#pauseMs)
    return true
  }
}
