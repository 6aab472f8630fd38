import { PlaitError } from '../base/error.ts'
import type { NodeId } from '../identity/node-id.ts'
import type { Link, LinkAddress, Transport } from '../link/link.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { Connection } from './connection.ts'
import { Dial } from './dial.ts'
import type { Greeting } from './greeting.ts'
import { KnownAddresses } from './known-addresses.ts'
import { pause } from './waiter.ts'

/** The end that has not dialled the first link leaves the other one this time to dial the next. */
const secondMs = 1_000

export interface DialsOptions {
  readonly transport: Transport
  readonly runtime: Runtime
  /** Says hello over a fresh link. */
  readonly greet: (link: Link, address: LinkAddress) => Greeting
  /** Nobody waits for it any more. */
  readonly giveUp: (greeting: Greeting) => void
}

interface Attempt {
  readonly dial: Dial<Connection>
  readonly resolve: (connection: Connection) => void
  readonly reject: (error: PlaitError) => void
}

/** The dials that are under way, one for each other node: for who wants a session, and for sessions that have lost their link. */
export class Dials {
  readonly #options: DialsOptions
  readonly #dialsById = new Map<NodeId, Dial<Connection>>()
  readonly #redialsById = new Map<NodeId, AbortController>()
  readonly #attempts = new Map<Greeting, Attempt>()
  readonly #known = new KnownAddresses()

  constructor(options: DialsOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#dialsById.size
  }

  has(nodeId: NodeId): boolean {
    return this.#dialsById.has(nodeId)
  }

  /** The addresses of a node in the order in which they are tried. */
  order(nodeId: NodeId, addresses: readonly LinkAddress[]): readonly LinkAddress[] {
    return this.#known.order(nodeId, addresses)
  }

  /** Resolves when there is a session with the node; rejects as `Dial.wait` does. */
  wait(
    nodeId: NodeId,
    addresses: readonly LinkAddress[],
    timeoutMs: number,
    signal: AbortSignal | undefined,
  ): Promise<Connection> {
    let dial = this.#dialsById.get(nodeId)
    if (dial === undefined) {
      dial = this.#create(nodeId)
      this.#dialsById.set(nodeId, dial)
    }
    dial.add(addresses)
    return dial.wait(timeoutMs, signal)
  }

  /** A session has lost its link: looks for a new one, at once or after the other end has had its chance, for `forMs`. */
  redial(
    nodeId: NodeId,
    addresses: readonly LinkAddress[],
    { first, forMs }: { readonly first: boolean; readonly forMs: number },
  ): void {
    if (this.order(nodeId, addresses).length === 0) return
    this.giveUpRedial(nodeId)
    const controller = new AbortController()
    this.#redialsById.set(nodeId, controller)
    void this.#redial(nodeId, addresses, first ? 0 : secondMs, forMs, controller.signal)
  }

  /** The session has ended. */
  giveUpRedial(nodeId: NodeId): void {
    const controller = this.#redialsById.get(nodeId)
    this.#redialsById.delete(nodeId)
    controller?.abort(new PlaitError('LINK_LOST', 'the session has ended'))
  }

  /** There is a session with the node, or it goes on; over a link to `address` when this node has dialled it. */
  succeed(nodeId: NodeId, connection: Connection, address: LinkAddress | undefined): void {
    if (address !== undefined) this.#known.worked(nodeId, address)
    for (const [greeting, attempt] of this.#attempts) {
      if (greeting.remoteId !== nodeId) continue
      this.#attempts.delete(greeting)
      attempt.resolve(connection)
    }
    this.#dialsById.get(nodeId)?.succeed(connection)
    this.giveUpRedial(nodeId)
  }

  /** No session came of a link. */
  failed(greeting: Greeting, error: PlaitError): void {
    const attempt = this.#attempts.get(greeting)
    this.#attempts.delete(greeting)
    attempt?.reject(error)
  }

  /** Ends all dials but those for nodes that `spared` names. */
  stop(error: PlaitError, spared: (nodeId: NodeId) => boolean): void {
    for (const [nodeId, dial] of [...this.#dialsById]) if (!spared(nodeId)) dial.fail(error)
    for (const nodeId of [...this.#redialsById.keys()]) if (!spared(nodeId)) this.giveUpRedial(nodeId)
  }

  async #redial(
    nodeId: NodeId,
    addresses: readonly LinkAddress[],
    delayMs: number,
    forMs: number,
    signal: AbortSignal,
  ): Promise<void> {
    try {
      const { timers, probe } = this.#options.runtime
      if (delayMs > 0) {
        await pause(delayMs, timers, signal)
        probe.sometimes('redialled by the other end')
      }
      await this.wait(nodeId, addresses, forMs, signal)
    } catch {
      // The session ends when its own window does; until then the other end may come.
    }
  }

  #create(nodeId: NodeId): Dial<Connection> {
    const { runtime, transport } = this.#options
    const dial: Dial<Connection> = new Dial({
      remoteId: nodeId,
      link: (address, signal) => transport.dial(address, { remoteId: nodeId, signal }),
      greet: (link, address) => this.#greet(link, address, dial),
      known: this.#known,
      timers: runtime.timers,
      random: runtime.random,
      ended: () => this.#ended(nodeId, dial),
    })
    return dial
  }

  #greet(link: Link, address: LinkAddress, dial: Dial<Connection>): Promise<Connection> {
    const greeting = this.#options.greet(link, address)
    return new Promise((resolve, reject) => {
      this.#attempts.set(greeting, { dial, resolve, reject })
    })
  }

  /**
   * Nobody waits any more: what the dial has begun ends, unless it has led to a session, or will: the other side may have opened
   * circuits already on a link that was confirmed here.
   */
  #ended(nodeId: NodeId, dial: Dial<Connection>): void {
    this.#dialsById.delete(nodeId)
    for (const [greeting, attempt] of [...this.#attempts]) if (attempt.dial === dial) this.#options.giveUp(greeting)
  }
}
