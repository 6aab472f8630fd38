import { compareDots } from './dot.ts'
import type { Dot } from './dot.ts'

/** Something with a name that others in the same place may have as well. */
export interface Named {
  readonly id: Dot
  readonly name: string
  /** When it got the name: Lamport time, and the dot of the operation. */
  readonly time: number
  readonly dot: Dot
}

/**
 * Settles who is shown under which name: of those with the same one, whoever had it first keeps it; the others are shown as
 * `NAME~N-WRITER`, with the number and the first characters of the writer of their id, and more `~` as long as something in the place
 * is called that. The same everywhere, and no two alike.
 */
export function shownNames<Item extends Named>(items: readonly Item[]): ReadonlyMap<string, Item> {
  const itemsByName = new Map<string, Item>()
  const losers: Item[] = []
  for (const item of items.toSorted(compareAge)) {
    if (itemsByName.has(item.name)) losers.push(item)
    else itemsByName.set(item.name, item)
  }
  for (const item of losers) {
    let name = `${item.name}~${item.id.number}-${item.id.writer.slice(0, 8)}`
    while (itemsByName.has(name)) name += '~'
    itemsByName.set(name, item)
  }
  return itemsByName
}

/** The earlier first: by Lamport time, then by dot. */
export function compareAge(left: Pick<Named, 'time' | 'dot'>, right: Pick<Named, 'time' | 'dot'>): number {
  return left.time - right.time || compareDots(left.dot, right.dot)
}
