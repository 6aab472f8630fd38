import { PlaitError } from '../base/error.ts'
import type { Circuit } from '../circuit/circuit-api.ts'
import type { NodeId } from '../identity/node-id.ts'
import { bidFarewell } from '../node/farewell.ts'
import type { Admission, Peer, PlaitNode } from '../node/node-api.ts'
import { formatUrl, parseAddress, parseUrl } from '../node/url.ts'
import type { Runtime } from '../runtime/runtime.ts'

/** The service by which members speak with each other; its peer ids are the names of networks. */
export const topicsService = 'plait.topics'

export interface ExchangeOptions {
  readonly node: PlaitNode
  readonly runtime: Runtime
  readonly network: string
  readonly open: Admission
  /** `HOST:PORT` of a member, as far as is known. */
  readonly addressesOf: (id: NodeId) => readonly string[]
  readonly receive: (from: NodeId, op: number, payload: Uint8Array) => void
  /** Nothing leads to a member, or what was on the way to it is gone. */
  readonly failed: (id: NodeId) => void
  readonly ready: (id: NodeId) => void
}

/** What waits for a circuit to open. */
interface Waiting {
  readonly messages: { readonly op: number; readonly payload: Uint8Array }[]
  bytes: number
}

interface Channel {
  readonly circuit: Circuit
  /** By the node with the smaller id: of two circuits between the same nodes that one stays. */
  readonly isByChair: boolean
  isWaiting: boolean
}

/** For one member, and for all together. */
const waitingBytesMax = 1024 * 1024
const allWaitingBytesMax = 8 * 1024 * 1024
const waitingMax = 1_024
const dialTimeoutMs = 5_000
/** Who could not be reached is not dialled again before. */
const pauseMs = 500

/** The circuits of a node to other members: opened when there is something to say, one to each. */
export class Exchange {
  readonly peer: Peer
  readonly #options: ExchangeOptions
  readonly #channelsById = new Map<NodeId, Channel>()
  readonly #waitingById = new Map<NodeId, Waiting>()
  readonly #failedAtById = new Map<NodeId, number>()
  #waitingBytes = 0
  #isClosed = false

  constructor(options: ExchangeOptions) {
    this.#options = options
    this.peer = options.node.peer(topicsService, { id: options.network, open: options.open })
    void this.#accept()
  }

  get connected(): readonly NodeId[] {
    return [...this.#channelsById.keys()]
  }

  hasWay(id: NodeId): boolean {
    return this.#channelsById.has(id)
  }

  /** Opens a circuit to the member at an address, `plait://NODEID@HOST:PORT`. Rejects as `Peer.open` does. */
  async join(address: string, signal: AbortSignal): Promise<NodeId> {
    const { nodeId } = parseUrl(address)
    if (!this.#channelsById.has(nodeId)) {
      const url = formatUrl({ ...parseUrl(address), service: topicsService, peerId: this.#options.network })
      this.#join(await this.peer.open(url, undefined, { signal, timeoutMs: dialTimeoutMs }), true)
    }
    return nodeId
  }

  /** Returns whether there is room for more. */
  send(to: NodeId, op: number, payload: Uint8Array): boolean {
    const channel = this.#channelsById.get(to)
    if (channel === undefined) return this.#wait(to, op, payload)
    try {
      if (channel.circuit.send({ op, payload })) return true
    } catch (error) {
      // It has ended, or the other side takes nothing: its end is told to everybody who has to know.
      channel.circuit.abort(error)
      return false
    }
    if (!channel.isWaiting) void this.#awaitRoom(to, channel)
    return false
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#waitingById.clear()
    await bidFarewell(this.peer, this.#options.runtime.timers)
  }

  #wait(to: NodeId, op: number, payload: Uint8Array): boolean {
    if (this.#isClosed) return false
    let waiting = this.#waitingById.get(to)
    if (waiting === undefined) {
      waiting = { messages: [], bytes: 0 }
      this.#waitingById.set(to, waiting)
      void this.#dial(to)
    }
    if (waiting.bytes + payload.length > waitingBytesMax || waiting.messages.length >= waitingMax) return false
    if (this.#waitingBytes + payload.length > allWaitingBytesMax) return false
    waiting.messages.push({ op, payload })
    waiting.bytes += payload.length
    this.#waitingBytes += payload.length
    return waiting.bytes < waitingBytesMax / 2
  }

  async #dial(to: NodeId): Promise<void> {
    const { network, runtime, addressesOf } = this.#options
    try {
      const pauseLeftMs = (this.#failedAtById.get(to) ?? -Infinity) + pauseMs - runtime.clock.now()
      if (pauseLeftMs > 0) await this.#pause(pauseLeftMs)
      if (this.#channelsById.has(to) || this.#isClosed) return
      const addresses = addressesOf(to).map(parseAddress)
      const url = formatUrl({ nodeId: to, addresses, service: topicsService, peerId: network })
      const circuit = await this.peer.open(url, undefined, { timeoutMs: dialTimeoutMs })
      this.#failedAtById.delete(to)
      this.#join(circuit, true)
    } catch (error) {
      if (!PlaitError.is(error)) throw error
      this.#noteFailure(to)
      if (this.#takeWaiting(to) !== undefined && !this.#isClosed) this.#options.failed(to)
    }
  }

  #noteFailure(to: NodeId): void {
    this.#failedAtById.delete(to)
    this.#failedAtById.set(to, this.#options.runtime.clock.now())
    for (const oldest of this.#failedAtById.keys()) {
      if (this.#failedAtById.size <= waitingMax) return
      this.#failedAtById.delete(oldest)
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#options.runtime.timers.after(ms, resolve, { background: true })
    })
  }

  async #accept(): Promise<void> {
    for await (const circuit of this.peer.incoming) this.#join(circuit, false)
  }

  #join(circuit: Circuit, isOurs: boolean): void {
    const { localId, remoteId } = circuit.context
    const id = remoteId as NodeId
    const isByChair = isOurs === localId < remoteId
    if (this.#isClosed) {
      void circuit.close({ message: 'these topics are closed' })
      return
    }
    circuit.receive(({ op, payload }) => this.#receive(id, circuit, op, payload), { keep: true })
    const present = this.#channelsById.get(id)
    if (present?.isByChair === true && !isByChair) {
      this.#retire(circuit)
      return
    }
    const channel: Channel = { circuit, isByChair, isWaiting: false }
    this.#channelsById.set(id, channel)
    if (present !== undefined) this.#retire(present.circuit)
    void circuit.closed.then(() => this.#leave(id, channel))
    this.#sendWaiting(id)
  }

  /** Another circuit takes its place: what is under way on it in either direction still arrives. */
  #retire(circuit: Circuit): void {
    this.#options.runtime.probe.sometimes('circuit for topics was one too many')
    circuit.end()
  }

  /** What was received is kept for others: it must not keep the memory of much else. */
  #receive(from: NodeId, circuit: Circuit, op: number, payload: Uint8Array): void {
    try {
      const isAlone = payload.length * 2 > payload.buffer.byteLength
      this.#options.receive(from, op, isAlone ? payload : payload.slice())
    } catch (error) {
      if (!PlaitError.is(error)) throw error
      circuit.abort(error)
    }
  }

  #sendWaiting(id: NodeId): void {
    for (const { op, payload } of this.#takeWaiting(id)?.messages ?? []) this.send(id, op, payload)
    this.#options.ready(id)
  }

  #takeWaiting(id: NodeId): Waiting | undefined {
    const waiting = this.#waitingById.get(id)
    this.#waitingById.delete(id)
    this.#waitingBytes -= waiting?.bytes ?? 0
    return waiting
  }

  #leave(id: NodeId, channel: Channel): void {
    if (this.#channelsById.get(id) !== channel) return
    this.#channelsById.delete(id)
    if (!this.#isClosed) this.#options.failed(id)
  }

  async #awaitRoom(id: NodeId, channel: Channel): Promise<void> {
    channel.isWaiting = true
    try {
      await channel.circuit.ready()
    } catch {
      return
    } finally {
      channel.isWaiting = false
    }
    if (this.#channelsById.get(id) === channel) this.#options.ready(id)
  }
}
