import { PlaitError } from '../base/error.ts'
import type { Limits } from '../base/limits.ts'
import type { Probe } from '../runtime/probe.ts'
import { encodeError } from '../wire/error.ts'
import { frameTypes } from '../wire/frame.ts'
import { Account } from './account.ts'
import { Channel, withCredit } from './channel.ts'
import type { ChannelHost } from './channel.ts'
import type { Budget, Debtor } from './budget.ts'
import type { Control } from './control.ts'
import { createCounters } from './counters.ts'
import type { Counters } from './counters.ts'
import type { Hello } from './hello.ts'
import { Quota } from './quota.ts'
import { deliver } from './receiver.ts'
import { Reservations } from './reservations.ts'
import type { Scheduler } from './scheduler.ts'
import { Slab } from './slab.ts'

/** What the table of channels needs of its session. */
export interface ChannelsHost {
  readonly chair: boolean
  readonly limits: Limits
  readonly probe: Probe
  readonly scheduler: Scheduler
  readonly control: Control
  readonly now: number
  readonly hello: Hello
  /** Memory that need not be cleared. */
  readonly allocate: ((bytes: number) => Uint8Array) | undefined
  wake(): void
  flush(): void
  /** Why a channel that the other side asks for is refused before there is one. `body` is lent. */
  refusal(body: Uint8Array): PlaitError | undefined
  offer(channel: Channel, body: Uint8Array): void
  /** The first channel has come, or the last one is gone. */
  busy(any: boolean): void
  fail(error: PlaitError): void
}

/** What the objects of a channel that the other side opened are charged with, in bytes, besides what its OPEN says. */
const channelBytes = 1024
/** So much of a frame that has begun is part of what any session costs. */
const partialBytesFree = 1024
/** From this many bytes on a batch does not wait for the end of the turn. */
const batchBytes = 64 * 1024
const housekeepingMs = 1_000
/** What fits into a frame's header; numbers are never used twice. */
const largestNumber = 0xffff_ffff

const tooMany = new PlaitError('BUSY', 'too many circuits are open or wait to be accepted: try again later', {
  traced: false,
})

/** The channels of a session by their number, and the memory that they make us hold. */
export class Channels implements ChannelHost, Debtor {
  readonly byNumber: Map<number, Channel> = new Map()
  readonly limits: Limits
  readonly probe: Probe
  readonly account: Account
  readonly reservations: Reservations
  readonly counters: Counters = createCounters()
  readonly slab: Slab = new Slab(64 * 1024)
  readonly copies: Slab = new Slab(16 * 1024)
  /** When `housekeep` is wanted next. */
  deadline: number = Infinity
  readonly #host: ChannelsHost
  #nextNumber: number
  #lastRemoteNumber = 0
  #unaccepted = 0
  /** Charged to the account, but to no channel: answers that the other side does not take, a frame that it has not finished. */
  ownBytes: number = 0
  #partialBytes = 0
  readonly #budget: Budget
  readonly #budgetResets: Quota
  /** What the last OPEN was refused with, and that on the wire: who asks for what it does not get asks again. */
  #lastRefusal: { readonly error: PlaitError; readonly body: Uint8Array } | undefined
  #ended = false

  constructor(host: ChannelsHost, budget: Budget) {
    this.#host = host
    this.#budget = budget
    budget.enter(this)
    this.limits = host.limits
    this.probe = host.probe
    this.account = new Account(host.limits.accountBytes, budget)
    this.reservations = new Reservations(host.limits.reservedBytesPerSession, host.allocate)
    this.#budgetResets = new Quota(host.limits.budgetResetsPerSecond)
    this.#nextNumber = host.chair ? 2 : 1
  }

  get remoteFragmentBytes(): number {
    return Math.min(this.limits.fragmentBytes, this.#host.hello.fragmentBytes)
  }

  /** Opens a channel; `body` travels in OPEN. */
  open(body: Uint8Array): Channel {
    const remote = this.#host.hello
    const limit = Math.min(this.limits.circuitsPerSession, remote.circuits)
    if (this.byNumber.size >= limit) {
      throw new PlaitError('BUSY', `${limit} circuits are open in this session: close some first`, { facts: { limit } })
    }
    const number = this.#nextNumber
    if (number > largestNumber)
      throw new PlaitError('BUSY', 'this session has used all its circuit numbers: connect anew')
    this.#nextNumber += 2
    const channel = new Channel(this, number, true, remote.windowBytes, this.limits.windowBytesMin, this.#host.now)
    this.#add(channel)
    channel.window.open(this.#freshWindowBytes())
    channel.sendInOrder(frameTypes.OPEN, withCredit(channel.window.grantedBytes, body))
    return channel
  }

  /** The other side opens a channel; `body` is lent. Throws when the number is not its to use. */
  opened(number: number, body: Uint8Array, creditBytes: number): void {
    if ((number % 2 === 0) === this.#host.chair || number <= this.#lastRemoteNumber) {
      throw new PlaitError('PROTOCOL', `circuit number ${number} is not the other side's to open now`)
    }
    this.#lastRemoteNumber = number
    const { circuitsPerSession, unacceptedPerSession, windowBytesMin } = this.limits
    const isFull = this.byNumber.size >= circuitsPerSession || this.#unaccepted >= unacceptedPerSession
    const refusal = isFull ? tooMany : this.#host.refusal(body)
    if (refusal !== undefined) {
      this.#refuse(number, refusal)
      return
    }
    const channel = new Channel(this, number, false, creditBytes, windowBytesMin, this.#host.now)
    this.#add(channel)
    this.#unaccepted += 1
    channel.charge(channelBytes + body.length)
    if (!channel.removed) this.#host.offer(channel, body.slice())
  }

  /** Whether a number was in use once. */
  wasOpened(number: number): boolean {
    const ours = (number % 2 === 0) === this.#host.chair
    return number > 0 && (ours ? number < this.#nextNumber : number <= this.#lastRemoteNumber)
  }

  accepted(): number {
    this.#unaccepted -= 1
    return this.#freshWindowBytes()
  }

  enqueue(channel: Channel, bytes: number): void {
    if (this.#ended) return
    const { scheduler } = this.#host
    // A channel that stands in the ring already has woken the shell, or waits for room in the link.
    const woken = channel.scheduled
    scheduler.enqueue(channel, bytes)
    if (scheduler.fresh >= batchBytes) this.#host.flush()
    if (!woken) this.#host.wake()
  }

  sendUrgent(channel: Channel, type: number, body: Uint8Array): void {
    this.#urge(channel.number, type, body)
  }

  grantDue(channel: Channel): void {
    if (this.#ended) return
    if (!channel.granting) {
      this.#host.control.grant(channel)
      this.#host.wake()
    }
    // A turn of the event loop may bring more than a window: the sender should not stand still until it ends.
    if (channel.window.pressing) this.#host.flush()
  }

  charge(bytes: number): void {
    if (this.#ended) return
    this.account.charge(bytes)
    while (this.account.exhausted && !this.#ended) this.#relieve()
  }

  release(bytes: number): void {
    if (this.#ended) return
    this.account.release(bytes)
    this.reserveWaiting()
  }

  /** Charges what the session itself is made to hold: what is urgent and has not left, and `partialBytes` of a frame that has begun. */
  weigh(partialBytes: number = this.#partialBytes): void {
    this.#partialBytes = partialBytes
    const ownBytes = this.#host.scheduler.urgentBytes + (partialBytes > partialBytesFree ? partialBytes : 0)
    const grownBytes = ownBytes - this.ownBytes
    if (grownBytes === 0 || this.#ended) return
    this.ownBytes = ownBytes
    if (grownBytes > 0) this.charge(grownBytes)
    else this.account.release(-grownBytes)
  }

  get usedBytes(): number {
    return this.account.usedBytes
  }

  giveWay(error: PlaitError): void {
    this.#host.fail(error)
  }

  remove(channel: Channel): void {
    if (channel.removed) return
    channel.removed = true
    channel.outbox.clear()
    if (this.#ended) {
      channel.reassembly = undefined
      return
    }
    this.byNumber.delete(channel.number)
    if (!channel.opener && !channel.accepted) this.#unaccepted -= 1
    this.reservations.end(channel)
    this.account.release(channel.chargedBytes)
    this.#host.scheduler.forget(channel)
    this.#host.control.forget(channel)
    if (this.byNumber.size === 0) this.#host.busy(false)
    this.reserveWaiting()
  }

  /** Memory for its large fragment has been reserved. */
  granted(channel: Channel): void {
    const { reassembly } = channel
    if (reassembly === undefined) return
    channel.hold(reassembly.totalBytes)
    if (channel.removed) return
    const { waitingBytes } = reassembly
    reassembly.land(this.reservations.allocate)
    channel.discharge(waitingBytes)
    channel.consume(reassembly.owedBytes)
    reassembly.owedBytes = 0
    // Whoever waited for memory has its full time from here on.
    reassembly.lastPieceAt = this.#host.now
  }

  /** Once a second while there is a reason: opens that nobody took, pieces that stopped coming, closes that cannot leave. */
  housekeep(now: number): void {
    const { acceptTimeoutMs, closeTimeoutMs, reassemblyTimeoutMs } = this.limits
    // What is removed meanwhile does no harm to the walk.
    for (const channel of this.byNumber.values()) {
      const { reassembly } = channel
      if (!channel.opener && !channel.accepted && now - channel.openedAt >= acceptTimeoutMs) {
        this.probe.sometimes('accept timed out')
        const what = `nobody took the circuit for ${acceptTimeoutMs} ms`
        const error = new PlaitError('NOT_ACCEPTED', what, { traced: false })
        const { handler } = channel
        channel.refuse(error)
        handler?.handleReset(error)
      } else if (reassembly?.reserved === true && now - reassembly.lastPieceAt >= reassemblyTimeoutMs) {
        this.probe.sometimes('reassembly abandoned')
        const what = `no piece of a large fragment came for ${reassemblyTimeoutMs} ms`
        channel.reset(new PlaitError('REASSEMBLY_TIMEOUT', what, { traced: false }))
      } else if (channel.closing && !channel.outbox.empty && now - channel.progressAt >= closeTimeoutMs) {
        this.probe.sometimes('close lingering until its time-out')
        const what = `the other side gave no credit for ${closeTimeoutMs} ms after close`
        channel.reset(new PlaitError('CLOSE_TIMEOUT', what, { traced: false }))
      }
    }
    this.deadline = this.byNumber.size > 0 ? now + housekeepingMs : Infinity
  }

  /** The link is gone: what only serves to be fast is not kept meanwhile. */
  pause(): void {
    this.weigh(0)
    this.slab.clear()
    this.copies.clear()
    this.reservations.rest()
  }

  /** A new link after a time without: nobody could keep a deadline meanwhile. */
  resume(now: number): void {
    for (const channel of this.byNumber.values()) {
      channel.progressAt = Math.floor(now)
      if (channel.reassembly !== undefined) channel.reassembly.lastPieceAt = now
    }
    if (this.byNumber.size > 0) this.deadline = now + housekeepingMs
  }

  /**
   * The session is over: every channel ends with its error, and all memory is given back. There may be thousands of them, and all
   * ends in one turn: so the tables are emptied at once, and no channel is taken out of them by itself.
   */
  end(error: PlaitError): void {
    this.#ended = true
    this.#budget.leave(this)
    this.deadline = Infinity
    this.account.clear()
    const channels = [...this.byNumber.values()]
    this.byNumber.clear()
    this.reservations.clear()
    this.#host.control.clear()
    for (const channel of channels) channel.drop(error)
  }

  #add(channel: Channel): void {
    this.byNumber.set(channel.number, channel)
    if (this.byNumber.size > 1) return
    this.deadline = this.#host.now + housekeepingMs
    this.#host.busy(true)
  }

  /** Says no to an OPEN for which nothing has been made. */
  #refuse(number: number, error: PlaitError): void {
    const { counters } = this
    counters.circuitsOpened += 1
    counters.circuitsRefused += 1
    counters.circuitsClosed += 1
    if (this.#lastRefusal?.error !== error) this.#lastRefusal = { error, body: encodeError(error) }
    this.#urge(number, frameTypes.REFUSE, this.#lastRefusal.body)
  }

  #urge(number: number, type: number, body: Uint8Array): void {
    if (this.#ended) return
    this.#host.scheduler.enqueueUrgent(this.slab, number, type, body)
    this.#host.wake()
    this.weigh()
  }

  /** What a channel's window is from its acceptance on: wide for the first ones, narrow for the many, until they are used. */
  #freshWindowBytes(): number {
    const { widestCircuits, windowBytesInitial, windowBytesMin } = this.limits
    return this.byNumber.size <= widestCircuits && !this.account.tight ? windowBytesInitial : windowBytesMin
  }

  /**
   * The account is exhausted: the channel that makes us hold the most gives way. To look for it costs time, and who lives by that
   * has many small ones: then the session gives way.
   */
  #relieve(): void {
    const victim = this.#budgetResets.take(this.#host.now) ? this.#largest() : undefined
    const facts = { limit: this.account.limitBytes }
    const who = victim === undefined ? 'session' : 'circuit'
    const what = `what this ${who} makes the other side hold exceeds its memory: read faster`
    const error = new PlaitError('BUDGET', what, { facts, traced: false })
    if (victim === undefined) {
      this.#host.fail(error)
      return
    }
    this.probe.sometimes('BUDGET reset')
    victim.reset(error)
  }

  /** The channel that is charged with the most; none when what belongs to no channel is more. */
  #largest(): Channel | undefined {
    let largest: Channel | undefined
    let mostBytes = this.ownBytes
    for (const channel of this.byNumber.values()) {
      if (channel.chargedBytes <= mostBytes) continue
      largest = channel
      mostBytes = channel.chargedBytes
    }
    return largest
  }

  /** Memory for large fragments may have become free. */
  reserveWaiting(): void {
    if (this.reservations.active.size === 0) return
    for (let channel = this.reservations.next(); channel !== undefined; channel = this.reservations.next()) {
      this.granted(channel)
      const { reassembly } = channel
      if (reassembly?.complete === true) deliver(this.reservations, channel, reassembly)
    }
  }
}
