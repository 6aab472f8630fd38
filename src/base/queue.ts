/** An array that is longer than this is let go of when the queue is empty; a shorter one is filled again. */
const keptItems = 64

/** First in, first out, in constant time: a head index moves instead of the elements (`Array.shift` is linear in V8 for long arrays). */
export class Queue<Item> {
  #items: (Item | undefined)[] = []
  #head = 0
  /** Where the next item goes. */
  #tail = 0

  get length(): number {
    return this.#tail - this.#head
  }

  push(item: Item): void {
    this.#items[this.#tail] = item
    this.#tail += 1
  }

  peek(): Item | undefined {
    return this.#head === this.#tail ? undefined : this.#items[this.#head]
  }

  /** The item that `index` others stand before. */
  at(index: number): Item | undefined {
    return index < this.length ? this.#items[this.#head + index] : undefined
  }

  /** The newest item. */
  last(): Item | undefined {
    return this.length === 0 ? undefined : this.#items[this.#tail - 1]
  }

  shift(): Item | undefined {
    if (this.#head === this.#tail) return undefined
    const item = this.#items[this.#head]
    this.#items[this.#head] = undefined
    this.#head += 1
    if (this.#head === this.#tail) {
      if (this.#items.length > keptItems) this.#items = []
      this.#head = 0
      this.#tail = 0
    } else if (this.#head >= 1024 && this.#head * 2 >= this.#tail) {
      this.#items = this.#items.slice(this.#head, this.#tail)
      this.#tail -= this.#head
      this.#head = 0
    }
    return item
  }

  /** Removes the first occurrence of `item`; linear, for rare events only. */
  remove(item: Item): boolean {
    const index = this.#items.indexOf(item, this.#head)
    if (index < 0 || index >= this.#tail) return false
    this.#items.splice(index, 1)
    this.#tail -= 1
    return true
  }

  clear(): void {
    this.#items = []
    this.#head = 0
    this.#tail = 0
  }

  *[Symbol.iterator](): IterableIterator<Item> {
    for (let index = this.#head; index < this.#tail; index += 1) yield this.#items[index] as Item
  }
}
