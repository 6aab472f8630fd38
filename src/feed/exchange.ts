import { concatBytes } from '../base/bytes.ts'
import { PlaitError } from '../base/error.ts'
import type { Circuit } from '../circuit/circuit-api.ts'
import { publicKeyFromNodeId, type NodeId } from '../identity/node-id.ts'
import { bidFarewell } from '../node/farewell.ts'
import type { Admission, Peer, PlaitNode } from '../node/node-api.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { Timer } from '../runtime/timers.ts'
import { TurnShare } from './turn-share.ts'
import type { RemotePeer, RemotePort } from './sync/shared-feed.ts'
import type { Synchronizer } from './sync/synchronizer.ts'

/** The service by which nodes exchange feeds, and the one instance of it that a node has. */
export const feedService = 'plait.feeds'
export const feedPeerId = 'feeds'

/** How often what does not move is looked for, while anything should. */
const tickMs = 250

export interface ExchangeOptions {
  readonly node: PlaitNode
  readonly runtime: Runtime
  readonly synchronizer: Synchronizer
  readonly open: Admission
  /** Whether nothing is to be done however much time passes. */
  readonly isIdle: () => boolean
}

/** A circuit over which feeds are exchanged. */
interface Channel {
  readonly circuit: Circuit
  readonly remote: RemotePeer
  /** By the node with the smaller id: of two circuits between the same nodes that one stays. */
  readonly isByChair: boolean
}

/** The circuits of a node over which feeds are exchanged: one for each other node. */
export class Exchange {
  readonly peer: Peer
  readonly #options: ExchangeOptions
  readonly #channelsByNode = new Map<string, Channel>()
  #timer: Timer | undefined
  #isClosed = false

  constructor(options: ExchangeOptions) {
    this.#options = options
    this.peer = options.node.peer(feedService, { id: feedPeerId, open: options.open })
    void this.#accept()
  }

  /** Whether there is a circuit to a node. */
  isJoined(nodeId: NodeId): boolean {
    return this.#channelsByNode.has(nodeId)
  }

  /** Takes a circuit that was opened here. */
  join(circuit: Circuit): void {
    this.#join(circuit, true)
  }

  /**
   * Ends the circuit to a node, in a later turn, when what is under way is done: who has dialled opens a new one, on which everything is
   * said from the beginning.
   */
  renew(remoteId: string): void {
    const channel = this.#channelsByNode.get(remoteId)
    void Promise.resolve().then(() => channel && this.#leave(remoteId, channel))
  }

  /** Something may have to be looked after from now on. */
  wake(): void {
    if (this.#timer !== undefined || this.#isClosed || this.#channelsByNode.size === 0) return
    if (this.#options.isIdle()) return
    this.#timer = this.#options.runtime.timers.after(tickMs, () => this.#tick(), { background: true })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#timer?.cancel()
    this.#timer = undefined
    for (const { remote } of this.#channelsByNode.values()) this.#options.synchronizer.disconnect(remote, this.#now)
    this.#channelsByNode.clear()
    await bidFarewell(this.peer, this.#options.runtime.timers)
  }

  get #now(): number {
    return this.#options.runtime.clock.now()
  }

  async #accept(): Promise<void> {
    for await (const circuit of this.peer.incoming) this.#join(circuit, false)
  }

  #join(circuit: Circuit, isOurs: boolean): void {
    const { localId, remoteId, sessionId } = circuit.context
    const isChair = localId < remoteId
    const isByChair = isOurs === isChair
    const present = this.#channelsByNode.get(remoteId)
    if (this.#isClosed || (present?.isByChair === true && !isByChair)) {
      if (!this.#isClosed) this.#options.runtime.probe.sometimes('circuit for feeds was one too many')
      void circuit.close({ message: 'there is another circuit for feeds' })
      return
    }
    if (present !== undefined) {
      if (isByChair && !present.isByChair)
        this.#options.runtime.probe.sometimes('circuit for feeds gave way to the one of the chair')
      this.#leave(remoteId, present)
    }
    const ids = [localId, remoteId].sort().map((id) => publicKeyFromNodeId(id as NodeId))
    const { synchronizer } = this.#options
    const port = new ChannelPort(circuit, () => this.#ready(circuit))
    const role = isChair ? 'chair' : 'guest'
    const binding = concatBytes([sessionId, ...ids])
    const connected = synchronizer.connect(port, { id: remoteId, binding, role }, this.#now)
    if (connected === undefined) {
      circuit.abort(new PlaitError('BUSY', 'this node was ended for a fault a short while ago; try again later'))
      return
    }
    const channel = { circuit, remote: connected, isByChair }
    this.#channelsByNode.set(remoteId, channel)
    void circuit.closed.then(() => this.#leave(remoteId, channel))
    void this.#receive(circuit, connected)
    this.wake()
  }

  /** Reads, instead of being handed lent bytes, so that blocks are kept as they have come. */
  async #receive(circuit: Circuit, remote: RemotePeer): Promise<void> {
    const share = new TurnShare(this.#options.runtime)
    try {
      for (let fragment = await circuit.read(); fragment !== undefined; fragment = await circuit.read()) {
        this.#options.synchronizer.receive(remote, fragment.op, fragment.payload, this.#now)
        this.wake()
        if (share.isUsed) await share.nextTurn()
      }
    } catch (error) {
      if (!PlaitError.is(error)) throw error
    }
  }

  #ready(circuit: Circuit): void {
    const channel = this.#channelsByNode.get(circuit.context.remoteId)
    if (channel?.circuit !== circuit) return
    this.#options.synchronizer.ready(channel.remote, this.#now)
    this.wake()
  }

  /** The circuit is gone, or another one is in its place. */
  #leave(remoteId: string, channel: Channel): void {
    if (this.#channelsByNode.get(remoteId) !== channel) return
    this.#channelsByNode.delete(remoteId)
    this.#options.synchronizer.disconnect(channel.remote, this.#now)
    void channel.circuit.close({ message: 'another circuit for feeds takes its place' })
  }

  #tick(): void {
    this.#timer = undefined
    this.#options.synchronizer.tick(this.#now)
    this.wake()
  }
}

/** The way from the synchronizer into a circuit. */
class ChannelPort implements RemotePort {
  readonly #circuit: Circuit
  readonly #ready: () => void
  #isWaiting = false

  constructor(circuit: Circuit, ready: () => void) {
    this.#circuit = circuit
    this.#ready = ready
  }

  send(op: number, payload: Uint8Array): boolean {
    try {
      if (this.#circuit.send({ op, payload })) return true
    } catch (error) {
      // It has ended, or the other side takes nothing: its end is told to everybody who has to know.
      this.#circuit.abort(error)
      return false
    }
    if (!this.#isWaiting) void this.#wait()
    return false
  }

  end(error: PlaitError): void {
    this.#circuit.abort(error)
  }

  async #wait(): Promise<void> {
    this.#isWaiting = true
    try {
      await this.#circuit.ready()
    } catch {
      return
    } finally {
      this.#isWaiting = false
    }
    this.#ready()
  }
}
