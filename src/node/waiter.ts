import type { Timer, Timers } from '../runtime/timers.ts'

export interface WaiterOptions {
  readonly timers: Timers
  readonly signal?: AbortSignal | undefined
  /** Forever when absent. */
  readonly timeoutMs?: number | undefined
  /** What the promise is rejected with when time is up. */
  readonly timeout: () => Error
  /** Called once when it is over, whichever way. */
  readonly ended?: () => void
}

/**
 * A promise that settles once: by `resolve`, by `reject`, by its time-out, or with the reason of its signal. Then its timer and
 * its one listener are gone.
 */
export class Waiter<Value> {
  readonly promise: Promise<Value>
  readonly #options: WaiterOptions
  #settle: { resolve: (value: Value) => void; reject: (error: unknown) => void } | undefined
  #timer: Timer | undefined
  readonly #onAbort = (): void => this.reject(this.#options.signal?.reason)

  constructor(options: WaiterOptions) {
    this.#options = options
    this.promise = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject }
    })
    const { signal, timers, timeoutMs } = options
    if (signal?.aborted === true) {
      this.reject(signal.reason)
      return
    }
    signal?.addEventListener('abort', this.#onAbort)
    if (timeoutMs !== undefined) this.#timer = timers.after(timeoutMs, () => this.reject(options.timeout()))
  }

  get settled(): boolean {
    return this.#settle === undefined
  }

  resolve(value: Value): void {
    this.#end()?.resolve(value)
  }

  reject(error: unknown): void {
    this.#end()?.reject(error)
  }

  #end(): { resolve: (value: Value) => void; reject: (error: unknown) => void } | undefined {
    const settle = this.#settle
    if (settle === undefined) return undefined
    this.#settle = undefined
    this.#timer?.cancel()
    this.#options.signal?.removeEventListener('abort', this.#onAbort)
    this.#options.ended?.()
    return settle
  }
}

/** Resolves after `delayMs`; rejects with the signal's reason. */
export async function pause(delayMs: number, timers: Timers, signal: AbortSignal): Promise<void> {
  const waiter = new Waiter<void>({ timers, signal, timeout: () => new Error('never') })
  const timer = timers.after(delayMs, () => waiter.resolve())
  try {
    await waiter.promise
  } finally {
    timer.cancel()
  }
}
