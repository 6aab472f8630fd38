import { Queue } from '../base/queue.ts'
import { headerBytes, writeHeader } from '../wire/frame.ts'
import type { Batch } from './batch.ts'
import type { Channel } from './channel.ts'
import { Outbox } from './outbox.ts'
import type { Slab } from './slab.ts'

/** What a channel may take before the next one has its turn, and its largest piece, while others wait. */
const sharedTurnBytes = 16 * 1024

/** How many channels that are gone may stand in the ring, or half of it. */
const goneMin = 64

/** Decides what leaves next: what is urgent, then the channels that have something to send and credit for it, in turn. */
export class Scheduler {
  /** Largest body of a frame that the other side takes. */
  readonly #frameBytes: number
  readonly #ring = new Queue<Channel>()
  readonly #urgent = new Outbox(0, 0)
  /** Bytes put in since the last batch left. */
  fresh = 0
  /** Channels in the ring that are gone. */
  #gone = 0
  /** The channel that has its turn; it does not stand in the ring. */
  #current: Channel | undefined

  constructor(frameBytes: number) {
    this.#frameBytes = frameBytes
  }

  get idle(): boolean {
    return this.#ring.length === 0 && this.#urgent.empty
  }

  /** How many channels stand in the ring, those among them that are gone included. */
  get length(): number {
    return this.#ring.length
  }

  /** What is urgent and has not left. */
  get urgentBytes(): number {
    return this.#urgent.bufferedBytes
  }

  enqueue(channel: Channel, bytes: number): void {
    this.fresh += bytes
    if (channel.scheduled) return
    channel.scheduled = true
    this.#ring.push(channel)
  }

  /** A channel is gone. When a link takes nothing, those that come and go must not pile up in the ring. */
  forget(channel: Channel): void {
    if (!channel.scheduled || channel === this.#current) return
    this.#gone += 1
    if (this.#gone < goneMin || this.#gone * 2 < this.#ring.length) return
    const living = [...this.#ring].filter(({ removed }) => !removed)
    this.#ring.clear()
    for (const one of living) this.#ring.push(one)
    this.#gone = 0
  }

  /** A frame that goes ahead of all queues: REFUSE, RESET. */
  enqueueUrgent(slab: Slab, channel: number, type: number, body: Uint8Array): void {
    slab.reserve(headerBytes + body.length)
    const { bytes, used } = slab
    writeHeader(bytes, used, type, body.length, channel)
    bytes.set(body, used + headerBytes)
    slab.used = used + headerBytes + body.length
    this.#urgent.appendFrame(bytes, used, slab.used, false)
  }

  /** Fills the batch: first up to `controlBytes` of what is urgent, then up to `roomBytes` in all; each by one frame more at most. */
  take(batch: Batch, slab: Slab, roomBytes: number, controlBytes: number, now: number): void {
    this.fresh = 0
    const pieceBytes = this.#frameBytes
    const endBytes = batch.bytes + roomBytes
    if (controlBytes > 0) this.#urgent.take({ batch, slab, budgetBytes: controlBytes, pieceBytes })
    while (batch.bytes < endBytes) {
      const channel = this.#ring.shift()
      if (channel === undefined) return
      if (channel.removed) {
        this.#gone -= 1
        continue
      }
      const alone = this.#ring.length === 0
      const leftBytes = endBytes - batch.bytes
      const budgetBytes = alone ? leftBytes : Math.min(leftBytes, sharedTurnBytes)
      const turn = { batch, slab, budgetBytes, pieceBytes: alone ? pieceBytes : sharedTurnBytes }
      this.#current = channel
      const more = channel.take(turn, now)
      this.#current = undefined
      if (more && !channel.removed) this.#ring.push(channel)
      else channel.scheduled = false
    }
  }

  clear(): void {
    this.#ring.clear()
    this.#gone = 0
    this.#urgent.clear()
  }
}
