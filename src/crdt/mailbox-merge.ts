import type { Change } from './crdt-type.ts'
import type { DotSet } from './dot-set.ts'
import type { MailboxCollection } from './mailbox-collection.ts'
import { MailboxItem } from './mailbox-item.ts'

/** Takes over what another replica holds of a collection. */
export function mergeMailbox(
  mine: MailboxCollection,
  seen: DotSet,
  theirs: MailboxCollection,
  bothSeen: DotSet,
): readonly Change[] {
  const changes: Change[] = []
  const { id: collection } = mine
  mine.mergeLife(theirs.life, seen, bothSeen)
  if (mine.nameBy(theirs.naming)) changes.push({ path: [collection], kind: 'renamed', value: mine.naming?.name })
  for (const item of [...mine.items.values()]) {
    const other = theirs.items.at(item.id)
    if (other === undefined && bothSeen.has(item.id)) {
      mine.items.delete(item.id)
      changes.push({ path: [collection, item.id], kind: 'expunged' })
    } else if (other !== undefined && item.merge(other, seen, bothSeen)) {
      changes.push({ path: [collection, item.id], kind: 'flagged', value: item.flags })
    }
  }
  for (const other of theirs.items.values()) {
    if (mine.items.has(other.id) || seen.has(other.id)) continue
    const item = new MailboxItem(other.id, other.time, other.content)
    item.merge(other, seen, bothSeen)
    mine.items.set(item.id, item)
    changes.push({ path: [collection, item.id], kind: 'appended', value: item })
  }
  return changes
}
