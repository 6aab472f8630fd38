import { Queue } from '../base/queue.ts'

/** Where somebody stands in a line; `undefined` when their turn has come, or they have left. */
export interface Place<Item> {
  item: Item | undefined
}

/** First in, first out, for those who may leave before their turn: who has left is forgotten at once, and costs no turn. */
export class Line<Item> {
  #places: Queue<Place<Item>> = new Queue()
  #length = 0

  get length(): number {
    return this.#length
  }

  push(item: Item): Place<Item> {
    const place: Place<Item> = { item }
    this.#places.push(place)
    this.#length += 1
    return place
  }

  shift(): Item | undefined {
    for (let place = this.#places.shift(); place !== undefined; place = this.#places.shift()) {
      const { item } = place
      if (item === undefined) continue
      place.item = undefined
      this.#length -= 1
      return item
    }
    return undefined
  }

  /** False when the turn had come already. */
  leave(place: Place<Item>): boolean {
    if (place.item === undefined) return false
    place.item = undefined
    this.#length -= 1
    if (this.#places.length > 2 * this.#length + 64) this.#close()
    return true
  }

  /** Empties the line; gives who stood there. */
  clear(): readonly Item[] {
    const items: Item[] = []
    for (let item = this.shift(); item !== undefined; item = this.shift()) items.push(item)
    return items
  }

  /** Closes the gaps of those who have left. */
  #close(): void {
    const places = this.#places
    this.#places = new Queue()
    for (const place of places) if (place.item !== undefined) this.#places.push(place)
  }
}
