import { assert } from '../base/assert.ts'
import { PlaitError } from '../base/error.ts'
import type { Limits } from '../base/limits.ts'
import type { Probe } from '../runtime/probe.ts'
import { encodeError } from '../wire/error.ts'
import { metadataLength, writeMetadata } from '../wire/fragment.ts'
import type { FragmentFields } from '../wire/fragment.ts'
import { frameTypes, headerBytes, writeHeader } from '../wire/frame.ts'
import { writeUint64 } from './control.ts'
import type { Counters } from './counters.ts'
import { inlineBytes, Outbox } from './outbox.ts'
import type { Turn } from './outbox.ts'
import type { Reassembly } from './reassembly.ts'
import type { Slab } from './slab.ts'
import { Window } from './window.ts'

/** What a channel tells the layer above. Calls come in the order of the wire; none comes after `handleRefuse` or `handleReset`. */
export interface ChannelHandler {
  handleAccept(body: Uint8Array): void
  handleRefuse(error: PlaitError): void
  /**
   * A whole encoded fragment at `start` .. `end`. With `owned` the bytes may be kept, else they are lent until the call returns;
   * the answer says whether they were. `frameBytes` are to be given back by `consume` when it has been read; 0 for a large
   * fragment, whose `end - start` bytes are held already and are given back by `unhold`.
   */
  handleFragment(bytes: Uint8Array, start: number, end: number, owned: boolean, frameBytes: number): boolean
  /** The other side will send no more. */
  handleEnd(): void
  /** The other side has closed, in order; `body` is lent. */
  handleClose(body: Uint8Array): void
  /** The end of the channel, by a reset from either side or with the session. */
  handleReset(error: PlaitError): void
  /** The send buffer has emptied to half its mark. */
  handleDrain(): void
  /** All that was queued has left, CLOSE included. */
  handleLeave(): void
}

/** Payloads up to this size share memory when they are copied. */
const sharedCopyBytes = 2 * 1024

/** What a channel needs of its session. */
export interface ChannelHost {
  readonly limits: Limits
  readonly slab: Slab
  /** Where small payloads are copied that the application keeps. */
  readonly copies: Slab
  readonly remoteFragmentBytes: number
  /** A channel was accepted here; returns the window that it has from now on. */
  accepted(): number
  /** `channel` has something to send. */
  enqueue(channel: Channel, bytes: number): void
  /** A frame that goes ahead of all queues. */
  sendUrgent(channel: Channel, type: number, body: Uint8Array): void
  grantDue(channel: Channel): void
  charge(bytes: number): void
  release(bytes: number): void
  /** Memory for large fragments may have become free, or be due to a circuit that was accepted. */
  reserveWaiting(): void
  remove(channel: Channel): void
  readonly counters: Counters
  readonly probe: Probe
}

/** One numbered channel of a session: its queue, its credit in both directions, what the other side makes us hold for it. */
export class Channel {
  readonly number: number
  /** Opened from this end. */
  readonly opener: boolean
  /** In whole ms of the clock: a small integer costs no object. */
  readonly openedAt: number
  readonly outbox: Outbox
  readonly window: Window
  reassembly: Reassembly | undefined
  /** Accepted by the end that was asked. */
  accepted = false
  removed = false
  /** Stands in the scheduler's ring. */
  scheduled = false
  /** Waits for a CREDIT frame to be written. */
  granting = false
  /** OPEN has left, so that the other side may know this number. */
  known = false
  closing = false
  remoteEnded = false
  remoteClosed = false
  /** Bytes that have come and were not read. */
  heldBytes = 0
  /** All that the account is charged with for this channel: what is held, and the objects and queues around it. */
  chargedBytes = 0
  /** When a frame last left while closing; for the time-out of a close that has no credit. */
  progressAt: number
  handler: ChannelHandler | undefined
  readonly #host: ChannelHost

  constructor(
    host: ChannelHost,
    number: number,
    opener: boolean,
    creditBytes: number,
    windowBytes: number,
    now: number,
  ) {
    this.#host = host
    this.number = number
    this.opener = opener
    this.known = !opener
    this.openedAt = Math.floor(now)
    this.progressAt = this.openedAt
    this.outbox = new Outbox(number, creditBytes)
    this.window = new Window(windowBytes, host.limits)
  }

  get limits(): Limits {
    return this.#host.limits
  }

  /** The longest payload that the other side takes. */
  get payloadBytesMax(): number {
    return this.#host.remoteFragmentBytes
  }

  get counters(): Counters {
    return this.#host.counters
  }

  /** Takes a fragment; returns whether the buffer is below its mark. Throws `BUFFER_FULL`, `FRAGMENT_TOO_LARGE`, `INVALID_ARGUMENT`. */
  send(fields: FragmentFields, copy: boolean): boolean {
    assert(!this.closing, 'nothing is sent after close')
    const host = this.#host
    const payload = fields.payload
    const payloadBytes = payload === undefined ? 0 : payload.length
    const metadataBytes = metadataLength(fields, host.limits)
    const bodyBytes = metadataBytes + payloadBytes
    const { bufferedBytes } = this.outbox
    if (payloadBytes > host.remoteFragmentBytes) throw tooLarge(payloadBytes, host.remoteFragmentBytes)
    const isInline = headerBytes + bodyBytes <= inlineBytes
    const takenBytes = isInline ? headerBytes + bodyBytes : bodyBytes
    if (bufferedBytes > 0 && bufferedBytes + takenBytes > host.limits.sendBufferBytes)
      throw bufferFull(bufferedBytes, host.limits)
    if (isInline) {
      const slab = host.slab
      slab.reserve(headerBytes + bodyBytes)
      const { bytes, used } = slab
      writeHeader(bytes, used, frameTypes.DATA, bodyBytes, this.number)
      const at = writeMetadata(bytes, used + headerBytes, fields)
      if (payload !== undefined) bytes.set(payload, at)
      slab.used = used + headerBytes + bodyBytes
      this.outbox.appendFrame(bytes, used, slab.used, true)
    } else {
      const metadata = new Uint8Array(metadataBytes)
      writeMetadata(metadata, 0, fields)
      // Not `slice`, which gives another view of the same bytes for a `Buffer`.
      this.outbox.appendBulk(metadata, copy ? new Uint8Array(payload ?? []) : (payload ?? new Uint8Array(0)))
    }
    host.enqueue(this, bodyBytes)
    if (this.outbox.bufferedBytes < host.limits.sendBufferMarkBytes) return true
    host.probe.sometimes('send buffer at its mark')
    return false
  }

  /** A control frame in the order of the data: OPEN, ACCEPT, END, CLOSE. */
  sendInOrder(type: number, body: Uint8Array): void {
    const slab = this.#host.slab
    slab.reserve(headerBytes + body.length)
    const { bytes, used } = slab
    writeHeader(bytes, used, type, body.length, this.number)
    bytes.set(body, used + headerBytes)
    slab.used = used + headerBytes + body.length
    this.outbox.appendFrame(bytes, used, slab.used, false)
    if (type === frameTypes.CLOSE) this.closing = true
    this.#host.enqueue(this, body.length)
  }

  /** Accepts a channel that the other side opened; from here on its window is the full one. */
  accept(body: Uint8Array): void {
    assert(!this.opener && !this.accepted, 'accepted once, by the end that was asked')
    this.accepted = true
    this.window.widen(this.#host.accepted())
    this.sendInOrder(frameTypes.ACCEPT, withCredit(this.window.grant(), body))
    this.#host.reserveWaiting()
  }

  /** Says no to a channel that the other side opened; the channel is gone. */
  refuse(error: PlaitError): void {
    this.#host.remove(this)
    this.#host.sendUrgent(this, frameTypes.REFUSE, encodeError(error))
  }

  /** Ends the channel at once, at both ends; the handler is told, like the other side. */
  reset(error: PlaitError): void {
    if (this.removed) return
    // First it gives back what it holds: there may be no room left to say so.
    this.#host.remove(this)
    if (this.known) this.#host.sendUrgent(this, frameTypes.RESET, encodeError(error))
    this.handler?.handleReset(error)
  }

  /** Ends the channel here only. */
  drop(error: PlaitError): void {
    if (this.removed) return
    this.#host.remove(this)
    this.handler?.handleReset(error)
  }

  /** Forgets what has not left, but for a large fragment that has begun: the other side has closed and would drop it. */
  dropUnsent(): void {
    this.outbox.dropUnsent()
  }

  /** One turn of the scheduler; true when the budget ended it. */
  take(turn: Turn, now: number): boolean {
    const before = this.outbox.bufferedBytes
    const more = this.outbox.take(turn)
    const after = this.outbox.bufferedBytes
    if (!more && after > 0) this.#host.probe.sometimes('credit at zero')
    if (after === before) return more
    this.known = true
    this.progressAt = Math.floor(now)
    if (after === 0 && this.closing) {
      this.handler?.handleLeave()
      this.finish()
      return false
    }
    const resumeBytes = this.#host.limits.sendBufferMarkBytes >> 1
    if (before > resumeBytes && after <= resumeBytes) this.handler?.handleDrain()
    return more
  }

  /** Removes the channel when both sides have closed and all has left. */
  finish(): void {
    if (this.closing && this.remoteClosed && this.outbox.empty) this.#host.remove(this)
  }

  /** `frameBytes` have been read: their credit goes back, a quarter window at a time. */
  consume(frameBytes: number): void {
    if (this.window.consume(frameBytes) && !this.removed && !this.remoteEnded) this.#host.grantDue(this)
  }

  /** A copy of lent bytes that may be kept: small ones share memory, so that none costs an allocation of its own. */
  copy(bytes: Uint8Array, start: number, end: number): Uint8Array {
    return end - start <= sharedCopyBytes ? this.#host.copies.copy(bytes, start, end) : bytes.slice(start, end)
  }

  /** `bytes` have come and wait for the reader, in objects of `overheadBytes`. The channel may be gone when this returns. */
  hold(bytes: number, overheadBytes = 0): void {
    if (this.removed) return
    this.heldBytes += bytes
    this.charge(bytes + overheadBytes)
  }

  unhold(bytes: number, overheadBytes = 0): void {
    if (this.removed) return
    this.heldBytes -= bytes
    this.discharge(bytes + overheadBytes)
  }

  /** The other side makes us keep so much more. The channel may be gone when this returns. */
  charge(bytes: number): void {
    if (this.removed) return
    this.chargedBytes += bytes
    this.#host.charge(bytes)
  }

  discharge(bytes: number): void {
    if (this.removed) return
    this.chargedBytes -= bytes
    this.#host.release(bytes)
  }
}

/** The body of OPEN and ACCEPT: the credit that goes with it (u64), then what the layer above says. */
export function withCredit(grantedBytes: number, body: Uint8Array): Uint8Array {
  const full = new Uint8Array(8 + body.length)
  writeUint64(full, 0, grantedBytes)
  full.set(body, 8)
  return full
}

function tooLarge(bytes: number, limitBytes: number): PlaitError {
  return new PlaitError(
    'FRAGMENT_TOO_LARGE',
    `a payload of ${bytes} bytes exceeds the limit of ${limitBytes}: send it in parts`,
    { facts: { limit: limitBytes } },
  )
}

function bufferFull(bufferedBytes: number, limits: Limits): PlaitError {
  return new PlaitError(
    'BUFFER_FULL',
    `${bufferedBytes} bytes wait to be sent on this circuit: wait for ready() when send() returns false`,
    { facts: { limit: limits.sendBufferBytes } },
  )
}
