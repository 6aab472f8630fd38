import { PlaitError } from '../base/error.ts'
import { Queue } from '../base/queue.ts'
import { Waiters } from '../base/waiters.ts'
import type { Subscription, TopicMessage } from './broadcast-api.ts'

/** Of one subscription, with what stands around each message. */
const bufferBytesMax = 16 * 1024 * 1024
const overheadBytes = 128

type Handler = (message: TopicMessage) => void

/** Who listens to what. */
export class Subscriptions {
  readonly #byTopic = new Map<string, Set<OpenSubscription>>()
  readonly #failed: (topic: string, error: unknown) => void

  /** `failed` is told what handlers throw. */
  constructor(failed: (topic: string, error: unknown) => void) {
    this.#failed = failed
  }

  /** Whether nobody would hear anything. */
  get isEmpty(): boolean {
    return this.#byTopic.size === 0
  }

  has(topic: string): boolean {
    return this.#byTopic.has(topic)
  }

  add(topic: string, handler: Handler | undefined): Subscription {
    const subscriptions = this.#byTopic.get(topic) ?? new Set()
    this.#byTopic.set(topic, subscriptions)
    const closed = (): void => {
      subscriptions.delete(subscription)
      if (subscriptions.size === 0 && this.#byTopic.get(topic) === subscriptions) this.#byTopic.delete(topic)
    }
    const failed = (error: unknown): void => this.#failed(topic, error)
    const subscription = new OpenSubscription({ topic, handler, closed, failed })
    subscriptions.add(subscription)
    return subscription
  }

  hand(message: TopicMessage): void {
    for (const subscription of this.#byTopic.get(message.topic) ?? []) subscription.take(message)
  }

  close(): void {
    for (const subscriptions of [...this.#byTopic.values()])
      for (const subscription of [...subscriptions]) void subscription.close()
  }
}

interface OpenSubscriptionOptions {
  readonly topic: string
  readonly handler: Handler | undefined
  readonly closed: () => void
  readonly failed: (error: unknown) => void
}

class OpenSubscription implements Subscription {
  readonly topic: string
  dropped = 0
  readonly #handler: Handler | undefined
  readonly #closed: () => void
  readonly #failed: (error: unknown) => void
  readonly #queue = new Queue<TopicMessage>()
  readonly #waiters = new Waiters()
  #bytes = 0
  #isClosed = false

  constructor({ topic, handler, closed, failed }: OpenSubscriptionOptions) {
    this.topic = topic
    this.#handler = handler
    this.#closed = closed
    this.#failed = failed
  }

  take(message: TopicMessage): void {
    if (this.#handler !== undefined) {
      try {
        this.#handler(message)
      } catch (error) {
        // It is the application's, and no fault of who has sent the message.
        this.#failed(error)
      }
      return
    }
    const bytes = message.payload.length + overheadBytes
    if (this.#bytes + bytes > bufferBytesMax) {
      this.dropped += 1
      return
    }
    this.#bytes += bytes
    this.#queue.push(message)
    this.#waiters.wakeFirst()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<TopicMessage, void, undefined> {
    if (this.#handler !== undefined)
      throw new PlaitError('INVALID_ARGUMENT', 'this subscription has a handler, to which its messages go')
    try {
      for (;;) {
        for (let message = this.#queue.shift(); message !== undefined; message = this.#queue.shift()) {
          this.#bytes -= message.payload.length + overheadBytes
          yield message
        }
        if (this.#isClosed) return
        await this.#waiters.wait()
      }
    } finally {
      await this.close()
    }
  }

  close(): Promise<void> {
    if (!this.#isClosed) {
      this.#isClosed = true
      this.#closed()
      this.#waiters.wake()
    }
    return Promise.resolve()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
