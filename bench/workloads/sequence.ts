import { readNumber, writeNumber } from '../peers/number.ts'

/**
 * Checks what a consumer takes: messages of `bytes` bytes each, numbered from 0 at their beginning and at their end, none missing,
 * none twice, none out of order. Throws at the first that is wrong.
 */
export class Sequence {
  readonly #bytes: number
  #taken = 0
  #sum = 0

  constructor(bytes: number) {
    this.#bytes = bytes
  }

  get taken(): number {
    return this.#taken
  }

  take(bytes: Uint8Array, start: number, end: number): void {
    if (end - start !== this.#bytes)
      throw new Error(`message ${this.#taken} has ${end - start} bytes instead of ${this.#bytes}`)
    const number = readNumber(bytes, start)
    const last = readNumber(bytes, end - 4)
    if (number !== this.#taken || last !== number)
      throw new Error(`expected message ${this.#taken}, took ${number} ending in ${last}`)
    this.#taken += 1
    this.#sum += number
  }

  /** Checks that exactly `count` messages were taken and that their numbers add up; then begins again at 0. */
  finish(count: number): void {
    const sum = sumBelow(count)
    if (this.#taken !== count || this.#sum !== sum) {
      throw new Error(`took ${this.#taken} messages with sum ${this.#sum} instead of ${count} with sum ${sum}`)
    }
    this.#taken = 0
    this.#sum = 0
  }
}

/** Marks `bytes` as message `number` of a sequence. */
export function stamp(bytes: Uint8Array, number: number): void {
  writeNumber(bytes, 0, number)
  writeNumber(bytes, bytes.length - 4, number)
}

/** 0 + 1 + ... + (count - 1). */
export function sumBelow(count: number): number {
  return (count * (count - 1)) / 2
}
