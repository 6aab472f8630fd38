import { compareDots, formatDot } from './dot.ts'
import type { Dot } from './dot.ts'
import type { DotMap } from './dot-map.ts'
import type { MailboxCollection } from './mailbox-collection.ts'
import type { MailboxItem } from './mailbox-item.ts'
import { shownNames } from './names.ts'

/** What a mailbox looks like. Follows the mailbox. */
export class MailboxView {
  readonly #collections: DotMap<MailboxCollection>

  constructor(collections: DotMap<MailboxCollection>) {
    this.#collections = collections
  }

  /** The ids of the collections by the names under which they are shown: `NAME~N-WRITER` where two have the same. */
  collections(): ReadonlyMap<string, Dot> {
    const named = [...this.#collections.values()].flatMap(({ id, isShown, naming }) =>
      // Without a name: its items have come before it has. It is shown under its id.
      isShown ? [{ id, ...(naming ?? { name: formatDot(id), time: 0, dot: id }) }] : [],
    )
    return new Map([...shownNames(named)].map(([name, { id }]) => [name, id]))
  }

  /** The items of a collection, in the same order everywhere: by Lamport time, then by id. */
  items(collection: Dot): readonly MailboxItem[] {
    const items = [...(this.#collections.at(collection)?.items.values() ?? [])]
    return items.sort((left, right) => left.time - right.time || compareDots(left.id, right.id))
  }

  item(collection: Dot, id: Dot): MailboxItem | undefined {
    return this.#collections.at(collection)?.items.at(id)
  }
}
