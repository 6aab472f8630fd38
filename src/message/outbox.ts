import { PlaitError } from '../base/error.ts'
import { Queue } from '../base/queue.ts'
import type { Circuit } from '../circuit/circuit-api.ts'
import type { Timer } from '../runtime/timers.ts'
import type { FragmentFields } from '../wire/fragment.ts'

export interface OutboxOptions {
  readonly circuit: Circuit
  readonly flushMs: number
  readonly batchBytes: number
  /** There is room again, after there was none. */
  readonly drained: () => void
  readonly flushed: () => void
}

/** How long a fragment waits that is too large for what is left of the send buffer, until it is tried again. */
const retryMs = 5

/** What leaves a messenger, in order: at once, or after `flushMs`, or when the circuit has room for it. */
export class Outbox {
  readonly #options: OutboxOptions
  readonly #held: Queue<FragmentFields> = new Queue()
  #heldBytes = 0
  #timer: Timer | undefined
  #isWaiting = false

  constructor(options: OutboxOptions) {
    this.#options = options
  }

  /** Whether more may come. */
  get roomy(): boolean {
    return this.#bytes < this.#options.circuit.context.limits.sendBufferMarkBytes
  }

  /** The other side takes nothing, or too slowly for what it asks for. */
  get choked(): boolean {
    return this.#bytes > this.#options.circuit.context.limits.accountBytes
  }

  get empty(): boolean {
    return this.#held.length === 0
  }

  /** Takes what must leave: it is bounded by who makes it. What a circuit that is closing would not carry is dropped. */
  send(fragment: FragmentFields): void {
    if (!this.#isOpen) return
    if (this.#options.flushMs > 0 || this.#held.length > 0 || !this.#pass(fragment)) this.#hold(fragment)
    else if (!this.roomy) this.#wait()
  }

  /** Whether `bytes` more may be sent. Throws `BUFFER_FULL`, `CIRCUIT_CLOSED`. */
  check(bytes: number): void {
    if (!this.#isOpen)
      throw new PlaitError('CIRCUIT_CLOSED', 'nothing can be sent any more: the circuit has ended, or is closing')
    const limit = this.#options.circuit.context.limits.sendBufferBytes
    if (this.#bytes > 0 && this.#bytes + bytes > limit)
      throw new PlaitError('BUFFER_FULL', 'too much waits to be sent: wait for ready() before there is more', {
        facts: { limit },
      })
  }

  flush(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    if (this.#held.length > 0) this.#options.flushed()
    while (this.#held.length > 0) {
      if (!this.#isOpen) {
        this.clear()
        return
      }
      const fragment = this.#held.peek() as FragmentFields
      if (!this.#pass(fragment)) {
        this.#wait()
        return
      }
      this.#held.shift()
      this.#heldBytes -= bytesOf(fragment)
    }
    if (!this.roomy) this.#wait()
  }

  clear(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#held.clear()
    this.#heldBytes = 0
  }

  get #bytes(): number {
    return this.#options.circuit.bufferedBytes + this.#heldBytes
  }

  get #isOpen(): boolean {
    const { state } = this.#options.circuit
    return state === 'open' || state === 'opening'
  }

  /** False when the circuit has no room for it now. What an ended circuit does not take is dropped. */
  #pass(fragment: FragmentFields): boolean {
    try {
      this.#options.circuit.send(fragment)
      return true
    } catch (error) {
      if (PlaitError.is(error) && error.code === 'BUFFER_FULL') return false
      if (PlaitError.is(error) && error.code === 'CIRCUIT_CLOSED') return true
      throw error
    }
  }

  #hold(fragment: FragmentFields): void {
    const { circuit, flushMs, batchBytes } = this.#options
    this.#held.push(fragment)
    this.#heldBytes += bytesOf(fragment)
    if (this.#isWaiting) return
    if (flushMs === 0) this.#wait()
    else if (this.#heldBytes >= batchBytes) this.flush()
    else this.#timer ??= circuit.context.runtime.timers.after(flushMs, () => this.flush())
  }

  /** For room in the circuit. */
  #wait(): void {
    // A circuit that closes is always ready, and takes nothing any more.
    if (this.#isWaiting || !this.#isOpen) return
    this.#isWaiting = true
    const { circuit, drained } = this.#options
    const { limits, runtime } = circuit.context
    const goOn = (): void => {
      this.#isWaiting = false
      this.flush()
      drained()
    }
    // Below its mark the circuit is ready at once, also for what it has no room for yet.
    if (circuit.bufferedBytes < limits.sendBufferMarkBytes) runtime.timers.after(retryMs, goOn)
    else
      circuit.ready().then(goOn, () => {
        this.#isWaiting = false
        this.clear()
      })
  }
}

function bytesOf({ payload }: FragmentFields): number {
  return 32 + (payload === undefined ? 0 : payload.length)
}
