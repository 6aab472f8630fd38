import type { PlaitError } from '../base/error.ts'
import type { Limits } from '../base/limits.ts'
import type { Circuit, Section, WaitOptions } from '../circuit/circuit-api.ts'
import type { Identity } from '../identity/identity.ts'
import type { NodeId } from '../identity/node-id.ts'
import type { Transport } from '../link/link.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { FragmentFields } from '../wire/fragment.ts'

export interface NodeOptions {
  /** Where the key is kept (made when missing). Without it the node has a key for its lifetime only. */
  readonly keyFile?: string
  /** A key that is open already, instead of `keyFile`; it stays the caller's to close, after the node. */
  readonly identity?: Identity
  /** `tcp://HOST:PORT`; port 0 picks a free one. */
  readonly listen?: readonly string[]
  /**
   * The pre-shared key of a private network: 32 random bytes (`plait psk`). Only nodes with the same key get a session with this one;
   * others are refused with `WRONG_NETWORK`, those without a key too.
   */
  readonly networkKey?: Uint8Array
  /** What the application is called, told to the other side. */
  readonly application?: { readonly name: string; readonly version: string }
  /** Sessions that others may open here; the next one is refused with `TOO_MANY_SESSIONS`. The limit on all sessions when absent. */
  readonly maxInbound?: number
  /** Sessions and dials from here; past it `open` fails with `TOO_MANY_SESSIONS`. The limit on all sessions when absent. */
  readonly maxOutbound?: number
  /** How long an `open` without `timeoutMs` goes on trying to reach the other node. 10,000 when absent. */
  readonly dialTimeoutMs?: number
  /**
   * How long a session that has lost its link waits for a new one before its circuits end with `LINK_LOST`; it counts from the
   * moment when this end has noticed. 0: a session ends with its link. 30,000 when absent.
   */
  readonly resumeMs?: number
  readonly limits?: Partial<Limits>
  /** Doors for tests and other transports; the defaults are the system's, and TLS over TCP. */
  readonly runtime?: Runtime
  /** URLs are dialled with the first; `listen` finds its transport by scheme. */
  readonly transports?: TransportFactory
}

/** Makes a node's transports; called once, with what the node is made of. */
export type TransportFactory = (parts: TransportParts) => readonly Transport[]

export interface TransportParts {
  readonly identity: Identity
  readonly limits: Limits
  readonly runtime: Runtime
  /** To be told of every connection that came in and did not become a link; it is counted in `stats().sessions.refused`. */
  readonly refused: (error: PlaitError, remoteAddress: string) => void
}

/** Who may do something: everyone, or these nodes. Absent: nobody. */
export type Admission = 'anyone' | readonly NodeId[]

export interface ServiceOptions {
  /** Who may open circuits to instances. */
  readonly open?: Admission
  /** Who may start instances from afar; by `startRemote`, or by opening a circuit when none is running. */
  readonly start?: Admission
  /** Instances at a time; one more is refused with `BUSY`. No limit when absent. */
  readonly limit?: number
  /** A safe integer above 0. Who asks for another one is refused with `VERSION_MISMATCH`. */
  readonly version?: number
}

export interface PeerOptions {
  /** A fixed id instead of a random one, 1 to 255 bytes; `INVALID_ARGUMENT` when a live peer of that name has it. */
  readonly id?: string
  /** Who may open circuits to this peer. When absent: the nodes with which it shares a circuit that was opened from here. */
  readonly open?: Admission
}

/**
 * A service's code; one call for each instance. The instance takes circuits for as long as it runs, and is gone when the
 * promise has settled and its circuits are closed. A rejection resets them with `SERVICE_FAILED` and is reported as an event.
 */
export type Service = (peer: Peer) => Promise<void>

/** One running instance of a service, or a name from which circuits are opened. */
export interface Peer extends AsyncDisposable {
  readonly id: string
  readonly name: string
  readonly url: string
  /** Circuits that others open to this peer; each is accepted when it is taken from here. Ends with the peer. */
  readonly incoming: AsyncIterable<Circuit>
  /** Open circuits of this peer, opened by either side. */
  readonly circuits: ReadonlySet<Circuit>
  /** Fires when the peer is closed or the node ends. */
  readonly signal: AbortSignal
  /**
   * Opens a circuit to `plait://NODEID@HOST:PORT/SERVICE[/PEERID]`; resolves when it is accepted. `first` travels with the
   * request. Without a peer id the running instance is meant, else one is started, if allowed, by the same request.
   * Rejects with `INVALID_ADDRESS`, `UNREACHABLE` (no node answered in time), `WRONG_KEY`, `SELF_DIAL`, `TOO_MANY_SESSIONS`,
   * `VERSION_MISMATCH`, `UNKNOWN_SERVICE`, `UNKNOWN_PEER`, `FORBIDDEN`, `BUSY`, `NOT_ACCEPTED`, `SERVICE_FAILED`, `TIMEOUT`
   * (reached, but no answer in time), `LINK_LOST`, `NODE_CLOSED`, or the signal's reason.
   */
  open(url: string, first?: FragmentFields, options?: OpenOptions): Promise<Circuit>
  /** Refuses what waits in `incoming`, closes its circuits in order, and resolves when they have ended. Idempotent. */
  close(): Promise<void>
}

export interface OpenOptions extends WaitOptions {
  /** From the call until the circuit is accepted. The node's `dialTimeoutMs` until the other node is reached when absent. */
  readonly timeoutMs?: number
  /** The version of the service that is asked for; any when absent. */
  readonly version?: number
}

/** What a node reports of itself, as `CustomEvent`s with these details. */
export interface NodeEventDetails {
  /** A session with another node is ready. */
  readonly session: { readonly remoteId: NodeId; readonly dialled: boolean }
  /** It is over; without an error when both sides ended it in order. */
  readonly sessionend: { readonly remoteId: NodeId; readonly error: PlaitError | undefined }
  /** Nothing was heard from the other node for some heartbeats. */
  readonly suspect: { readonly remoteId: NodeId }
  /** It was heard again. */
  readonly recovered: { readonly remoteId: NodeId }
  /** The link is lost. The session goes on over a new one, if there is one in time; its circuits notice nothing but the delay. */
  readonly lost: { readonly remoteId: NodeId }
  /** The session goes on over a new link. */
  readonly resumed: { readonly remoteId: NodeId }
  /** The function of a service has thrown; `error` is what it threw. */
  readonly servicefailed: { readonly service: string; readonly peerId: string; readonly error: unknown }
}

export type NodeEventName = keyof NodeEventDetails

type ListenerOptions = Parameters<EventTarget['addEventListener']>[2]

/** An `EventTarget` whose events have their types. */
export interface NodeEvents {
  addEventListener<Name extends NodeEventName>(
    name: Name,
    listener: (event: CustomEvent<NodeEventDetails[Name]>) => void,
    options?: ListenerOptions,
  ): void
  addEventListener(...other: Parameters<EventTarget['addEventListener']>): void
  removeEventListener<Name extends NodeEventName>(
    name: Name,
    listener: (event: CustomEvent<NodeEventDetails[Name]>) => void,
    options?: ListenerOptions,
  ): void
  removeEventListener(...other: Parameters<EventTarget['removeEventListener']>): void
  dispatchEvent(event: Event): boolean
}

export interface PlaitNode extends NodeEvents, AsyncDisposable {
  readonly id: NodeId
  /** What it was made with, for layers above. */
  readonly runtime: Runtime
  readonly limits: Limits
  /**
   * The 64 bytes of a signature by the node's key. What is signed has to begin with words of its own that say what it is for, so that it
   * can be taken for nothing else.
   */
  sign(statement: Uint8Array): Uint8Array
  /** Addresses it listens on, as `plait://NODEID@HOST:PORT`. */
  readonly addresses: readonly string[]
  /** Throws `INVALID_ARGUMENT` when the name is taken. */
  register(name: string, options: ServiceOptions, service: Service): void
  /** No new instances and no new circuits by this name; running instances go on. */
  unregister(name: string): void
  /** A new instance of a service registered here; rejects with `UNKNOWN_SERVICE` or `BUSY`. */
  start(name: string): Promise<Peer>
  /** A new instance of a service at `address` (`plait://NODEID@HOST:PORT`); resolves to its URL. */
  startRemote(address: string, name: string, options?: OpenOptions): Promise<string>
  /** A peer without a function of its own; it lives until it is closed. */
  peer(name: string, options?: PeerOptions): Peer
  /** State of a layer that all of the node shares, made when it is first asked for; `stats` shows what it reads. */
  section<Part extends Section>(name: string, create: () => Part): Part
  stats(): NodeStats
  snapshot(): NodeSnapshot
  /**
   * Stops listening, closes peers and their circuits in order, and resolves when all that was sent is acknowledged and the
   * sessions have ended; what has not ended after 5 s, or when the signal fires, is aborted. Idempotent; never rejects.
   */
  close(options?: WaitOptions): Promise<void>
  /** Ends everything at once. Idempotent. */
  abort(reason?: PlaitError): void
}

/** Counters since the node began; gauges where the name says `open` or `live`. */
export interface NodeStats {
  readonly sessions: {
    readonly opened: number
    readonly closed: number
    readonly live: number
    readonly refused: number
  }
  readonly circuits: {
    readonly opened: number
    readonly closed: number
    readonly live: number
    readonly refused: number
  }
  readonly fragments: {
    readonly sent: number
    readonly received: number
    readonly errorsSent: number
    readonly errorsReceived: number
  }
  readonly bytes: { readonly sent: number; readonly received: number }
  readonly writes: number
  /** What the layers above count, by their names: `messages`, `topics`. */
  readonly sections: Readonly<Record<string, unknown>>
}

export interface NodeSnapshot {
  readonly id: NodeId
  readonly addresses: readonly string[]
  readonly budget: { readonly usedBytes: number; readonly limitBytes: number }
  readonly peers: readonly PeerSnapshot[]
  readonly sessions: readonly SessionSnapshot[]
}

export interface PeerSnapshot {
  readonly id: string
  readonly name: string
  readonly url: string
  readonly circuits: number
  readonly waiting: number
}

export interface SessionSnapshot {
  readonly remoteId: NodeId
  readonly remoteAddress: string
  readonly state: 'connecting' | 'ready' | 'suspect' | 'lost' | 'closing' | 'closed'
  readonly dialled: boolean
  readonly chair: boolean
  readonly roundTripMs: number | undefined
  readonly accountBytes: number
  readonly unacknowledgedBytes: number
  readonly framesSent: number
  readonly framesAcknowledged: number
  readonly framesReceived: number
  /** Links that have carried it after the first. */
  readonly resumes: number
  readonly bytesSent: number
  readonly bytesReceived: number
  readonly features: readonly string[]
  readonly circuits: readonly CircuitSnapshot[]
}

export interface CircuitSnapshot {
  readonly id: number
  readonly state: string
  readonly local: string
  readonly remote: string
  readonly bufferedBytes: number
  readonly unreadBytes: number
  readonly unreadFragments: number
  readonly windowBytes: number
  readonly creditBytes: number
  readonly fragmentsSent: number
  readonly fragmentsReceived: number
  readonly errorsUnread: number
  readonly errorsDropped: number
}
