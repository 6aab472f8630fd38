/** Takes one whole message: the bytes of `bytes` from `start` to `end`, lent until it returns. */
export type Handler = (bytes: Uint8Array, start: number, end: number) => void

/** One ordered stream of messages in both directions: a circuit of plait, a numbered stream of the raw rows. */
export interface Channel {
  /**
   * Sends the message that stands in `bytes` from `start` to `end`. Messages shorter than `keptBytes` are copied before it returns;
   * longer ones are kept and must not change. False when the sender should wait for `ready`.
   */
  send(bytes: Uint8Array, start?: number, end?: number): boolean
  ready(): Promise<void>
  /** Everything that arrives goes to `handler`. Called once, in the turn in which the channel was opened or accepted. */
  receive(handler: Handler): void
  /** Asks for the same message back, by requests of the peer's own; where it has none the workload matches answers itself. */
  request?(bytes: Uint8Array): Promise<Uint8Array>
  /** The other end of `request`: answers each with what it said. */
  echo?(): void
}

/** Where messages can be sent to. */
export type Outlet = Pick<Channel, 'send' | 'ready'>

/** One connection as the dialling end sees it. */
export interface Connection {
  /** One more channel over this connection; `first` travels with the opening where the peer can do that. */
  open(first?: Uint8Array): Promise<Channel>
}

/** What one node of this process knows of its sessions; how a run proves that nothing was switched off. */
export interface NodeProof {
  readonly id: string
  readonly sessions: readonly SessionProof[]
}

export interface SessionProof {
  readonly remoteId: string
  readonly state: string
  readonly features: readonly string[]
  readonly framesAcknowledged: number
  readonly circuits: number
  /** The smallest credit window among its circuits. */
  readonly windowBytesMin: number
}

/** A way to talk between two processes, reduced to what the workloads need. */
export interface Peer {
  /** Name and version of what carries the messages. */
  readonly version: string
  /** What a reader must know about how it is set up. */
  readonly settings: string
  /** Resolves to the address that `dial` of the other process takes. */
  listen(accept: (channel: Channel) => void): Promise<string>
  /** A new connection, from a node of its own where there are nodes. */
  dial(address: string): Promise<Connection>
  /** Other processes of this end, whose CPU time and memory count as its own: a server in the middle. */
  readonly otherPids?: readonly number[]
  /** Sends to all of these channels at once, where there is a way to do that; else a workload sends to each. */
  broadcast?(channels: readonly Channel[]): Outlet
  /** Resolves when connections that come by themselves have come, as far as they hold up what is measured. */
  settled?(): Promise<void>
  /** Empty where there is nothing to prove. */
  proof(): Promise<readonly NodeProof[]>
}

/** What each file of this folder exports as `createPeer`. */
export type CreatePeer = () => Peer

/** From this length on messages are not copied by any row. */
export const keptBytes: number = 16 * 1024
