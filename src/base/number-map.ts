/**
 * A map from numbers above 0, mostly given out in order, for tables whose entries come and go by the million. A `Map` that is used so
 * leaves a trail of dead tables, each of which keeps the next one and its entries alive until the next full collection. This one is an
 * open table with linear probing, whose gaps are closed when an entry goes (Knuth, "The Art of Computer Programming", 6.4, algorithm R).
 */
export class NumberMap<Value> {
  #keys: number[] = new Array<number>(smallest).fill(0)
  #values: (Value | undefined)[] = new Array<Value | undefined>(smallest).fill(undefined)
  #mask = smallest - 1
  #size = 0

  get size(): number {
    return this.#size
  }

  get(key: number): Value | undefined {
    return this.#values[this.#find(key)]
  }

  set(key: number, value: Value): void {
    const at = this.#find(key)
    if (this.#keys[at] === 0) {
      if (this.#size * 2 > this.#mask) {
        this.#resize((this.#mask + 1) * 2)
        this.set(key, value)
        return
      }
      this.#size += 1
      this.#keys[at] = key
    }
    this.#values[at] = value
  }

  /** Whether there was one. */
  delete(key: number): boolean {
    let gap = this.#find(key)
    if (this.#keys[gap] === 0) return false
    this.#size -= 1
    for (let at = (gap + 1) & this.#mask; this.#keys[at] !== 0; at = (at + 1) & this.#mask) {
      const home = (this.#keys[at] as number) & this.#mask
      // An entry may move into the gap unless its home lies between the two.
      if (((at - home) & this.#mask) < ((at - gap) & this.#mask)) continue
      this.#keys[gap] = this.#keys[at] as number
      this.#values[gap] = this.#values[at]
      gap = at
    }
    this.#keys[gap] = 0
    this.#values[gap] = undefined
    return true
  }

  clear(): void {
    this.#size = 0
    this.#resize(smallest)
  }

  /** In no order. The map must not change meanwhile. */
  *values(): IterableIterator<Value> {
    for (let at = 0; at <= this.#mask; at += 1) if (this.#keys[at] !== 0) yield this.#values[at] as Value
  }

  /** Where a key stands, or would. */
  #find(key: number): number {
    let at = key & this.#mask
    while (this.#keys[at] !== key && this.#keys[at] !== 0) at = (at + 1) & this.#mask
    return at
  }

  #resize(length: number): void {
    const keys = this.#keys
    const values = this.#values
    const size = this.#size
    this.#keys = new Array<number>(length).fill(0)
    this.#values = new Array<Value | undefined>(length).fill(undefined)
    this.#mask = length - 1
    if (size === 0) return
    for (const [index, key] of keys.entries()) {
      if (key === 0) continue
      const at = this.#find(key)
      this.#keys[at] = key
      this.#values[at] = values[index]
    }
  }
}

const smallest = 16
