import type { NodeId } from '../identity/node-id.ts'

/** The part of the ring strictly between two members, clockwise. When both are the same: all of the ring but that member. */
export interface Region {
  readonly from: NodeId
  readonly to: NodeId
}

/** Where in a ring the members of a region stand: at `start`, `start + 1` and so on, around. */
export interface Range {
  readonly start: number
  readonly count: number
}

/** Node ids in their order, and behind the last one the first again. */
export class Ring {
  readonly #ids: NodeId[]

  constructor(ids: Iterable<NodeId> = []) {
    this.#ids = [...new Set(ids)].sort(compare)
  }

  get size(): number {
    return this.#ids.length
  }

  get ids(): readonly NodeId[] {
    return this.#ids
  }

  /** `index` goes around in both directions. The ring is not empty. */
  at(index: number): NodeId {
    const { length } = this.#ids
    return this.#ids[((index % length) + length) % length] as NodeId
  }

  has(id: NodeId): boolean {
    return this.#ids[this.rank(id)] === id
  }

  /** Whether it was not there. */
  add(id: NodeId): boolean {
    const rank = this.rank(id)
    if (this.#ids[rank] === id) return false
    this.#ids.splice(rank, 0, id)
    return true
  }

  /** Whether it was there. */
  remove(id: NodeId): boolean {
    const rank = this.rank(id)
    if (this.#ids[rank] !== id) return false
    this.#ids.splice(rank, 1)
    return true
  }

  /** How many stand before `id`, whether it is here or not. */
  rank(id: NodeId): number {
    let [low, high] = [0, this.#ids.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#ids[middle] as NodeId) < id) low = middle + 1
      else high = middle
    }
    return low
  }

  within({ from, to }: Region): Range {
    const { length } = this.#ids
    const start = this.rank(from) + (this.has(from) ? 1 : 0)
    const end = this.rank(to)
    if (from < to) return { start, count: end - start }
    return { start, count: length - start + end }
  }
}

/** Whether `id` stands strictly between the ends of `region`. */
export function isWithin(id: NodeId, { from, to }: Region): boolean {
  if (from < to) return from < id && id < to
  return id > from || id < to
}

/** Whether all of `inner` is in `outer`. */
export function isPartOf(inner: Region, outer: Region): boolean {
  if (inner.from === outer.from && inner.to === outer.to) return true
  if (outer.from === outer.to) return !isWithin(outer.from, inner)
  if (inner.from === inner.to) return false
  const isStartIn = inner.from === outer.from || isWithin(inner.from, outer)
  const isEndIn = inner.to === outer.to || isWithin(inner.to, outer)
  if (!isStartIn || !isEndIn) return false
  // Both ends are in it, and so is what lies between, unless that goes around by the outside.
  return !isWithin(outer.to, inner) && !isWithin(outer.from, inner)
}

function compare(one: NodeId, other: NodeId): number {
  return one < other ? -1 : one > other ? 1 : 0
}
