import { PlaitError } from '../base/error.ts'
import { Waiters } from '../base/waiters.ts'
import type { WaitOptions } from '../circuit/circuit-api.ts'
import type { NodeId } from '../identity/node-id.ts'
import { overheadOf, type Batch, type Post } from './batch.ts'
import type { Publication, PublishReport } from './broadcast-api.ts'
import { postsMax, topicsMax } from './post-table.ts'
import type { Follower } from './spread/spreader.ts'

export interface OutboxOptions {
  readonly bodyBytes: number
  /** `ready` waits above the first, and nothing is taken above the second. */
  readonly markBytes: number
  readonly bufferBytes: number
  /** Calls `flush` at the end of this turn. */
  readonly endOfTurn: (flush: () => void) => void
  readonly publish: (posts: readonly Post[], to: readonly NodeId[] | undefined, follower: Follower) => Batch
}

/** Gathers what is published in one turn into batches. */
export class Outbox {
  readonly #options: OutboxOptions
  readonly #waiters = new Waiters()
  readonly #open = new Set<Parcel>()
  #parcel: Parcel | undefined
  #bufferedBytes = 0

  constructor(options: OutboxOptions) {
    this.#options = options
  }

  get bufferedBytes(): number {
    return this.#bufferedBytes
  }

  /** The payload is copied. */
  publish(topic: string, payload: Uint8Array): Publication {
    this.#check(payload)
    const parcel = this.#parcel?.hasRoom(topic, payload) === true ? this.#parcel : this.#begin()
    parcel.add(topic, payload.slice())
    this.#bufferedBytes += payload.length
    return parcel
  }

  send(to: readonly NodeId[], topic: string, payload: Uint8Array): Publication {
    this.#check(payload)
    this.flush()
    const parcel = this.#begin()
    parcel.add(topic, payload.slice())
    this.#bufferedBytes += payload.length
    this.#flush(parcel, to)
    return parcel
  }

  /** What was taken leaves now. */
  flush(): void {
    if (this.#parcel !== undefined) this.#flush(this.#parcel, undefined)
  }

  async ready({ signal }: WaitOptions = {}): Promise<void> {
    signal?.throwIfAborted()
    while (this.#bufferedBytes >= this.#options.markBytes) await this.#waiters.wait(signal)
  }

  /** Resolves when all that was published has reached whom it can. */
  async settled(): Promise<void> {
    this.flush()
    await Promise.allSettled([...this.#open].map((parcel) => parcel.report()))
  }

  fail(error: PlaitError): void {
    this.#parcel = undefined
    this.#waiters.fail(error)
    for (const parcel of this.#open) parcel.fail(error)
  }

  #check(payload: Uint8Array): void {
    const { bodyBytes, bufferBytes } = this.#options
    if (payload.length > bodyBytes)
      throw new PlaitError('FRAGMENT_TOO_LARGE', `a message to a topic has at most ${bodyBytes} bytes`, {
        facts: { limit: bodyBytes, bytes: payload.length },
      })
    if (this.#bufferedBytes + payload.length > bufferBytes)
      throw new PlaitError('BUFFER_FULL', `more than ${bufferBytes} bytes wait for members; await ready()`, {
        facts: { limit: bufferBytes },
      })
  }

  #begin(): Parcel {
    this.flush()
    const parcel = new Parcel(this.#options.bodyBytes)
    this.#parcel = parcel
    this.#open.add(parcel)
    this.#options.endOfTurn(() => {
      if (this.#parcel === parcel) this.flush()
    })
    return parcel
  }

  #flush(parcel: Parcel, to: readonly NodeId[] | undefined): void {
    this.#parcel = undefined
    const { posts, bytes } = parcel
    parcel.posts = []
    this.#options.publish(posts, to, {
      eased: () => {
        this.#bufferedBytes -= bytes
        if (this.#bufferedBytes < this.#options.markBytes) this.#waiters.wake()
      },
      over: (report) => {
        this.#open.delete(parcel)
        parcel.settle(report)
      },
    })
  }
}

/** Messages that travel together. */
class Parcel implements Publication {
  posts: Post[] = []
  bytes = 0
  readonly #bodyBytes: number
  readonly #topics = new Set<string>()
  readonly #waiters = new Waiters<PublishReport>()
  #roomBytes: number
  #outcome: PublishReport | PlaitError | undefined

  constructor(bodyBytes: number) {
    this.#bodyBytes = bodyBytes
    this.#roomBytes = bodyBytes
  }

  hasRoom(topic: string, payload: Uint8Array): boolean {
    if (this.posts.length >= postsMax || (this.#topics.size >= topicsMax && !this.#topics.has(topic))) return false
    return this.#costOf(topic, payload) <= this.#roomBytes || this.#roomBytes === this.#bodyBytes
  }

  add(topic: string, payload: Uint8Array): void {
    this.#roomBytes -= this.#costOf(topic, payload)
    this.#topics.add(topic)
    this.posts.push({ topic, payload })
    this.bytes += payload.length
  }

  report(): Promise<PublishReport> {
    if (this.#outcome === undefined) return this.#waiters.wait()
    return this.#outcome instanceof PlaitError ? Promise.reject(this.#outcome) : Promise.resolve(this.#outcome)
  }

  settle(report: PublishReport): void {
    this.#outcome = report
    this.#waiters.wake(report)
  }

  fail(error: PlaitError): void {
    this.#outcome = error
    this.#waiters.fail(error)
  }

  #costOf(topic: string, payload: Uint8Array): number {
    return payload.length + 4 + (this.#topics.has(topic) ? 0 : overheadOf(topic))
  }
}
