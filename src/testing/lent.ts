import { Queue } from '../base/queue.ts'
import { checksum } from './trace.ts'

interface Loan {
  readonly bytes: Uint8Array
  /** What the bytes summed up to when they were lent. */
  readonly sum: number
  /** Numbered frames that had left with them, of all that ever have. */
  readonly sentFrames: number
}

/** What a session has handed to its links and the other side has not acknowledged: until then nobody may change it. */
export class Lent {
  readonly #loans = new Queue<Loan>()

  add(chunks: readonly Uint8Array[], sentFrames: number): void {
    for (const bytes of chunks) this.#loans.push({ bytes, sum: checksum(bytes), sentFrames })
  }

  /** So much has been acknowledged. Throws when it is not any more what it was. */
  release(acknowledgedFrames: number): void {
    for (let loan = this.#loans.peek(); loan !== undefined; loan = this.#loans.peek()) {
      if (loan.sentFrames > acknowledgedFrames) return
      this.#loans.shift()
      check(loan)
    }
  }

  /** The link is gone, and what has not been acknowledged may have to be sent again. Throws when it is not any more what it was. */
  recheck(): void {
    for (const loan of this.#loans) check(loan)
  }
}

function check({ bytes, sum }: Loan): void {
  if (checksum(bytes) === sum) return
  throw new Error(`${bytes.length} bytes were changed between being lent to the link and being acknowledged`)
}
