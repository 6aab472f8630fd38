import type { PlaitError } from '../base/error.ts'
import { Queue } from '../base/queue.ts'
import { Waiters } from '../base/waiters.ts'
import type { Circuit, Fragment } from '../circuit/circuit-api.ts'
import { malformed } from '../wire/reader.ts'
import { freshBytes } from './disk/fresh-bytes.ts'
import { smallFileBytes } from './pack.ts'
import { dataBytes, ops, windowFragments } from './protocol.ts'
import { wantsMax } from './want.ts'

/** A fragment of a content circuit, as a lane works on it. */
export interface Arrival {
  readonly op: number
  readonly payload: Uint8Array
  /** To be called once when nobody needs the payload any more. */
  readonly release: () => void
}

/** All that can be asked for at a time, sent at once. */
const packBytesMax = wantsMax * (smallFileBytes + 1_024)

/**
 * The receiver's side of a content circuit: takes fragments as they come, and keeps them until the lane gets to them. Data goes
 * into buffers that are used again and again; how many there are is the window, and each one that is free again is told to
 * the sharer, which so sends no faster than the disk writes.
 */
export class LaneInbox {
  readonly #circuit: Circuit
  readonly #arrivals = new Queue<Arrival>()
  readonly #arrived = new Waiters()
  readonly #free: Uint8Array[] = []
  #inUse = 0
  #returned = 0
  #packBytes = 0
  #failure: PlaitError | undefined
  #ended = false

  /** Takes the circuit's callback door. */
  constructor(circuit: Circuit) {
    this.#circuit = circuit
    circuit.receive((fragment) => this.#take(fragment))
    void circuit.closed.then(() => {
      this.#ended = true
      this.#arrived.wake()
    })
  }

  /** The next fragment, or undefined when the circuit has ended. Rejects with `PROTOCOL` or the signal's reason. */
  async next(signal: AbortSignal): Promise<Arrival | undefined> {
    while (this.#arrivals.length === 0) {
      if (this.#failure !== undefined) throw this.#failure
      if (this.#ended) return undefined
      await this.#arrived.wait(signal)
    }
    return this.#arrivals.shift()
  }

  #take(fragment: Fragment): void {
    if (this.#failure !== undefined) return
    const arrival = fragment.op === ops.data ? this.#takeData(fragment.payload) : this.#takeOther(fragment)
    if (arrival === undefined) this.#circuit.abort(this.#failure)
    else this.#arrivals.push(arrival)
    this.#arrived.wake()
  }

  /** The payload is only lent to us: it is copied into a buffer of ours. */
  #takeData(payload: Uint8Array): Arrival | undefined {
    if (payload.length > dataBytes || this.#inUse === windowFragments) {
      this.#failure = malformed('more of a file at once than was agreed')
      return undefined
    }
    const buffer = this.#free.pop() ?? freshBytes(dataBytes)
    this.#inUse += 1
    buffer.set(payload)
    return { op: ops.data, payload: buffer.subarray(0, payload.length), release: () => this.#return(buffer) }
  }

  #takeOther({ op, payload }: Fragment): Arrival | undefined {
    const { length } = payload
    this.#packBytes += length
    if (this.#packBytes > packBytesMax) {
      this.#failure = malformed('more files at once than were asked for')
      return undefined
    }
    const release = (): void => {
      this.#packBytes -= length
    }
    return { op, payload: payload.slice(), release }
  }

  #return(buffer: Uint8Array): void {
    this.#inUse -= 1
    this.#returned += 1
    this.#free.push(buffer)
    if (this.#circuit.state === 'open') this.#circuit.send({ op: ops.more, part: this.#returned })
  }
}
