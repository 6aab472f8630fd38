import type { NodeId } from '../../identity/node-id.ts'
import type { BatchId } from '../batch.ts'

/** `new`: never seen. `seen`: seen, or so old that nobody can say. `past`: of an epoch of its author that is over. */
export type Novelty = 'new' | 'seen' | 'past'

interface Window {
  epoch: number
  highest: number
  /** When the author itself has brought something last. */
  broughtAt: number
  /** One bit for each of the last counters, at its remainder. */
  readonly bits: Uint32Array
}

/** So long whoever hears from an author itself waits for more from there, before it asks others for what they have already. */
const comingMs = 2_000

export interface AuthorsOptions {
  readonly authorsMax: number
  /** Counters of one author that are told apart; a multiple of 32. */
  readonly windowMax: number
}

/**
 * What was seen of each author: an id once and never again, whoever brings it and however much came between. Only what is proven to be of
 * an author may be noted.
 */
export class Authors {
  readonly #options: AuthorsOptions
  /** The one that was heard of last stands last. */
  readonly #windowsById = new Map<NodeId, Window>()

  constructor(options: AuthorsOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#windowsById.size
  }

  epochOf(author: NodeId): number | undefined {
    return this.#windowsById.get(author)?.epoch
  }

  look({ author, epoch, counter }: BatchId): Novelty {
    const window = this.#windowsById.get(author)
    if (window === undefined || epoch > window.epoch) return 'new'
    if (epoch < window.epoch) return 'past'
    if (counter > window.highest) return 'new'
    if (counter <= window.highest - this.#options.windowMax) return 'seen'
    return this.#isSet(window, counter) ? 'seen' : 'new'
  }

  /** Whether the author itself is about to bring it: it brings what it publishes in order, and has not come to that yet. */
  isComing({ author, epoch, counter }: BatchId, now: number): boolean {
    const window = this.#windowsById.get(author)
    if (window === undefined || now - window.broughtAt >= comingMs) return false
    return epoch === window.epoch && counter > window.highest
  }

  /** Something is wrong with the way from an author: what it has published may come from others. */
  doubt(author: NodeId): void {
    const window = this.#windowsById.get(author)
    if (window !== undefined) window.broughtAt = -Infinity
  }

  /** `broughtAt`: when the author itself has brought it; absent when it came by others. */
  note({ author, epoch, counter }: BatchId, broughtAt: number = -Infinity): void {
    let window = this.#windowsById.get(author)
    this.#windowsById.delete(author)
    window ??= { epoch, highest: 0, broughtAt, bits: new Uint32Array(this.#options.windowMax / 32) }
    this.#windowsById.set(author, window)
    window.broughtAt = Math.max(window.broughtAt, broughtAt)
    if (epoch > window.epoch) {
      window.epoch = epoch
      window.highest = 0
      window.bits.fill(0)
    }
    this.#raise(window, counter)
    const place = counter % this.#options.windowMax
    window.bits[place >>> 5] = (window.bits[place >>> 5] as number) | (1 << (place & 31))
    if (this.#windowsById.size > this.#options.authorsMax) this.#forgetOldest()
  }

  /** The places that stood for older counters stand for those behind `highest` from now on. */
  #raise(window: Window, counter: number): void {
    const { windowMax } = this.#options
    if (counter - window.highest >= windowMax) window.bits.fill(0)
    else
      for (let one = window.highest + 1; one <= counter; one += 1) {
        const place = one % windowMax
        window.bits[place >>> 5] = (window.bits[place >>> 5] as number) & ~(1 << (place & 31))
      }
    window.highest = Math.max(window.highest, counter)
  }

  #isSet({ bits }: Window, counter: number): boolean {
    const place = counter % this.#options.windowMax
    return (((bits[place >>> 5] as number) >>> (place & 31)) & 1) === 1
  }

  #forgetOldest(): void {
    for (const author of this.#windowsById.keys()) {
      this.#windowsById.delete(author)
      return
    }
  }
}
