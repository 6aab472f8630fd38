import { PlaitError } from '../base/error.ts'

/** A session, as the budget of its node sees it. */
export interface Debtor {
  /** What its account has come to. */
  readonly usedBytes: number
  /** Ends at once, and gives everything back. Called in the middle of any call of any session of the node. */
  giveWay(error: PlaitError): void
}

/**
 * What all sessions of a node together make it hold, in bytes. Past its limit the session with the largest account ends there
 * and then, before any more is taken: who would wait for the end of the turn would let all the others charge theirs meanwhile.
 */
export class Budget {
  readonly limitBytes: number
  #usedBytes = 0
  readonly #debtors = new Set<Debtor>()

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes
  }

  get usedBytes(): number {
    return this.#usedBytes
  }

  /** How many sessions there are to choose from. */
  get size(): number {
    return this.#debtors.size
  }

  /** Past three quarters: nothing may grow. */
  get tight(): boolean {
    return this.#usedBytes > this.limitBytes * 0.75
  }

  enter(debtor: Debtor): void {
    this.#debtors.add(debtor)
  }

  leave(debtor: Debtor): void {
    this.#debtors.delete(debtor)
  }

  charge(bytes: number): void {
    this.#usedBytes += bytes
    while (this.#usedBytes > this.limitBytes) {
      const largest = this.#largest()
      if (largest === undefined) return
      this.leave(largest)
      const facts = { limit: this.limitBytes, used: largest.usedBytes }
      const what = 'all sessions together use up the memory of the node, and this one uses the most of it: read faster'
      largest.giveWay(new PlaitError('BUDGET', what, { facts }))
    }
  }

  release(bytes: number): void {
    this.#usedBytes -= bytes
  }

  #largest(): Debtor | undefined {
    let largest: Debtor | undefined
    for (const debtor of this.#debtors)
      if (largest === undefined || debtor.usedBytes > largest.usedBytes) largest = debtor
    return largest
  }
}
