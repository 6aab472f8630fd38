import { formatDot } from '../../src/crdt/dot.ts'
import type { Dot } from '../../src/crdt/dot.ts'
import { mailbox } from '../../src/crdt/mailbox.ts'
import type { Mailbox } from '../../src/crdt/mailbox.ts'
import type { MailboxItem } from '../../src/crdt/mailbox-item.ts'
import type { MailboxOperation } from '../../src/crdt/mailbox-operation.ts'
import type { SeededRandom } from '../../src/runtime/simulated/random.ts'
import { follows } from './history.ts'
import type { Sent, Use } from './history.ts'

const collectionNames: readonly string[] = ['Inbox', 'Work', '__proto__']
const flagNames: readonly string[] = ['answered', 'constructor', 'seen']

export const useMailbox: Use<Mailbox, MailboxOperation> = {
  type: mailbox(),
  prepare(random, box) {
    const collections = [...box.view.collections().values()]
    if (collections.length === 0 || random.chance(0.1)) return box.create(random.pick(collectionNames))
    const collection = random.pick(collections)
    const items = box.view.items(collection)
    const kind = random.integer(0, items.length === 0 ? 3 : 9)
    if (kind === 0) return box.rename(collection, random.pick(collectionNames))
    if (kind === 1) return random.chance(0.5) ? box.delete(collection) : box.create(random.pick(collectionNames))
    if (kind <= 3) return box.append(collection, random.bytes(2), someFlags(random))
    const { id } = random.pick(items)
    if (kind === 4) return box.expunge(collection, id)
    if (kind === 5) return box.copy(collection, id, random.pick(collections))
    return box.store(collection, id, { set: someFlags(random), clear: someFlags(random) })
  },
  listen() {
    const heard = new Map<string, string>()
    return {
      hear({ path, kind, value }) {
        const key = (path as readonly Dot[]).map(formatDot).join(' ')
        if (kind === 'deleted' || kind === 'expunged') heard.delete(key)
        else heard.set(key, kind === 'appended' ? (value as MailboxItem).flags.join() : String(value))
      },
      check(box) {
        const all = [...box.view.collections()].flatMap(([name, id]) => [
          [formatDot(id), name.replace(/~.*/, '')] as const,
          ...box.view.items(id).map((item) => [`${formatDot(id)} ${formatDot(item.id)}`, item.flags.join()] as const),
        ])
        const lines = (entries: Iterable<readonly [string, string]>): string =>
          Array.from(entries, ([key, value]) => `${key}: ${value}`)
            .sort()
            .join('\n')
        if (lines(heard) !== lines(all)) throw new Error(`heard\n${lines(heard)}\nnot\n${lines(all)}`)
      },
    }
  },
  check: checkMailbox,
}

/** What is there is what nobody has taken away who has seen it. */
export function checkMailbox(box: Mailbox, all: readonly Sent<MailboxOperation>[]): void {
  const shown = new Set([...box.view.collections().values()].map(formatDot))
  const items = new Map<string, readonly string[]>()
  for (const sent of all) {
    const { operation, dot } = sent
    if (operation.kind === 'append' || operation.kind === 'copy') {
      const isThere = !isGone(sent, dot, operation.collection, all)
      const item = box.view.item(operation.collection, dot)
      if (isThere !== (item !== undefined)) throw new Error(`the item ${formatDot(dot)} is there: ${!isThere}`)
      if (!isThere) continue
      items.set(formatDot(operation.collection), [
        ...(items.get(formatDot(operation.collection)) ?? []),
        formatDot(dot),
      ])
      const expected = flagNames.filter((flag) => isFlagged(sent, flag, all))
      if (item?.flags.join() !== expected.join()) throw new Error(`flags ${item?.flags.join()}, not ${expected.join()}`)
    }
  }
  for (const { operation, dot } of all) {
    if (operation.kind !== 'create') continue
    const holding = all.filter(
      (other) =>
        (other.dot === dot || (other.operation.kind === 'rename' && same(other.operation.collection, dot))) &&
        !all.some(
          (one) => one.operation.kind === 'delete' && same(one.operation.collection, dot) && follows(one, other),
        ),
    )
    const isShown = holding.length > 0 || items.has(formatDot(dot))
    if (isShown !== shown.has(formatDot(dot))) throw new Error(`the collection ${formatDot(dot)} is shown: ${!isShown}`)
    const found = box.view.items(dot).map(({ id }) => formatDot(id))
    if (found.toSorted().join() !== (items.get(formatDot(dot)) ?? []).toSorted().join()) throw new Error('other items')
  }
}

function isGone(
  sent: Sent<MailboxOperation>,
  id: Dot,
  collection: Dot,
  all: readonly Sent<MailboxOperation>[],
): boolean {
  return all.some(({ operation, ...rest }) => {
    if (!follows({ operation, ...rest }, sent)) return false
    if (operation.kind === 'expunge') return operation.items.some((item) => same(item, id))
    return operation.kind === 'delete' && same(operation.collection, collection)
  })
}

/** Set by something that nothing that has seen it has cleared or set again; or set again by that. */
function isFlagged(sent: Sent<MailboxOperation>, flag: string, all: readonly Sent<MailboxOperation>[]): boolean {
  const about = all.filter(
    (one) =>
      one === sent ||
      (one.operation.kind === 'store' &&
        same(one.operation.item, sent.dot) &&
        one.operation.changes.some((change) => change.flag === flag)),
  )
  return about.some((one) => sets(one.operation, flag) && !about.some((other) => follows(other, one)))
}

function sets(operation: MailboxOperation, flag: string): boolean {
  if (operation.kind === 'store') return operation.changes.some((change) => change.flag === flag && change.isSet)
  return (operation.kind === 'append' || operation.kind === 'copy') && operation.flags.includes(flag)
}

function someFlags(random: SeededRandom): readonly string[] {
  return flagNames.filter(() => random.chance(0.4))
}

function same(left: Dot, right: Dot): boolean {
  return formatDot(left) === formatDot(right)
}
