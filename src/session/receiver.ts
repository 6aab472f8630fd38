import { PlaitError } from '../base/error.ts'
import type { Limits } from '../base/limits.ts'
import type { Probe } from '../runtime/probe.ts'
import { decodeError } from '../wire/error.ts'
import { frameTypes, headerBytes } from '../wire/frame.ts'
import type { Successor } from './handshake.ts'
import { Reader } from '../wire/reader.ts'
import type { Account } from './account.ts'
import type { Channel } from './channel.ts'
import { readUint64 } from './control.ts'
import type { Control } from './control.ts'
import { Reassembly } from './reassembly.ts'
import type { Reservations } from './reservations.ts'

/** What a piece costs besides its bytes while it waits for memory to be reserved. */
const pieceOverheadBytes = 128

/** What the receiver needs of its session. */
export interface ReceiverHost {
  readonly limits: Limits
  readonly probe: Probe
  readonly channelsByNumber: ReadonlyMap<number, Channel>
  readonly control: Control
  readonly reservations: Reservations
  readonly account: Account
  readonly roundTripMs: number
  /** The time of the call that is being handled. */
  readonly now: number
  /** No further frame is wanted. */
  readonly stopped: boolean
  /** Whether a number was in use once; frames may still be on their way for a channel that is gone. */
  wasOpened(number: number): boolean
  /** `body` is lent. */
  opened(number: number, body: Uint8Array, creditBytes: number, now: number): void
  acknowledged(frames: number): boolean
  credited(channel: Channel, bytes: number): boolean
  granted(channel: Channel): void
  reserveWaiting(): void
  pinged(body: Uint8Array, now: number): void
  ponged(token: number, now: number): boolean
  goneAway(error: PlaitError): void
  resetByOpener(now: number): void
  fail(error: PlaitError): void
}

/** Handles the frames of a session that is ready, one by one, in order. Whatever it throws ends the session. */
export class Receiver implements Successor {
  readonly #host: ReceiverHost
  #idleFrames = 0
  /** Numbered frames on their way for the second time: they were taken from the former link after this end had said how many. */
  #duplicates = 0
  #last: Channel | undefined

  constructor(host: ReceiverHost) {
    this.#host = host
  }

  /** A new link: the other side sends again what is behind `saidFrames`, and says again what has no number. */
  resume(saidFrames: number): void {
    this.#duplicates = this.#host.control.receivedFrames - saidFrames
    this.#idleFrames = -this.#host.channelsByNumber.size - 2
  }

  get stopped(): boolean {
    return this.#host.stopped
  }

  check(_type: number, _number: number, bodyBytes: number): void {
    const limit = this.#host.limits.framePayloadBytes
    if (bodyBytes <= limit) return
    throw new PlaitError('LIMIT', `a frame of ${bodyBytes} bytes exceeds the limit of ${limit}`, { facts: { limit } })
  }

  /** Where the body of a frame should be put together, when it does not stand whole in what arrived. */
  place(type: number, number: number, bodyBytes: number): Uint8Array | undefined {
    if (type !== frameTypes.MORE || this.#duplicates > 0) return undefined
    return this.#host.channelsByNumber.get(number)?.reassembly?.place(bodyBytes)
  }

  /** A complete frame; `bytes` are lent unless `owned`. */
  frame(type: number, number: number, bytes: Uint8Array, start: number, end: number, owned: boolean): void {
    const { now, control } = this.#host
    if (type < frameTypes.OPEN) {
      this.#control(type, number, bytes, start, end, now)
      return
    }
    if (type > frameTypes.MORE) throw protocol(`an unknown frame type ${type}`)
    if (this.#duplicates > 0) {
      this.#duplicates -= 1
      this.#host.probe.sometimes('duplicate discarded after resume')
      return
    }
    control.received(headerBytes + end - start, now)
    if (type === frameTypes.OPEN) {
      this.#idleFrames = 0
      this.#open(number, bytes, start, end, now)
      return
    }
    const channel = this.#find(number)
    if (channel === undefined) return
    if (type === frameTypes.DATA) {
      this.#idleFrames = 0
      this.#data(channel, bytes, start, end, owned, now)
      return
    }
    this.#numbered(type, channel, bytes, start, end, now)
  }

  fail(error: PlaitError): void {
    this.#host.fail(error)
  }

  #find(number: number): Channel | undefined {
    const last = this.#last
    if (last !== undefined && last.number === number && !last.removed) return last
    const channel = this.#host.channelsByNumber.get(number)
    if (channel !== undefined) {
      this.#last = channel
      return channel
    }
    if (!this.#host.wasOpened(number)) throw protocol(`a frame for circuit ${number}, which was never opened`)
    this.#host.probe.sometimes('data for a closed circuit')
    return undefined
  }

  #data(channel: Channel, bytes: Uint8Array, start: number, end: number, owned: boolean, now: number): void {
    const frameBytes = headerBytes + end - start
    if (!this.#covered(channel, frameBytes)) return
    if (channel.reassembly !== undefined) {
      this.#misuse(channel, 'a fragment inside another one')
      return
    }
    channel.handler?.handleFragment(bytes, start, end, owned, frameBytes)
    if (channel.window.tune(now, this.#host.roundTripMs, this.#host.account)) this.#grown(channel)
  }

  #numbered(type: number, channel: Channel, bytes: Uint8Array, start: number, end: number, now: number): void {
    switch (type) {
      case frameTypes.FIRST:
        this.#idleFrames = 0
        this.#first(channel, bytes, start, end, now)
        return
      case frameTypes.MORE:
        this.#more(channel, bytes, start, end, now)
        return
      case frameTypes.ACCEPT:
        this.#accept(channel, bytes, start, end)
        return
      case frameTypes.REFUSE:
        this.#refuse(channel, this.#said(bytes, start, end))
        return
      case frameTypes.RESET:
        if (!channel.accepted && !channel.opener) this.#host.resetByOpener(now)
        if (!channel.outbox.empty) this.#host.probe.sometimes('reset with data in flight')
        channel.drop(this.#said(bytes, start, end))
        return
      case frameTypes.END:
        this.#end(channel, end - start)
        return
      case frameTypes.CLOSE:
        this.#close(channel, bytes.subarray(start, end))
        return
    }
  }

  #open(number: number, bytes: Uint8Array, start: number, end: number, now: number): void {
    if (end - start < 8) throw protocol('an OPEN without its credit')
    const creditBytes = readUint64(bytes, start)
    if (!Number.isSafeInteger(creditBytes)) throw protocol('an OPEN with absurd credit')
    this.#host.opened(number, bytes.subarray(start + 8, end), creditBytes, now)
  }

  #accept(channel: Channel, bytes: Uint8Array, start: number, end: number): void {
    if (!channel.opener || channel.accepted || end - start < 8) {
      this.#misuse(channel, 'an ACCEPT that was not expected')
      return
    }
    channel.accepted = true
    this.#host.credited(channel, readUint64(bytes, start))
    channel.handler?.handleAccept(bytes.slice(start + 8, end))
  }

  #refuse(channel: Channel, error: PlaitError): void {
    if (!channel.opener || channel.accepted) {
      this.#misuse(channel, 'a REFUSE that was not expected')
      return
    }
    if (channel.outbox.sentBytes > 0) this.#host.probe.sometimes('refused with data in flight')
    const { handler } = channel
    channel.handler = undefined
    channel.drop(error)
    handler?.handleRefuse(error)
  }

  #end(channel: Channel, bodyBytes: number): void {
    if (channel.remoteEnded || channel.reassembly !== undefined || bodyBytes > 0) {
      this.#misuse(channel, 'an END that was not expected')
      return
    }
    channel.remoteEnded = true
    channel.handler?.handleEnd()
  }

  #close(channel: Channel, body: Uint8Array): void {
    if (channel.remoteClosed || (channel.reassembly !== undefined && !channel.closing)) {
      this.#misuse(channel, 'a CLOSE that was not expected')
      return
    }
    if (channel.closing) this.#host.probe.sometimes('closes crossed')
    channel.remoteEnded = true
    channel.remoteClosed = true
    channel.handler?.handleClose(body)
    channel.finish()
  }

  #first(channel: Channel, bytes: Uint8Array, start: number, end: number, now: number): void {
    const frameBytes = headerBytes + end - start
    if (!this.#covered(channel, frameBytes)) return
    const reader = new Reader(bytes, start, end)
    const totalBytes = claimedBytes(reader)
    const { limits } = this.#host
    const restBytes = end - reader.position
    if (channel.reassembly !== undefined || totalBytes === 0 || restBytes > totalBytes) {
      this.#misuse(channel, 'a first piece that was not expected')
      return
    }
    if (totalBytes > limits.fragmentBytes + limits.framePayloadBytes) {
      const facts = { limit: limits.fragmentBytes, claimed: totalBytes }
      channel.reset(
        new PlaitError('LIMIT', `a fragment of ${totalBytes} bytes exceeds the limit`, { facts, traced: false }),
      )
      return
    }
    this.#host.probe.sometimes('large fragment split')
    const reassembly = new Reassembly(totalBytes, now)
    channel.reassembly = reassembly
    if (this.#host.reservations.begin(channel)) this.#host.granted(channel)
    else this.#host.reserveWaiting()
    if (channel.removed) return
    if (!reassembly.reserved) this.#host.probe.sometimes('reservation waited')
    reassembly.take(bytes, reader.position, end, now)
    this.#pieceTaken(channel, reassembly, frameBytes, now)
  }

  #more(channel: Channel, bytes: Uint8Array, start: number, end: number, now: number): void {
    const frameBytes = headerBytes + end - start
    if (!this.#covered(channel, frameBytes)) return
    const { reassembly } = channel
    if (start === end) this.#idle()
    else this.#idleFrames = 0
    if (reassembly === undefined || reassembly.receivedBytes + end - start > reassembly.totalBytes) {
      this.#misuse(channel, 'a piece that was not expected')
      return
    }
    if (reassembly.pieces >= this.#host.limits.fragmentPieces) {
      const facts = { limit: this.#host.limits.fragmentPieces }
      channel.reset(new PlaitError('LIMIT', 'a fragment in too many pieces', { facts, traced: false }))
      return
    }
    reassembly.take(bytes, start, end, now)
    this.#pieceTaken(channel, reassembly, frameBytes, now)
  }

  #pieceTaken(channel: Channel, reassembly: Reassembly, frameBytes: number, now: number): void {
    if (!reassembly.reserved) {
      reassembly.owedBytes += frameBytes
      reassembly.waitingBytes += frameBytes + pieceOverheadBytes
      channel.charge(frameBytes + pieceOverheadBytes)
      if (channel.removed) return
      if (reassembly.receivedBytes === reassembly.totalBytes) this.#cameUnreserved(channel, reassembly)
      return
    }
    channel.consume(frameBytes)
    if (channel.window.tune(now, this.#host.roundTripMs, this.#host.account)) this.#grown(channel)
    if (!reassembly.complete) return
    deliver(this.#host.reservations, channel, reassembly)
    // Its place is free for the next one, whether anybody reads it or not.
    this.#host.reserveWaiting()
  }

  #grown(channel: Channel): void {
    const { probe, limits } = this.#host
    probe.sometimes('window grown')
    if (channel.window.windowBytes === limits.windowBytesMax) probe.sometimes('window at its maximum')
  }

  /** All of it fitted into the window before memory was reserved: it is handed over like small ones, its credit returns when it is read. */
  #cameUnreserved(channel: Channel, reassembly: Reassembly): void {
    this.#host.probe.sometimes('large fragment came unreserved')
    this.#host.reservations.end(channel)
    channel.discharge(reassembly.waitingBytes)
    const bytes = reassembly.join()
    channel.handler?.handleFragment(bytes, 0, bytes.length, true, reassembly.owedBytes)
  }

  /** Why a circuit ends. What is wrong with how it is said ends that circuit too, and no more. */
  #said(bytes: Uint8Array, start: number, end: number): PlaitError {
    try {
      return decodeError(bytes, start, end, this.#host.limits)
    } catch (error) {
      return PlaitError.from(error, 'PROTOCOL')
    }
  }

  #covered(channel: Channel, frameBytes: number): boolean {
    if (channel.remoteEnded) {
      this.#misuse(channel, 'data after the end')
      return false
    }
    if (channel.window.receive(frameBytes)) return true
    this.#misuse(channel, 'data beyond the credit that was given')
    return false
  }

  #misuse(channel: Channel, what: string): void {
    channel.reset(
      new PlaitError('PROTOCOL', `the other side sent ${what}`, { facts: { circuit: channel.number }, traced: false }),
    )
  }

  #control(type: number, number: number, bytes: Uint8Array, start: number, end: number, now: number): void {
    if (type === frameTypes.GOAWAY) {
      this.#host.goneAway(decodeError(bytes, start, end, this.#host.limits))
      return
    }
    if (end - start !== 8) throw protocol(`a control frame of type ${type} with ${end - start} bytes`)
    switch (type) {
      case frameTypes.ACK:
        this.#progress(this.#host.acknowledged(readUint64(bytes, start)))
        return
      case frameTypes.CREDIT: {
        const channel = this.#find(number)
        if (channel !== undefined) this.#progress(this.#host.credited(channel, readUint64(bytes, start)))
        return
      }
      case frameTypes.PING:
        this.#host.pinged(bytes.subarray(start, end), now)
        return
      case frameTypes.PONG:
        this.#progress(this.#host.ponged(readUint64(bytes, start), now))
        return
      default:
        throw protocol(`an unknown frame type ${type}`)
    }
  }

  #progress(made: boolean): void {
    if (made) this.#idleFrames = 0
    else this.#idle()
  }

  /** Frames that say nothing new are legal, but not for ever. */
  #idle(): void {
    this.#idleFrames += 1
    const limit = this.#host.limits.noProgressFrames
    if (this.#idleFrames > limit) {
      throw new PlaitError('LIMIT', `${this.#idleFrames} frames in a row without progress`, { facts: { limit } })
    }
  }
}

/** Hands over a large fragment that is complete; its memory stays charged until it has been read. */
export function deliver(reservations: Reservations, channel: Channel, reassembly: Reassembly): void {
  const { buffer } = reassembly
  reservations.end(channel)
  if (buffer === undefined) return
  const kept = channel.handler?.handleFragment(buffer, 0, buffer.length, true, 0)
  if (kept !== true) reservations.recycle(buffer)
}

/** How long a large fragment says that it is; 0, which none is, when that cannot be read. */
function claimedBytes(reader: Reader): number {
  try {
    return reader.varint()
  } catch {
    return 0
  }
}

function protocol(what: string): PlaitError {
  return new PlaitError('PROTOCOL', `the other side sent ${what}`)
}
