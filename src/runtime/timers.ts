export interface Timer {
  /** Harmless when the timer has fired or was cancelled. */
  cancel(): void
}

export interface Timers {
  /** Calls `fire` once, `delayMs` (from 0 up, without an upper end) from now. A timer does not keep the process alive when `background`. */
  after(delayMs: number, fire: () => void, options?: { readonly background?: boolean }): Timer
  /** Calls `run` once, when the events of the present turn of the event loop have been handled. */
  endOfTurn(run: () => void): void
}
