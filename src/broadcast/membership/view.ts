import type { NodeId } from '../../identity/node-id.ts'
import type { Region, Ring } from '../ring.ts'

// With more members than one can know, each keeps those that stand next to it on the ring, and those at thirds of the way around, at thirds
// of a third, and so on. The first make sure that nobody is left out, the others that the way is short.
// (Stoica and others: Chord, 2001, with thirds; neighbours are found as in Jelasity and others: T-Man, 2009.)

export const nearEach = 4
const levels = 9

/** The members that stand next to a place, on both sides, `each` of them; without the one that stands there. */
export function nearest(ring: Ring, id: NodeId, each: number): readonly NodeId[] {
  const rank = ring.rank(id)
  const isThere = ring.has(id)
  const others = ring.size - (isThere ? 1 : 0)
  const after = Math.min(each, Math.ceil(others / 2))
  const before = Math.min(each, others - after)
  const first = rank + (isThere ? 1 : 0)
  const ids: NodeId[] = []
  for (let index = 0; index < after; index += 1) ids.push(ring.at(first + index))
  for (let index = 1; index <= before; index += 1) ids.push(ring.at(rank - index))
  return ids
}

/** In which whoever stands is one of those next to a member; all of the ring when there are not enough of them. */
export function regionAround(ring: Ring, id: NodeId): Region | 'all' {
  const near = nearest(ring, id, nearEach)
  const [last, first] = [near[nearEach - 1], near[2 * nearEach - 1]]
  return last === undefined || first === undefined ? 'all' : { from: first, to: last }
}

/** The members that come next behind each third of the way around from `id`, each third of a third, and so on. */
export function fingers(ring: Ring, id: NodeId, places: readonly NodeId[] = fingerPlaces(id)): ReadonlySet<NodeId> {
  const found = new Set<NodeId>()
  if (ring.size === 0) return found
  for (const place of places) found.add(ring.at(ring.rank(place)))
  found.delete(id)
  return found
}

/** Where the thirds are that are looked for from `id`. */
export function fingerPlaces(id: NodeId): readonly NodeId[] {
  const place = placeOf(id)
  const places: NodeId[] = []
  let step = 1
  for (let level = 0; level < levels; level += 1) {
    step /= 3
    for (const times of [1, 2]) places.push(idAt((place + times * step) % 1))
  }
  return places
}

/** Those whom a member keeps when it cannot know all; `places` are its fingers' places. */
export function core(ring: Ring, id: NodeId, places: readonly NodeId[]): ReadonlySet<NodeId> {
  const found = new Set(fingers(ring, id, places))
  for (const near of nearest(ring, id, nearEach)) found.add(near)
  return found
}

/** In the order of their codes, as ids are compared. */
const digits = '234567abcdefghijklmnopqrstuvwxyz'
/** Two of them each, in their order. */
const pairs = Array.from({ length: 1_024 }, (_, index) => digits.charAt(index >>> 5) + digits.charAt(index & 31))
const pairsUsed = 5

/** Where a member stands, from 0 to 1. */
function placeOf(id: NodeId): number {
  let place = 0
  for (let index = 0; index < 2 * pairsUsed; index += 1) place = place * 32 + digits.indexOf(id[index] ?? '2')
  return place / 1_024 ** pairsUsed
}

/** The first id that could stand there. */
function idAt(place: number): NodeId {
  let rest = Math.floor(place * 1_024 ** pairsUsed)
  let text = ''
  for (let index = 0; index < pairsUsed; index += 1) {
    text = (pairs[rest % 1_024] as string) + text
    rest = Math.floor(rest / 1_024)
  }
  return text as NodeId
}
