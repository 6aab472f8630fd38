import { bytesEqual, concatBytes, encodeHex } from '../base/bytes.ts'
import { PlaitError } from '../base/error.ts'
import { Queue } from '../base/queue.ts'
import { varintLength, writeVarint } from '../base/varint.ts'
import { Waiters } from '../base/waiters.ts'
import type { WaitOptions } from '../circuit/circuit-api.ts'
import type { Dot } from '../crdt/dot.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { View, ViewChange } from '../store/view.ts'
import type { Consumer } from './consumer.ts'
import type { AcknowledgedDelivery, DeliveryHandler, DeliveryTransaction, GroupDelivery } from './group-api.ts'
import type { Delivery } from './group-machine.ts'

/** So much waits for the application at most. */
const waitingMax = 4_096
const waitingBytesMax = 8 * 1024 * 1024
/** How often an operation is tried, and how long after it has failed, in ms. */
const attemptsMax = 3
const retryMs = 100

type Done = (changes: readonly ViewChange[]) => void

interface Waiting {
  readonly delivery: GroupDelivery
  readonly done: Done
  /** Of the queue, when it was put there: in another one it is void. */
  readonly epoch: number
}

export interface DeliveriesHost {
  /** There is room for more. */
  readonly relieve: () => void
  /** Resolves when an own operation is durable, of which nothing is said to the application before. */
  readonly durable: (dot: Dot) => Promise<void>
  readonly setAside: (dot: Dot, error: PlaitError) => void
}

/** What waits for the application. */
class DeliveryQueue {
  readonly #host: DeliveriesHost
  readonly #waiting = new Queue<Waiting>()
  readonly #arrivals = new Waiters()
  #bytes = 0
  #ended: PlaitError | undefined
  /** Counts how often all was taken back. */
  epoch = 0

  constructor(host: DeliveriesHost) {
    this.#host = host
  }

  get isFull(): boolean {
    return this.#waiting.length >= waitingMax || this.#bytes >= waitingBytesMax
  }

  push({ dot, node, body }: Delivery, done: Done): void {
    this.#waiting.push({ delivery: { dot, from: node, payload: body.slice() }, done, epoch: this.epoch })
    this.#bytes += body.length
    this.#arrivals.wake()
  }

  async shift(signal?: AbortSignal): Promise<Waiting> {
    for (;;) {
      signal?.throwIfAborted()
      const next = this.#waiting.shift()
      if (next === undefined) {
        if (this.#ended !== undefined) throw this.#ended
        await this.#arrivals.wait(signal)
        continue
      }
      this.#bytes -= next.delivery.payload.length
      await this.#host.durable(next.delivery.dot)
      if (next.epoch !== this.epoch) continue
      if (!this.isFull) this.#host.relieve()
      return next
    }
  }

  clear(): void {
    this.epoch += 1
    this.#waiting.clear()
    this.#bytes = 0
  }

  end(error: PlaitError): void {
    this.#ended ??= error
    this.#arrivals.fail(error)
  }
}

/** Hands operations to a function, one after the other, with a transaction for each. */
export class HandlerConsumer implements Consumer {
  readonly tables: readonly string[] = [applicationTable]
  readonly isRestorable = true
  readonly isImmediate = false
  readonly #pending = new PendingChanges()
  readonly #queue: DeliveryQueue
  readonly #handler: DeliveryHandler
  readonly #host: DeliveriesHost
  readonly #view: View
  readonly #runtime: Runtime

  constructor(handler: DeliveryHandler, host: DeliveriesHost, view: View, runtime: Runtime) {
    this.#handler = handler
    this.#host = host
    this.#view = view
    this.#runtime = runtime
    this.#queue = new DeliveryQueue(host)
    void this.#run()
  }

  get isFull(): boolean {
    return this.#queue.isFull
  }

  async load(): Promise<void> {}

  take(delivery: Delivery, done: Done): void {
    this.#queue.push(delivery, done)
  }

  committing(): () => void {
    return this.#pending.commit()
  }

  reset(): void {
    this.#queue.clear()
    this.#pending.clear()
  }

  end(error: PlaitError): void {
    this.#queue.end(error)
  }

  async #run(): Promise<void> {
    for (;;) {
      let next: Waiting
      try {
        next = await this.#queue.shift()
      } catch {
        return
      }
      // It may have been taken back since it left the queue.
      const changes = await this.#carryOut(next)
      if (next.epoch !== this.#queue.epoch) continue
      this.#pending.add(changes)
      next.done(changes)
    }
  }

  async #carryOut({ delivery, epoch }: Waiting): Promise<readonly ViewChange[]> {
    // What was taken back is not tried again: it comes anew.
    for (let attempt = 1; epoch === this.#queue.epoch; attempt += 1) {
      const transaction = new HandlerTransaction(this.#view, this.#pending, () => epoch === this.#queue.epoch)
      try {
        await this.#handler(delivery, transaction)
        return transaction.changes
      } catch (error) {
        if (attempt >= attemptsMax) {
          this.#host.setAside(delivery.dot, PlaitError.from(error, 'HANDLER_FAILED'))
          return []
        }
        await new Promise<void>((resolve) => void this.#runtime.timers.after(retryMs, resolve, { background: true }))
      }
    }
    return []
  }
}

/** Operations one by one, for whoever says himself when each has been carried out. */
export class IteratorConsumer implements Consumer, AsyncIterable<AcknowledgedDelivery> {
  readonly tables: readonly string[] = []
  readonly isRestorable = false
  readonly isImmediate = false
  readonly #queue: DeliveryQueue
  readonly #signal: AbortSignal | undefined

  constructor(host: DeliveriesHost, options: WaitOptions) {
    this.#queue = new DeliveryQueue(host)
    this.#signal = options.signal
  }

  get isFull(): boolean {
    return this.#queue.isFull
  }

  async load(): Promise<void> {}

  take(delivery: Delivery, done: Done): void {
    this.#queue.push(delivery, done)
  }

  committing(): () => void {
    return () => {}
  }

  reset(): void {
    this.#queue.clear()
  }

  end(error: PlaitError): void {
    this.#queue.end(error)
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<AcknowledgedDelivery, void> {
    for (;;) {
      let next: Waiting
      try {
        next = await this.#queue.shift(this.#signal)
      } catch (error) {
        if (PlaitError.is(error) && error.code === 'STORE_CLOSED') return
        throw error
      }
      const { delivery, done, epoch } = next
      if (epoch !== this.#queue.epoch) continue
      yield { ...delivery, ack: () => (epoch === this.#queue.epoch ? done([]) : undefined) }
    }
  }
}

/** All tables of the application stand in one of the view's, by the name and the key. */
const applicationTable = 'application'

class HandlerTransaction implements DeliveryTransaction {
  readonly changes: ViewChange[] = []
  readonly #view: View
  readonly #pending: PendingChanges
  readonly #isCurrent: () => boolean

  /** `isCurrent`: whether what the operation leads to can still count. */
  constructor(view: View, pending: PendingChanges, isCurrent: () => boolean) {
    this.#view = view
    this.#pending = pending
    this.#isCurrent = isCurrent
  }

  async read(table: string, key: Uint8Array): Promise<Uint8Array | undefined> {
    const stored = storedKey(table, key)
    const own = this.changes.findLast((change) => bytesEqual(change.key, stored)) ?? this.#pending.find(stored)
    const value = own === undefined ? await this.#view.read(applicationTable, stored) : own.value?.slice()
    // The tables may be of another beginning by now.
    if (!this.#isCurrent()) throw new PlaitError('CANCELLED', 'everything is delivered again, this operation too')
    return value
  }

  put(table: string, key: Uint8Array, value: Uint8Array): void {
    this.changes.push({ table: applicationTable, key: storedKey(table, key), value: value.slice() })
  }

  delete(table: string, key: Uint8Array): void {
    this.changes.push({ table: applicationTable, key: storedKey(table, key), value: undefined })
  }
}

/** What handlers have changed and the view does not show yet. */
class PendingChanges {
  #current = new Map<string, ViewChange>()
  /** On their way into the view, the oldest first. */
  #committing: Map<string, ViewChange>[] = []

  add(changes: readonly ViewChange[]): void {
    for (const change of changes) this.#current.set(encodeHex(change.key), change)
  }

  find(key: Uint8Array): ViewChange | undefined {
    const text = encodeHex(key)
    return this.#current.get(text) ?? this.#committing.findLast((changes) => changes.has(text))?.get(text)
  }

  commit(): () => void {
    const changes = this.#current
    this.#committing.push(changes)
    this.#current = new Map()
    return () => {
      this.#committing = this.#committing.filter((other) => other !== changes)
    }
  }

  clear(): void {
    this.#current.clear()
    this.#committing = []
  }
}

/** The length of the table's name, its name, and the key. */
function storedKey(table: string, key: Uint8Array): Uint8Array {
  const name = new TextEncoder().encode(table)
  const length = new Uint8Array(varintLength(name.length))
  writeVarint(length, 0, name.length)
  return concatBytes([length, name, key])
}
