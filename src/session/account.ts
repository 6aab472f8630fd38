import type { Budget } from './budget.ts'

/** Memory that the other side of a session makes us hold, in bytes. What is charged here is charged to the node's budget as well. */
export class Account {
  readonly limitBytes: number
  readonly #budget: Budget | undefined
  #usedBytes = 0

  constructor(limitBytes: number, budget?: Budget) {
    this.limitBytes = limitBytes
    this.#budget = budget
  }

  get usedBytes(): number {
    return this.#usedBytes
  }

  /** Past its limit: somebody has to give way. */
  get exhausted(): boolean {
    return this.#usedBytes > this.limitBytes
  }

  /** Past three quarters, here or in the budget: nothing may grow. */
  get tight(): boolean {
    return this.#usedBytes > this.limitBytes * 0.75 || (this.#budget?.tight ?? false)
  }

  /** The budget may end this very session because of it, which clears the account. */
  charge(bytes: number): void {
    this.#usedBytes += bytes
    this.#budget?.charge(bytes)
  }

  release(bytes: number): void {
    this.#usedBytes -= bytes
    this.#budget?.release(bytes)
  }

  /** Gives everything back, at the end of a session. */
  clear(): void {
    this.release(this.#usedBytes)
  }
}
