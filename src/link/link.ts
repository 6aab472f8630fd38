import type { PlaitError } from '../base/error.ts'
import type { NodeId } from '../identity/node-id.ts'

/** An authenticated, ordered pipe of bytes to one other node. All a new transport has to offer. */
export interface Link {
  /** Proven by the transport before the link exists. */
  readonly remoteId: NodeId
  /** 32 bytes that both ends of this very channel know and no other channel has (TLS: exported keying material). */
  readonly binding: Uint8Array
  readonly dialled: boolean
  /** Where the other end is, for people and for limits for each address, as `HOST:PORT`. */
  readonly remoteAddress: string
  /** How long the transport took from the first byte until the other end was proven, in ms: it counts against the time until ready. */
  readonly elapsedMs?: number
  /** Bytes written and not yet taken by the operating system. */
  readonly pendingBytes: number
  /** Called exactly once; nothing is delivered before. */
  attach(handlers: LinkHandlers): void
  /**
   * Sends the chunks in order, in one write. Never blocks and never refuses: who writes keeps an eye on `pendingBytes`. The
   * chunks are borrowed, and must not change, until the far end has acknowledged them or the link has closed. Ignored after
   * `close` and `abort`.
   */
  write(chunks: readonly Uint8Array[]): void
  /** Graceful: what was written is sent, then the link ends. Idempotent. */
  close(): void
  /** At once. Idempotent. */
  abort(reason?: PlaitError): void
}

/** None of them is called inside a call of `attach`, `write`, `close` or `abort`. */
export interface LinkHandlers {
  /** Bytes as they come, in any split. Lent until the call returns. */
  data(bytes: Uint8Array): void
  /** `pendingBytes` has become smaller. */
  drain(): void
  /**
   * Exactly once, and last. Without an error when both ends closed in order, as far as the transport can tell: over TCP the death of the
   * other process looks the same, so who must know says goodbye before it closes.
   */
  close(error?: PlaitError): void
}

/** A place to dial or to listen on. */
export interface LinkAddress {
  readonly host: string
  readonly port: number
}

export interface DialOptions {
  /** The node that must answer; anything else fails with `WRONG_KEY` before an application byte is sent. */
  readonly remoteId: NodeId
  readonly signal?: AbortSignal
}

/** Makes links. One for each scheme: `tcp`, `memory`. */
export interface Transport {
  readonly scheme: string
  /**
   * Rejects with `UNREACHABLE`, `WRONG_KEY`, `HANDSHAKE_TIMEOUT`, `VERSION_MISMATCH`, `PROTOCOL` (something else answers there) or the
   * signal's reason.
   */
  dial(address: LinkAddress, options: DialOptions): Promise<Link>
  /** Port 0 picks a free one. `accept` is given links whose remote id is proven. */
  listen(address: LinkAddress, accept: (link: Link) => void): Promise<Listener>
}

export interface Listener {
  /** Where it really listens. */
  readonly address: LinkAddress
  /** Stops listening; links that were accepted live on. Idempotent. */
  close(): Promise<void>
}
