import type { PlaitError } from '../base/error.ts'
import type { Limits } from '../base/limits.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { FragmentArgs, FragmentFields, WireError } from '../wire/fragment.ts'

/** One message as it arrived. */
export interface Fragment {
  readonly op: number
  readonly subject: string
  readonly part: number
  readonly args: FragmentArgs
  /** Belongs to the receiver, except inside a `receive` handler without `keep`, where it is lent until the handler returns. */
  readonly payload: Uint8Array
  /** Position among the fragments of this direction of the circuit, from 0. */
  readonly serial: number
}

/** An error fragment; it travels apart from the others and stalls nobody. */
export interface ErrorFragment extends Omit<Fragment, never> {
  readonly error: WireError
}

/** Why a circuit ended. `code` 0 and no message: no reason was given. The number is the application's in a close. */
export interface CloseReason {
  readonly code: number
  readonly message: string
  /** Set when the circuit did not end in order: it was refused, reset, or lost its session. */
  readonly error?: PlaitError
}

export interface SendOptions {
  /** Copies `payload`, so that the caller may reuse it at once. Else it belongs to the circuit until it is acknowledged. */
  readonly copy?: boolean
}

export interface WaitOptions {
  readonly signal?: AbortSignal
}

export interface ReceiveOptions {
  /** Payloads belong to the handler, as those that are read do: each is copied unless it has memory of its own. */
  readonly keep?: boolean
}

/** What a protocol that runs on a circuit needs of the node around it. */
export interface CircuitContext {
  readonly localId: string
  readonly remoteId: string
  /** 16 random bytes that only the two ends of the session know, the same at both; new for each session. */
  readonly sessionId: Uint8Array
  readonly runtime: Runtime
  readonly limits: Limits
  /** State of a layer that all circuits of a node share, made when it is first asked for; `node.stats()` shows what it reads. */
  section<Part extends Section>(name: string, create: () => Part): Part
}

/** A part of what a node says of itself. */
export interface Section {
  /** Plain values, fit for JSON. */
  read(): unknown
}

export type CircuitState = 'opening' | 'open' | 'closing' | 'closed'

/** A bidirectional, ordered, flow-controlled channel between two peers. It lives until it is closed. */
export interface Circuit extends AsyncIterable<Fragment>, AsyncDisposable {
  readonly id: number
  readonly state: CircuitState
  /** URL of the peer at this end, and of the one at the other end. */
  readonly local: string
  readonly remote: string
  /** Resolves when the circuit has ended, whichever way; never rejects. */
  readonly closed: Promise<CloseReason>
  /** Fires with the circuit's end: at once on a reset, else when the reader has reached it. */
  readonly signal: AbortSignal
  readonly errors: CircuitErrors
  readonly context: CircuitContext
  /** Bytes taken by `send` that have not left yet. */
  readonly bufferedBytes: number
  /** The longest payload that the other side takes. */
  readonly payloadBytesMax: number

  /**
   * Takes a fragment; never blocks, never drops. Returns whether the buffer is below its mark: when false, wait for `ready`.
   * Throws `BUFFER_FULL` past the hard limit, `FRAGMENT_TOO_LARGE`, and `CIRCUIT_CLOSED` after `end` or `close`.
   */
  send(fragment: FragmentFields, options?: SendOptions): boolean
  /** Resolves when the send buffer is below its mark. */
  ready(options?: WaitOptions): Promise<void>
  /** The next fragment, or undefined when the other side has ended. Rejects when the circuit was reset. */
  read(options?: WaitOptions): Promise<Fragment | undefined>
  /** The callback door, for speed: every fragment from now on goes to `handler`, and `read` may no longer be used. */
  receive(handler: (fragment: Fragment) => void, options?: ReceiveOptions): void
  /**
   * Shuts the callback door: what still comes waits unread, and its credit with it, until `receive` opens the door again. The end of
   * the circuit in order waits too.
   */
  pause(): void
  /**
   * What a `receive` handler keeps, in bytes: they are charged to the session until `release`, so that the remote cannot make this
   * node hold more than its account allows. The circuit may have been reset when this returns.
   */
  hold(bytes: number): void
  release(bytes: number): void
  /** One more circuit to the same peer. */
  open(first?: FragmentFields, options?: WaitOptions): Promise<Circuit>
  /** Nothing more will be sent from here; the other direction stays usable. Idempotent. */
  end(): void
  /** Stops reading, sends what was taken, then ends the circuit with `reason`. Resolves when all has left. Idempotent. */
  close(reason?: Partial<CloseReason>): Promise<void>
  /** Ends the circuit at once; what has not left is dropped. Idempotent. */
  abort(reason?: unknown): void
}

/** Unread errors: the last 64 are kept, older ones counted. */
export interface CircuitErrors extends AsyncIterable<ErrorFragment> {
  readonly unread: number
  readonly dropped: number
  read(options?: WaitOptions): Promise<ErrorFragment | undefined>
}
