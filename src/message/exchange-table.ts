import { PlaitError } from '../base/error.ts'
import { NumberMap } from '../base/number-map.ts'
import type { Exchange } from './exchange.ts'
import { largestNumber } from './frame.ts'

/** The exchanges of a circuit that are alive, by who has begun them and by their numbers, which are never used again. */
export class ExchangeTable {
  readonly #ours: NumberMap<Exchange> = new NumberMap()
  readonly #theirs: NumberMap<Exchange> = new NumberMap()
  #lastOurs = 0
  #lastTheirs = 0

  get oursLive(): number {
    return this.#ours.size
  }

  get theirsLive(): number {
    return this.#theirs.size
  }

  /** Gives an exchange of this end the next number. Throws `BUSY` when there is none left. */
  add(exchange: Exchange): void {
    if (this.#lastOurs >= largestNumber)
      throw new PlaitError('BUSY', 'this circuit has used all its numbers: open another one')
    this.#lastOurs += 1
    exchange.number = this.#lastOurs
    this.#ours.set(exchange.number, exchange)
  }

  /** The other side uses up a number, whether its exchange is taken or not. Throws `PROTOCOL`. */
  take(initiator: boolean, number: number): void {
    if (!initiator || number <= this.#lastTheirs)
      throw new PlaitError('PROTOCOL', `the other side began exchange ${number}, which is not its to begin now`)
    this.#lastTheirs = number
  }

  /** An exchange of the other side is taken. */
  keep(exchange: Exchange): void {
    this.#theirs.set(exchange.number, exchange)
  }

  /** What the other side speaks of; undefined when it is over. Throws `PROTOCOL` for what was never begun. */
  find(initiator: boolean, number: number): Exchange | undefined {
    const exchange = (initiator ? this.#theirs : this.#ours).get(number)
    if (exchange !== undefined) return exchange
    if (number === 0 || number > (initiator ? this.#lastTheirs : this.#lastOurs))
      throw new PlaitError('PROTOCOL', `the other side sent a message of exchange ${number}, which was never begun`)
    return undefined
  }

  /** False when it is not there. */
  remove(exchange: Exchange): boolean {
    return (exchange.ours ? this.#ours : this.#theirs).delete(exchange.number)
  }

  /** Empties the table; gives what was alive. */
  clear(): Exchange[] {
    const all = [...this.#ours.values(), ...this.#theirs.values()]
    this.#ours.clear()
    this.#theirs.clear()
    return all
  }
}
