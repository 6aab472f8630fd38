import { Queue } from './queue.ts'

type Resolve<Value> = (value: Value | Promise<Value>) => void

/** Promises that wait for one event. The first one costs no list: mostly there is one, and thousands of objects have it. */
export class Waiters<Value = void> {
  #first: Resolve<Value> | undefined
  #others: Queue<Resolve<Value>> | undefined

  get any(): boolean {
    return this.#first !== undefined
  }

  /** Resolves at the next `wake`; rejects with the reason of `fail` or of the signal, whichever comes first. */
  wait(signal?: AbortSignal): Promise<Value> {
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error)
    return new Promise((resolve) => {
      this.#add(signal === undefined ? resolve : this.#abortable(resolve, signal))
    })
  }

  /** Wakes all that wait. */
  wake(value: Value): void {
    const first = this.#first
    if (first === undefined) return
    const others = this.#others
    this.#first = undefined
    this.#others = undefined
    first(value)
    if (others !== undefined) for (const resolve of others) resolve(value)
  }

  /** Wakes the one that has waited longest. */
  wakeFirst(value: Value): void {
    const first = this.#first
    this.#first = this.#others?.shift()
    first?.(value)
  }

  fail(reason: unknown): void {
    for (const resolve of this.#take()) resolve(Promise.reject(reason))
  }

  #take(): readonly Resolve<Value>[] {
    const first = this.#first
    if (first === undefined) return []
    const waiting = [first, ...(this.#others ?? [])]
    this.#first = undefined
    this.#others = undefined
    return waiting
  }

  #add(resolve: Resolve<Value>): void {
    if (this.#first === undefined) this.#first = resolve
    else (this.#others ??= new Queue()).push(resolve)
  }

  #abortable(resolve: Resolve<Value>, signal: AbortSignal): Resolve<Value> {
    const settle = (value: Value | Promise<Value>): void => {
      signal.removeEventListener('abort', abort)
      resolve(value)
    }
    const abort = (): void => {
      for (const other of this.#take()) if (other !== settle) this.#add(other)
      resolve(Promise.reject(signal.reason as Error))
    }
    signal.addEventListener('abort', abort, { once: true })
    return settle
  }
}
