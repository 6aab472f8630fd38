import { PlaitError } from '../base/error.ts'
import type { Limits } from '../base/limits.ts'
import type { NodeId } from '../identity/node-id.ts'
import type { Probe } from '../runtime/probe.ts'
import type { FrameDecoder } from '../wire/decoder.ts'
import { headerBytes } from '../wire/frame.ts'
import type { Account } from './account.ts'
import { Batch } from './batch.ts'
import type { Budget } from './budget.ts'
import type { Channel } from './channel.ts'
import { Channels } from './channels.ts'
import type { ChannelsHost } from './channels.ts'
import { Control } from './control.ts'
import type { Counters } from './counters.ts'
import { goAway } from './farewell.ts'
import type { Handshake } from './handshake.ts'
import { Heartbeat } from './heartbeat.ts'
import type { Hello } from './hello.ts'
import { Quota } from './quota.ts'
import { Receiver } from './receiver.ts'
import type { ReceiverHost } from './receiver.ts'
import type { Reservations } from './reservations.ts'
import type { Agreement, ResumeClaim } from './resumption.ts'
import { Retention } from './retention.ts'
import { Scheduler } from './scheduler.ts'

/** What the session wants of its shell. Called in the middle of other calls: act at the end of the turn, but for `flush`. */
export interface SessionEvents {
  /** There is something to transmit: call `transmit` when the turn ends. */
  wake(): void
  /** A full batch waits: call `transmit` now, if the link has room. */
  flush(): void
  /** Why a channel that the other side asks for is refused before there is one, if it is known so early. `body` is lent. */
  refusal(body: Uint8Array): PlaitError | undefined
  /** The other side opens a channel; set its handler, and accept or refuse it at any time. `body` belongs to the callee. */
  offer(channel: Channel, body: Uint8Array): void
  /** `lost`: let go of the link, and find a new one in time. */
  changed(state: SessionState, before: SessionState): void
  /** Over, once and last: transmit what is left, then close the link. */
  ended(error: PlaitError): void
}

/** `lost`: there is no link; the session goes on over a new one, or ends when its window for that is over. */
export type SessionState = 'ready' | 'suspect' | 'lost' | 'closed'

export interface SessionOptions {
  /** 16 bytes that both ends know. */
  readonly id: Uint8Array
  readonly localId: NodeId
  readonly remoteId: NodeId
  /** What the other side has said. */
  readonly hello: Hello
  readonly limits: Limits
  /** How long the session waits for a new link; 0: it ends with its link. */
  readonly resumeMs: number
  /** The node's budget; the session's account is charged to it. */
  readonly budget: Budget
  readonly probe: Probe
  /** Memory that need not be cleared; see `Runtime`. */
  readonly allocate?: ((bytes: number) => Uint8Array) | undefined
  readonly events: SessionEvents
}

/**
 * What two nodes share: numbered channels over one link after another, in both directions, with credit for each, acknowledgement
 * and heartbeat. What has left is kept until it is acknowledged, and sent again over the next link, so that a channel sees no
 * loss, no duplicate and no other order. A state machine without I/O: bytes and the time go in, bytes come out of `transmit`, the
 * next `deadline` says when to call `tick`.
 */
export class Session implements ChannelsHost, ReceiverHost {
  readonly id: Uint8Array
  readonly remoteId: NodeId
  readonly hello: Hello
  readonly limits: Limits
  readonly probe: Probe
  readonly allocate: ((bytes: number) => Uint8Array) | undefined
  readonly scheduler: Scheduler
  readonly control: Control = new Control()
  /** Takes the frames that come. */
  readonly receiver: Receiver
  /** The node with the smaller id has the last word, and the even numbers. */
  readonly chair: boolean
  state: SessionState = 'lost'
  /** Why the session ended. */
  error: PlaitError | undefined
  /** Links that have carried it, after the first. */
  resumes = 0
  readonly #resumeMs: number
  readonly #events: SessionEvents
  readonly #channels: Channels
  readonly #retention = new Retention()
  /** Undefined while there is no link. */
  #decoder: FrameDecoder | undefined
  #heartbeat: Heartbeat | undefined
  #resumeUntil = Infinity
  /** What has to be said first on a new link. */
  #preface: readonly Uint8Array[] = []
  #farewell: Uint8Array | undefined
  /** What has no number waits for room in the link. */
  #withheld = false
  readonly #resets: Quota
  #pings: Quota
  now = 0

  constructor(options: SessionOptions) {
    this.id = options.id
    this.remoteId = options.remoteId
    this.hello = options.hello
    this.limits = options.limits
    this.probe = options.probe
    this.allocate = options.allocate
    this.chair = options.localId < options.remoteId
    this.scheduler = new Scheduler(Math.min(options.limits.framePayloadBytes, options.hello.frameBytes))
    this.#resumeMs = options.resumeMs
    this.#events = options.events
    this.#resets = new Quota(options.limits.earlyResetsPerSecond)
    this.#pings = new Quota(options.limits.pingsPerSecond)
    this.#channels = new Channels(this, options.budget)
    this.receiver = new Receiver(this)
  }

  /** A link has come, on which both ends have agreed on this session. It may take the place of another one. */
  attach(handshake: Handshake, agreement: Agreement, now: number): void {
    if (this.state === 'closed') return
    this.now = now
    this.#decoder = handshake.decoder
    this.#withheld = false
    this.#channels.weigh(0)
    this.counters.bytesSent += handshake.bytesSent
    this.#preface = handshake.transmit()
    this.counters.bytesReceived += handshake.bytesReceived
    this.#heartbeat = new Heartbeat(this.limits, now, { mayRest: !this.chair })
    this.#heartbeat.pace(this.channelsByNumber.size > 0, now)
    // Each link begins with some, to measure its round trip.
    this.#pings = new Quota(this.limits.pingsPerSecond)
    if (agreement.kind === 'resumed' && !this.#resume(agreement.said, agreement.heard)) return
    this.#resumeUntil = Infinity
    this.#enter('ready')
    this.#events.wake()
  }

  /** What this end says of the session on a new link. */
  claim(): ResumeClaim {
    return { sessionId: this.id, receivedFrames: this.framesReceived }
  }

  /** Asks for a sign of life now, without waiting for the next heartbeat. */
  challenge(now: number): void {
    this.#heartbeat?.hurry(now)
    this.tick(now)
  }

  /** The link is gone. */
  detach(error: PlaitError | undefined, now: number): void {
    this.now = now
    this.#lose(error)
  }

  /** Bytes from the link, in any split; lent until the call returns. Never throws: what is wrong ends the session. */
  receive(bytes: Uint8Array, now: number): void {
    const decoder = this.#decoder
    if (decoder === undefined) return
    this.now = now
    this.counters.bytesReceived += bytes.length
    if (this.#heartbeat?.heard() === true) this.#recover()
    try {
      // What becomes whole now is charged to its circuit instead.
      if (decoder.heldBytes > 0) this.#channels.weigh(0)
      decoder.feed(bytes, this.receiver)
      const { partial } = decoder
      if (partial === 'header') this.probe.sometimes('header split over chunks')
      else if (partial === 'body') this.probe.sometimes('body split over chunks')
      this.#channels.weigh(decoder.heldBytes)
    } catch (error) {
      this.fail(PlaitError.from(error, 'PROTOCOL'))
    }
    if (this.control.due(now)) this.#events.wake()
  }

  /**
   * What is to be written now, in order: at most `roomBytes` and one frame of data, and what has to be said, unless there is no
   * room at all. The chunks must not change until they have been acknowledged.
   */
  transmit(roomBytes: number, now: number): readonly Uint8Array[] {
    this.now = now
    const batch = new Batch()
    for (const frame of this.#preface) batch.add(frame)
    this.#preface = []
    if (this.#decoder !== undefined) {
      const { slab } = this.#channels
      if (this.#retention.rewinding) this.#retention.resend(batch, roomBytes)
      else this.#take(batch, roomBytes)
      // A link that takes nothing would only collect what can as well be said later, once, and with newer figures.
      this.#withheld = roomBytes <= 0 && this.control.due(now)
      if (roomBytes > 0) this.control.write(batch, slab, now)
    }
    if (this.#farewell !== undefined) batch.add(this.#farewell)
    this.#farewell = undefined
    if (batch.bytes > 0) this.counters.writes += 1
    this.counters.bytesSent += batch.bytes
    return batch.finish()
  }

  /** There is one channel and no other that could wait behind it. */
  get solitary(): boolean {
    return this.channelsByNumber.size === 1
  }

  /** Something waits that did not fit into the room of the last `transmit`. */
  get pending(): boolean {
    return !this.scheduler.idle || this.#retention.rewinding || this.#withheld
  }

  /** Time has passed; to be called at `deadline` or later. */
  tick(now: number): void {
    this.now = now
    if (this.state === 'closed') return
    if (this.state === 'lost') {
      if (now >= this.#resumeUntil) this.#giveUp(undefined)
      return
    }
    const token = this.#heartbeat?.tick(now, this.framesSent + this.framesReceived)
    if (token !== undefined) this.control.ping(token)
    if (this.#heartbeat?.health === 'lost') {
      this.#lose(
        new PlaitError('LINK_LOST', `${this.remoteId} has been silent for ${this.limits.lostBeats} heartbeats`),
      )
      return
    }
    if (this.#heartbeat?.health === 'suspect' && this.state === 'ready') {
      this.probe.sometimes('suspect')
      this.#enter('suspect')
    }
    if (now >= this.#channels.deadline) this.#channels.housekeep(now)
    if (this.control.due(now)) this.#events.wake()
  }

  /** When `tick` is wanted next, in ms of the clock; Infinity when never. */
  get deadline(): number {
    if (this.state === 'closed') return Infinity
    if (this.state === 'lost') return this.#resumeUntil
    return Math.min(this.#heartbeat?.deadline ?? Infinity, this.control.deadline, this.#channels.deadline)
  }

  /**
   * Opens a channel; `body` travels in OPEN, and what is sent next follows it at once. The caller sets its handler. Throws `BUSY`
   * past the other side's limit.
   */
  openChannel(body: Uint8Array): Channel {
    if (this.error !== undefined) throw this.error
    return this.#channels.open(body)
  }

  /** All that was sent has been acknowledged, and no channel is open. */
  get drained(): boolean {
    return this.channelsByNumber.size === 0 && this.scheduler.idle && this.unacknowledgedFrames === 0
  }

  get channelsByNumber(): ReadonlyMap<number, Channel> {
    return this.#channels.byNumber
  }

  /** What is charged to the account, but to no channel. */
  get ownBytes(): number {
    return this.#channels.ownBytes
  }

  /** What the other side makes us hold. */
  get account(): Account {
    return this.#channels.account
  }

  get counters(): Counters {
    return this.#channels.counters
  }

  get reservations(): Reservations {
    return this.#channels.reservations
  }

  get unacknowledgedBytes(): number {
    return this.#retention.bytes
  }

  get unacknowledgedFrames(): number {
    return this.#retention.sentFrames - this.#retention.acknowledgedFrames
  }

  get framesSent(): number {
    return this.#retention.sentFrames
  }

  get framesAcknowledged(): number {
    return this.#retention.acknowledgedFrames
  }

  get framesReceived(): number {
    return this.control.receivedFrames
  }

  get smoothedRoundTripMs(): number | undefined {
    return this.#heartbeat?.roundTripMs
  }

  /** Ends the session at both ends; `error` tells the other side why, if there is a link. */
  fail(error: PlaitError): void {
    if (this.state === 'closed') return
    if (this.#decoder !== undefined) this.#farewell = goAway(error)
    this.#end(error)
  }

  // What follows is for the session's own parts: its receiver, its channels.

  get stopped(): boolean {
    return this.#decoder === undefined
  }

  get roundTripMs(): number {
    return this.#heartbeat?.smallestRoundTripMs ?? 1
  }

  wasOpened(number: number): boolean {
    return this.#channels.wasOpened(number)
  }

  opened(number: number, body: Uint8Array, creditBytes: number): void {
    this.#channels.opened(number, body, creditBytes)
  }

  acknowledged(frames: number): boolean {
    const before = this.#retention.acknowledgedFrames
    if (!this.#retention.acknowledge(frames))
      throw new PlaitError('PROTOCOL', `an acknowledgement of ${frames} frames, which is absurd`)
    if (!this.scheduler.idle) this.#events.wake()
    return frames > before
  }

  credited(channel: Channel, bytes: number): boolean {
    if (!Number.isSafeInteger(bytes)) throw new PlaitError('PROTOCOL', 'absurd credit')
    const { outbox } = channel
    if (bytes <= outbox.creditBytes) return false
    if (outbox.creditBytes - outbox.sentBytes < headerBytes && !outbox.empty) this.probe.sometimes('credit restored')
    outbox.creditBytes = bytes
    if (!outbox.empty) {
      this.scheduler.enqueue(channel, 0)
      this.#events.wake()
    }
    return true
  }

  granted(channel: Channel): void {
    this.#channels.granted(channel)
  }

  reserveWaiting(): void {
    this.#channels.reserveWaiting()
  }

  pinged(body: Uint8Array, now: number): void {
    if (!this.#pings.take(now)) {
      throw new PlaitError('LIMIT', 'too many pings', { facts: { limit: this.limits.pingsPerSecond } })
    }
    this.#heartbeat?.asked()
    this.control.pong(body)
    this.#events.wake()
  }

  ponged(token: number, now: number): boolean {
    return this.#heartbeat?.pong(token, now) ?? false
  }

  goneAway(error: PlaitError): void {
    // Two links have crossed on which the session was to go on: the other end uses the other one, or dials anew.
    if (error.code === 'DUPLICATE') this.#lose(error)
    else this.#end(error)
  }

  resetByOpener(now: number): void {
    if (this.#resets.take(now)) return
    throw new PlaitError('LIMIT', 'too many circuits reset before they were accepted', {
      facts: { limit: this.limits.earlyResetsPerSecond },
    })
  }

  wake(): void {
    this.#events.wake()
  }

  flush(): void {
    this.#events.flush()
  }

  refusal(body: Uint8Array): PlaitError | undefined {
    return this.#events.refusal(body)
  }

  offer(channel: Channel, body: Uint8Array): void {
    this.#events.offer(channel, body)
  }

  busy(any: boolean): void {
    this.#heartbeat?.pace(any, this.now)
  }

  #take(batch: Batch, roomBytes: number): void {
    const before = batch.bytes
    const { unacknowledgedBytes, unacknowledgedControlBytes } = this.limits
    const freeBytes = unacknowledgedBytes - this.#retention.weightBytes
    // What is urgent goes first, but not into a link that has no room: it would stand there uncharged, and leave in one go.
    const controlBytes = Math.min(roomBytes, freeBytes + unacknowledgedControlBytes)
    this.scheduler.take(batch, this.#channels.slab, Math.min(roomBytes, freeBytes), controlBytes, this.now)
    this.#channels.weigh()
    if (batch.frames > 0) this.#retention.keep(batch.chunks, batch.bytes - before, batch.frames)
  }

  /** Goes on where both ends stand: false when the other one claims what cannot be, and the session has ended. */
  #resume(said: ResumeClaim, heard: ResumeClaim): boolean {
    const { sentFrames, acknowledgedFrames } = this.#retention
    if (!this.#retention.rewind(heard.receivedFrames)) {
      const facts = { claimed: heard.receivedFrames, sent: sentFrames, acknowledged: acknowledgedFrames }
      this.fail(new PlaitError('PROTOCOL', 'the other side claims to have taken what cannot be', { facts }))
      return false
    }
    this.resumes += 1
    if (this.state !== 'lost' && this.chair && this.#retention.bytes > 0)
      this.probe.sometimes('chair replaced the link under load')
    if (this.#retention.rewinding) this.probe.sometimes('resumed with data to send again')
    this.receiver.resume(said.receivedFrames)
    this.control.restate(this.channelsByNumber.values(), said.receivedFrames)
    this.#channels.resume(this.now)
    return true
  }

  #recover(): void {
    if (this.state !== 'suspect') return
    this.probe.sometimes('recovered')
    this.#enter('ready')
  }

  #lose(error: PlaitError | undefined): void {
    if (this.state === 'closed' || this.state === 'lost') return
    if (this.#retention.bytes > 0) {
      this.probe.sometimes('link lost with data in flight')
      if (this.control.owing) this.probe.sometimes('both sides unacknowledged at the cut')
    }
    this.#decoder = undefined
    this.#heartbeat = undefined
    this.#channels.pause()
    if (this.#resumeMs === 0) {
      this.#giveUp(error)
      return
    }
    this.#resumeUntil = this.now + this.#resumeMs
    this.#enter('lost')
  }

  #giveUp(cause: PlaitError | undefined): void {
    if (cause?.code === 'LINK_LOST') {
      this.#end(cause)
      return
    }
    const how = this.#resumeMs === 0 ? '' : `, and no other one came for ${this.#resumeMs} ms`
    this.#end(new PlaitError('LINK_LOST', `the link to ${this.remoteId} was lost${how}`, { cause }))
  }

  #enter(state: SessionState): void {
    const before = this.state
    this.state = state
    if (state !== before) this.#events.changed(state, before)
  }

  #end(error: PlaitError): void {
    if (this.state === 'closed') return
    this.state = 'closed'
    this.error = error
    this.#decoder = undefined
    this.scheduler.clear()
    this.#retention.clear()
    this.#channels.end(error)
    this.#events.ended(error)
  }
}
