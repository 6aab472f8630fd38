import { PlaitError } from '../base/error.ts'
import { Queue } from '../base/queue.ts'
import type { Channel } from '../session/channel.ts'
import { noArgs } from '../wire/args.ts'
import { readFragment } from '../wire/fragment.ts'
import type { ReceivedFragment } from '../wire/fragment.ts'
import type { Fragment } from './circuit-api.ts'
import { ErrorInbox } from './error-inbox.ts'
import type { ReceivedError } from './error-inbox.ts'

/** What the objects of a fragment cost until it is read, and what each of its args does, besides their bytes. */
const fragmentOverheadBytes = 256
const argOverheadBytes = 64

/** The receiving half of a circuit: what has arrived and was not read, and the credit that goes back when it is. */
export class Inbound {
  fragmentsReceived = 0
  /** Nobody will read here any more: what still comes is dropped, and its credit returned. */
  deaf = false
  handler: ((fragment: Fragment) => void) | undefined
  /** Whether it may keep what it is handed. */
  keeps = false
  /** Undefined when there is nothing: an idle circuit keeps no queue. */
  #unread: Queue<ReceivedFragment> | undefined
  #errors: ErrorInbox | undefined
  #ended = false

  get unreadFragments(): number {
    return this.#unread?.length ?? 0
  }

  get errorsUnread(): number {
    return this.#errors?.unread ?? 0
  }

  get errorsDropped(): number {
    return this.#errors?.dropped ?? 0
  }

  /** The error fragments, with room for the newest ones. */
  errors(channel: Channel): ErrorInbox {
    if (this.#errors === undefined) {
      this.#errors = new ErrorInbox(channel.limits.unreadErrors, (error) => channel.discharge(error.overheadBytes))
      if (this.#ended) this.#errors.end()
    }
    return this.#errors
  }

  /** An encoded fragment from the channel. Returns whether its bytes were kept; what is malformed resets the channel. */
  take(channel: Channel, bytes: Uint8Array, start: number, end: number, owned: boolean, frameBytes: number): boolean {
    const heldBytes = frameBytes === 0 ? end - start : 0
    if (this.deaf) {
      giveBack(channel, frameBytes, heldBytes, 0)
      return false
    }
    const fields = read(channel, bytes, start, end)
    if (fields === undefined) return false
    fields.serial = this.fragmentsReceived
    this.fragmentsReceived += 1
    const { counters } = channel
    if (this.handler !== undefined && fields.error === undefined) {
      counters.fragmentsReceived += 1
      const { payloadStart } = fields
      const mustCopy = this.keeps && !owned
      fields.payload = mustCopy ? channel.copy(bytes, payloadStart, end) : view(bytes, payloadStart, end)
      this.#hand(channel, fields, this.handler)
      giveBack(channel, frameBytes, heldBytes, 0)
      return this.keeps
    }
    const { payloadStart } = fields
    fields.payload = owned ? view(bytes, payloadStart, end) : channel.copy(bytes, payloadStart, end)
    if (isError(fields)) {
      counters.errorsReceived += 1
      // An error stalls nobody: its credit goes back now, and what it costs until it is read is charged apart.
      fields.overheadBytes = end - start + overheadOf(fields)
      channel.charge(fields.overheadBytes)
      if (this.#ended) return false
      this.errors(channel).push(fields)
      giveBack(channel, frameBytes, heldBytes, 0)
      return true
    }
    counters.fragmentsReceived += 1
    fields.frameBytes = frameBytes
    fields.heldBytes = heldBytes + frameBytes
    fields.overheadBytes = overheadOf(fields)
    channel.hold(frameBytes, fields.overheadBytes)
    // Holding it may have been too much: then the circuit has been reset, and delivers nothing more.
    if (this.#ended) return false
    this.#unread ??= new Queue()
    this.#unread.push(fields)
    return true
  }

  /** The next unread fragment; its credit goes back. */
  shift(channel: Channel): ReceivedFragment | undefined {
    const unread = this.#unread
    if (unread === undefined) return undefined
    const fragment = unread.shift() as ReceivedFragment
    if (unread.length === 0) this.#unread = undefined
    giveBack(channel, fragment.frameBytes, fragment.heldBytes, fragment.overheadBytes)
    return fragment
  }

  /** From now on fragments go to `handler`, first of all those that wait, until it is taken away again. */
  deliver(channel: Channel, handler: (fragment: Fragment) => void): void {
    this.handler = handler
    while (this.handler === handler) {
      const fragment = this.shift(channel)
      if (fragment === undefined) return
      this.#hand(channel, fragment, handler)
    }
  }

  /** Drops what waits, and what will come. */
  drop(channel: Channel): void {
    this.deaf = true
    while (this.shift(channel) !== undefined);
  }

  /** The channel is gone: nothing can be given back. */
  end(): void {
    this.deaf = true
    this.#unread = undefined
    this.#ended = true
    this.#errors?.end()
  }

  #hand(channel: Channel, fragment: Fragment, handler: (fragment: Fragment) => void): void {
    try {
      handler(fragment)
    } catch (error) {
      channel.reset(new PlaitError('SERVICE_FAILED', 'the handler of a fragment has thrown', { cause: error }))
    }
  }
}

function read(channel: Channel, bytes: Uint8Array, start: number, end: number): ReceivedFragment | undefined {
  try {
    return readFragment(bytes, start, end, channel.limits)
  } catch (error) {
    channel.reset(PlaitError.from(error, 'PROTOCOL'))
    return undefined
  }
}

function isError(fragment: ReceivedFragment): fragment is ReceivedError {
  return fragment.error !== undefined
}

/** Not `subarray`, which costs more and would make a `Buffer` out of what a socket reads. */
function view(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start)
}

function overheadOf({ args }: ReceivedFragment): number {
  if (args === noArgs) return fragmentOverheadBytes
  return fragmentOverheadBytes + argOverheadBytes * Object.keys(args).length
}

function giveBack(channel: Channel, frameBytes: number, heldBytes: number, overheadBytes: number): void {
  if (heldBytes + overheadBytes > 0) channel.unhold(heldBytes, overheadBytes)
  if (frameBytes > 0) channel.consume(frameBytes)
}
