import { PlaitError } from '../base/error.ts'
import type { Circuit, WaitOptions } from '../circuit/circuit-api.ts'
import { parseUrl } from '../node/url.ts'
import { Backoff } from '../node/backoff.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { feedPeerId, feedService, type Exchange } from './exchange.ts'
import type { FeedConnection } from './feed-api.ts'

/** A circuit has to last for so long before the pauses begin with the short ones again. */
const steadyMs = 10_000

/** Keeps a circuit for feeds to another node open, until it is closed. */
export class DialledConnection implements FeedConnection {
  readonly address: string
  readonly #exchange: Exchange
  readonly #runtime: Runtime
  readonly #ending = new AbortController()
  #circuit: Circuit | undefined
  #backoff: Backoff

  private constructor(address: string, exchange: Exchange, runtime: Runtime) {
    this.address = address
    this.#exchange = exchange
    this.#runtime = runtime
    this.#backoff = new Backoff(runtime.random)
  }

  /** Rejects as `Peer.open` does when the first circuit cannot be opened. */
  static async open(
    address: string,
    exchange: Exchange,
    runtime: Runtime,
    options: WaitOptions,
  ): Promise<DialledConnection> {
    const connection = new DialledConnection(address, exchange, runtime)
    const circuit = await connection.#open(options)
    void connection.#keep(circuit)
    return connection
  }

  get isClosed(): boolean {
    return this.#ending.signal.aborted
  }

  get isOpen(): boolean {
    const { nodeId } = parseUrl(this.address)
    return this.#exchange.isJoined(nodeId)
  }

  async close(): Promise<void> {
    this.#ending.abort(new PlaitError('CANCELLED', 'the connection was closed here'))
    await this.#circuit?.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #open(options: WaitOptions): Promise<Circuit> {
    const url = `${this.address.replace(/\/$/, '')}/${feedService}/${feedPeerId}`
    const circuit = await this.#exchange.peer.open(url, undefined, options)
    this.#circuit = circuit
    this.#exchange.join(circuit)
    return circuit
  }

  async #keep(first: Circuit): Promise<void> {
    const { signal } = this.#ending
    let circuit: Circuit | undefined = first
    while (!signal.aborted) {
      const openedAt = this.#runtime.clock.now()
      await circuit?.closed
      if (this.#runtime.clock.now() - openedAt >= steadyMs) this.#backoff = new Backoff(this.#runtime.random)
      // The other node may have opened one in the meantime.
      do await this.#pause(this.#backoff.next())
      while (!signal.aborted && this.isOpen)
      if (signal.aborted || this.#exchange.peer.signal.aborted) return
      circuit = await this.#open({ signal }).catch(() => undefined)
    }
  }

  #pause(delayMs: number): Promise<void> {
    const { signal } = this.#ending
    return new Promise((resolve) => {
      const timer = this.#runtime.timers.after(delayMs, end)
      function end(): void {
        timer.cancel()
        signal.removeEventListener('abort', end)
        resolve()
      }
      signal.addEventListener('abort', end, { once: true })
    })
  }
}
