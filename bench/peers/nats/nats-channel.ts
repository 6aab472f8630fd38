import type { Msg, NatsConnection } from '@nats-io/transport-node'
import { guarded } from '../guarded.ts'
import { outgoing } from '../outgoing.ts'
import type { Channel, Handler, Outlet } from '../peer.ts'
import { Waiters } from '../waiters.ts'

const nothing = new Uint8Array(0)
const patienceMs = 120_000
/** After so many bytes a sender asks its receiver to answer; it goes on until two such questions are open. */
const spanBytes = 512 * 1024
const spansMost = 2

/**
 * A subject each way. NATS has no flow control between two clients, and a server that holds too much for a slow one ends its connection:
 * so senders here ask now and then whether all has arrived.
 */
export class NatsChannel implements Channel {
  readonly #connection: NatsConnection
  readonly #subject: string
  readonly #waiters = new Waiters()
  #handler: Handler = () => {}
  #bytes = 0
  #spans = 0

  constructor(connection: NatsConnection, sendTo: string, receiveFrom: string) {
    this.#connection = connection
    this.#subject = sendTo
    connection.subscribe(receiveFrom, { callback: (_error, message) => this.take(message) })
  }

  /** Also for what comes by another subject. */
  take(message: Msg): void {
    if (message.reply) message.respond()
    else this.#handler(message.data, 0, message.data.length)
  }

  send(bytes: Uint8Array, start?: number, end?: number): boolean {
    const message = outgoing(bytes, start, end)
    this.#connection.publish(this.#subject, message)
    this.#bytes += message.length
    if (this.#bytes >= spanBytes) void this.#endSpan()
    return this.#spans < spansMost
  }

  ready(): Promise<void> {
    return this.#spans < spansMost ? Promise.resolve() : this.#waiters.wait()
  }

  receive(handler: Handler): void {
    this.#handler = guarded(handler)
  }

  async #endSpan(): Promise<void> {
    this.#bytes = 0
    this.#spans += 1
    await this.#connection.request(this.#subject, nothing, { timeout: patienceMs })
    this.#spans -= 1
    this.#waiters.wake()
  }
}

/** One subject to which all receivers of a broadcast have subscribed: the server copies. */
export class NatsBroadcast implements Outlet {
  readonly #connection: NatsConnection
  readonly #subject: string
  #bytes = 0

  constructor(connection: NatsConnection, subject: string) {
    this.#connection = connection
    this.#subject = subject
  }

  send(bytes: Uint8Array): boolean {
    this.#connection.publish(this.#subject, outgoing(bytes))
    this.#bytes += bytes.length
    return this.#bytes < spanBytes
  }

  ready(): Promise<void> {
    this.#bytes = 0
    return this.#connection.flush()
  }
}
