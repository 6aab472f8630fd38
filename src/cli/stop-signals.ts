import { PlaitError } from '../base/error.ts'

/** What a shell says of a program that SIGINT has ended. */
const interruptedCode = 130

const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Ctrl-C and its like: the first fires `signal`, so that the program ends in order; the second ends it at once. */
export class StopSignals implements Disposable {
  readonly #controller = new AbortController()
  readonly #listener = (): void => {
    if (this.#controller.signal.aborted) process.exit(interruptedCode)
    this.#controller.abort(new PlaitError('ABORTED', 'stopped; run the same command again to go on'))
  }

  constructor() {
    for (const name of names) process.on(name, this.#listener)
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Resolves when the first signal has come. */
  stopped(): Promise<void> {
    const { signal } = this
    return new Promise((resolve) => {
      if (signal.aborted) resolve()
      else signal.addEventListener('abort', () => resolve(), { once: true })
    })
  }

  [Symbol.dispose](): void {
    // The program is on its way out: a second signal that comes only now still ends it as the second one does.
    if (this.#controller.signal.aborted) return
    for (const name of names) process.off(name, this.#listener)
  }
}
