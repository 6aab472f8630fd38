import type { Dot, Writer } from './dot.ts'

/** Values by dot. A map of maps: a text for each dot would cost more than most values. */
export class DotMap<Value> {
  readonly #valuesByWriter = new Map<Writer, Map<number, Value>>()

  get isEmpty(): boolean {
    return this.#valuesByWriter.size === 0
  }

  at({ writer, number }: Dot): Value | undefined {
    return this.#valuesByWriter.get(writer)?.get(number)
  }

  has({ writer, number }: Dot): boolean {
    return this.#valuesByWriter.get(writer)?.has(number) ?? false
  }

  set({ writer, number }: Dot, value: Value): void {
    const values = this.#valuesByWriter.get(writer)
    if (values === undefined) this.#valuesByWriter.set(writer, new Map([[number, value]]))
    else values.set(number, value)
  }

  delete({ writer, number }: Dot): void {
    const values = this.#valuesByWriter.get(writer)
    values?.delete(number)
    if (values?.size === 0) this.#valuesByWriter.delete(writer)
  }

  /** The values, in no order that two replicas would share. */
  *values(): Generator<Value> {
    for (const values of this.#valuesByWriter.values()) yield* values.values()
  }
}
