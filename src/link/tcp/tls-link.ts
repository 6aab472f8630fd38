import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { assert } from '../../base/assert.ts'
import { PlaitError } from '../../base/error.ts'
import { Queue } from '../../base/queue.ts'
import type { NodeId } from '../../identity/node-id.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Timer, Timers } from '../../runtime/timers.ts'
import type { Link, LinkHandlers } from '../link.ts'
import type { RemoteProof } from './remote-proof.ts'
import { hungUp, linkError } from './socket-error.ts'
import { readInto } from './static-read.ts'
import type { BusyLink, Turns } from './turns.ts'
import { Usage } from './usage.ts'

export interface TlsLinkOptions {
  readonly raw: Socket
  readonly socket: TLSSocket
  readonly proof: RemoteProof
  readonly dialled: boolean
  readonly remoteAddress: string
  readonly timers: Timers
  /** Without it a link may keep the event loop busy for as long as it likes. */
  readonly clock?: Clock | undefined
  /** Shared with all links whose work takes long. */
  readonly turns: Turns
  /** From the connection to the proof. */
  readonly elapsedMs: number
  readonly closeTimeoutMs: number
  readonly freshReads: boolean
}

/** A TLS channel whose other end has been proven. Made in the same turn as the handshake ends, so that no byte passes it by. */
export class TlsLink implements Link, BusyLink {
  readonly remoteId: NodeId
  readonly binding: Uint8Array
  readonly dialled: boolean
  readonly remoteAddress: string
  readonly elapsedMs: number
  readonly #raw: Socket
  readonly #socket: TLSSocket
  readonly #timers: Timers
  readonly #clock: Clock | undefined
  readonly #turns: Turns
  readonly #closeTimeoutMs: number
  readonly #writtenBytes = new Queue<number>()
  #pendingBytes = 0
  #handlers: LinkHandlers | undefined
  /** What came before there were handlers, or while others have their turn; reading stands still meanwhile. */
  readonly #early: Uint8Array[] = []
  readonly #usage = new Usage()
  /** Others have their turn. */
  #resting = false
  /** Until `close`, `abort` or the other end's end. */
  #writable = true
  #aborted = false
  #endSeen = false
  #closed = false
  #error: PlaitError | undefined
  #graceTimer: Timer | undefined

  constructor(options: TlsLinkOptions) {
    this.remoteId = options.proof.remoteId
    this.binding = options.proof.binding
    this.dialled = options.dialled
    this.remoteAddress = options.remoteAddress
    this.elapsedMs = options.elapsedMs
    this.#raw = options.raw
    this.#socket = options.socket
    this.#timers = options.timers
    this.#clock = options.clock
    this.#turns = options.turns
    this.#closeTimeoutMs = options.closeTimeoutMs
    readInto(this.#socket, (bytes) => this.#receive(bytes), options.freshReads)
    this.#socket.on('end', () => this.#ended())
    this.#socket.on('error', (error) => this.#fail(error))
    // Node swallows errors of an accepting TLS socket without a tls.Server, but for this event.
    this.#socket.on('_tlsError', (error: unknown) => this.#fail(error))
    this.#socket.on('close', () => this.#finish())
  }

  get pendingBytes(): number {
    return this.#pendingBytes
  }

  attach(handlers: LinkHandlers): void {
    assert(this.#handlers === undefined, 'a link has handlers already')
    this.#handlers = handlers
    if (this.#early.length > 0 || this.#closed) this.#timers.endOfTurn(() => this.#catchUp())
  }

  write(chunks: readonly Uint8Array[]): void {
    if (!this.#writable) return
    let bytes = 0
    let last = -1
    for (let index = 0; index < chunks.length; index += 1) {
      const length = chunks[index]!.length
      bytes += length
      if (length > 0) last = index
    }
    if (last < 0) return
    this.#pendingBytes += bytes
    this.#usage.move(bytes)
    this.#writtenBytes.push(bytes)
    if (last === 0) {
      this.#socket.write(chunks[0]!, this.#written)
      return
    }
    this.#socket.cork()
    for (let index = 0; index < last; index += 1) if (chunks[index]!.length > 0) this.#socket.write(chunks[index]!)
    this.#socket.write(chunks[last]!, this.#written)
    this.#socket.uncork()
  }

  close(): void {
    if (!this.#writable) return
    this.#writable = false
    this.#socket.end()
    this.#graceTimer = this.#timers.after(this.#closeTimeoutMs, () => {
      this.abort(
        new PlaitError('CLOSE_TIMEOUT', `${this.remoteAddress} did not finish closing in ${this.#closeTimeoutMs} ms`),
      )
    })
  }

  abort(reason?: PlaitError): void {
    if (this.#closed || this.#aborted) return
    this.#writable = false
    this.#aborted = true
    this.#error ??= reason ?? new PlaitError('ABORTED', 'this end has aborted the link')
    resetSocket(this.#raw)
  }

  // What follows is for the turns.

  goOn(now: number): void {
    this.#usage.rested(now)
    this.#catchUp()
  }

  get busy(): boolean {
    return this.#usage.busy
  }

  get content(): boolean {
    return this.#usage.content
  }

  recentMs(now: number): number {
    return this.#usage.recentMs(now)
  }

  #receive(bytes: Uint8Array): boolean {
    if (this.#aborted) return true
    if (this.#handlers !== undefined && this.#early.length === 0 && !this.#resting) {
      if (!this.#turns.full) return this.#hand(bytes)
      this.#rest()
    }
    this.#early.push(bytes.slice())
    return false
  }

  /**
   * Returns false when the others have their turn first. Left alone, Node reads 2 MiB from one socket before it looks at the next one,
   * which is much when they are small frames.
   */
  #hand(bytes: Uint8Array): boolean {
    const clock = this.#clock
    if (clock === undefined) {
      this.#handlers!.data(bytes)
      return true
    }
    const begunAt = clock.now()
    this.#handlers!.data(bytes)
    const now = clock.now()
    this.#usage.move(bytes.length)
    const hasToRest = this.#usage.spend(now - begunAt, now, this.#turns.sharing(this, now))
    this.#turns.spend(this, now - begunAt, now)
    if (hasToRest) this.#rest()
    return !hasToRest
  }

  #rest(): void {
    this.#resting = true
    this.#turns.wait(this)
  }

  /** Gives the handlers what they have missed, and reads on. */
  #catchUp(): void {
    this.#resting = false
    while (this.#early.length > 0 && !this.#resting) {
      const bytes = this.#early.shift()!
      if (!this.#aborted) this.#hand(bytes)
    }
    if (this.#resting) return
    if (this.#closed) this.#handlers!.close(this.#error)
    else this.#socket.resume()
  }

  #written = (error?: Error | null): void => {
    const bytes = this.#writtenBytes.shift()
    assert(bytes !== undefined, 'a write was reported done twice')
    this.#pendingBytes -= bytes
    if (!error && !this.#aborted && !this.#closed) this.#handlers?.drain()
  }

  /**
   * When a write was the first to meet a reset, Node's TLS swallows the error, never finishes what is still written, and reads
   * a plain end. But the socket has no peer any more then. (Nor has it one when both ends have closed, so this is asked only
   * while this end has not.)
   */
  #ended(): void {
    if (this.#writable && this.#socket.remoteAddress === undefined) {
      this.abort(hungUp(this.remoteAddress))
      return
    }
    this.#endSeen = true
    this.close()
  }

  #fail(error: unknown): void {
    this.abort(linkError(error, this.remoteAddress))
  }

  #finish(): void {
    this.#closed = true
    this.#writable = false
    this.#graceTimer?.cancel()
    if (!this.#endSeen && !this.#aborted) this.#error ??= hungUp(this.remoteAddress)
    if (this.#handlers !== undefined && this.#early.length === 0 && !this.#resting) this.#handlers.close(this.#error)
  }
}

/**
 * Ends a TCP connection at once and so that the other end sees an error, not an end. A TLS socket above it must be left alone: it
 * is destroyed by Node when `raw` has closed. Destroying it too, inside one of its own callbacks, frees the TLS state that
 * the native code below that callback still uses, and the process dies (Node 24: SIGSEGV).
 */
export function resetSocket(raw: Socket): void {
  if (raw.connecting) raw.destroy()
  else if (!raw.destroyed) raw.resetAndDestroy()
}
