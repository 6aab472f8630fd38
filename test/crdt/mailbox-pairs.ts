import { encodeHex } from '../../src/base/bytes.ts'
import { CausalState } from '../../src/crdt/causal-state.ts'
import type { Dot } from '../../src/crdt/dot.ts'
import { mailbox } from '../../src/crdt/mailbox.ts'
import type { Mailbox } from '../../src/crdt/mailbox.ts'
import type { MailboxOperation } from '../../src/crdt/mailbox-operation.ts'
import { Site } from './history.ts'
import type { Sent } from './history.ts'

export type Kind = MailboxOperation['kind']

/** In the order of the table. */
export const kinds: readonly Kind[] = ['create', 'delete', 'append', 'expunge', 'store', 'rename', 'copy']

/** The mailbox from which both set out. */
export const start = 'Archive(), Inbox(m1 seen; m2)'

/** What two do who have seen the same mailbox and nothing of each other, and what it is after both, wherever and in whichever order. */
export interface Pair {
  readonly left: readonly [what: string, Step]
  readonly right: readonly [what: string, Step]
  readonly what: string
  readonly mailbox: string
}

interface Place {
  readonly box: Mailbox
  readonly inbox: Dot
  readonly archive: Dot
  readonly first: Dot
  readonly second: Dot
}

type Step = (place: Place) => MailboxOperation

const text = new TextEncoder()

const makeWork = ['create Work', ({ box }: Place) => box.create('Work')] as const
const deleteInbox = ['delete Inbox', ({ box, inbox }: Place) => box.delete(inbox)] as const
const append = ['append m3 to Inbox', ({ box, inbox }: Place) => box.append(inbox, text.encode('m3'))] as const
const expunge = ['expunge m1', ({ box, inbox, first }: Place) => box.expunge(inbox, first)] as const
const flag = [
  'store: flag m1 as answered',
  ({ box, inbox, first }: Place) => box.store(inbox, first, { set: ['answered'] }),
] as const
const rename = ['rename Inbox to Post', ({ box, inbox }: Place) => box.rename(inbox, 'Post')] as const
const copy = ['copy m1 to Archive', ({ box, inbox, first, archive }: Place) => box.copy(inbox, first, archive)] as const

export const pairs: readonly Pair[] = [
  {
    left: makeWork,
    right: makeWork,
    what: 'two collections, each with its own id; the second one is shown under another name',
    mailbox: 'Archive(), Inbox(m1 seen; m2), Work(), Work~BOB()',
  },
  {
    left: ['create another Inbox', ({ box }) => box.create('Inbox')],
    right: deleteInbox,
    what: 'the new collection is none of those that the other has deleted',
    mailbox: 'Archive(), Inbox()',
  },
  {
    left: ['create another Inbox', ({ box }) => box.create('Inbox')],
    right: append,
    what: 'the item is in the collection to which it was appended, whatever others are called',
    mailbox: 'Archive(), Inbox(m1 seen; m2; m3), Inbox~ANN()',
  },
  { left: makeWork, right: expunge, what: 'both', mailbox: 'Archive(), Inbox(m2), Work()' },
  { left: makeWork, right: flag, what: 'both', mailbox: 'Archive(), Inbox(m1 answered seen; m2), Work()' },
  {
    left: makeWork,
    right: ['rename Archive to Work', ({ box, archive }) => box.rename(archive, 'Work')],
    what: 'who had the name first keeps it; the other one is shown under another name',
    mailbox: 'Inbox(m1 seen; m2), Work(), Work~ANN()',
  },
  { left: makeWork, right: copy, what: 'both', mailbox: 'Archive(m1 seen), Inbox(m1 seen; m2), Work()' },
  { left: deleteInbox, right: deleteInbox, what: 'it is gone', mailbox: 'Archive()' },
  {
    left: deleteInbox,
    right: append,
    what: 'the collection stays, with the item that the deleter had not seen and no other',
    mailbox: 'Archive(), Inbox(m3)',
  },
  { left: deleteInbox, right: expunge, what: 'it is gone', mailbox: 'Archive()' },
  {
    left: deleteInbox,
    right: flag,
    what: 'it is gone: a flag is no reason for an item to stay',
    mailbox: 'Archive()',
  },
  {
    left: deleteInbox,
    right: rename,
    what: 'the collection stays, renamed, without the items that the deleter had seen',
    mailbox: 'Archive(), Post()',
  },
  {
    left: deleteInbox,
    right: copy,
    what: 'the copy stays: it is an item of its own',
    mailbox: 'Archive(m1 seen)',
  },
  {
    left: ['delete Archive', ({ box, archive }) => box.delete(archive)],
    right: copy,
    what: 'the collection stays, with the copy that the deleter had not seen',
    mailbox: 'Archive(m1 seen), Inbox(m1 seen; m2)',
  },
  {
    left: append,
    right: ['append m4 to Inbox', ({ box, inbox }) => box.append(inbox, text.encode('m4'))],
    what: 'both, in the same order everywhere',
    mailbox: 'Archive(), Inbox(m1 seen; m2; m3; m4)',
  },
  {
    left: append,
    right: append,
    what: 'two items, though their contents are the same: what names an item is its dot',
    mailbox: 'Archive(), Inbox(m1 seen; m2; m3; m3)',
  },
  { left: append, right: expunge, what: 'both', mailbox: 'Archive(), Inbox(m2; m3)' },
  {
    left: ['append m1 once more', ({ box, inbox }) => box.append(inbox, text.encode('m1'))],
    right: expunge,
    what: 'only the item that was expunged goes, not another one with its content',
    mailbox: 'Archive(), Inbox(m2; m1)',
  },
  { left: append, right: flag, what: 'both', mailbox: 'Archive(), Inbox(m1 answered seen; m2; m3)' },
  {
    left: append,
    right: rename,
    what: 'the item is in the renamed collection',
    mailbox: 'Archive(), Post(m1 seen; m2; m3)',
  },
  { left: append, right: copy, what: 'both', mailbox: 'Archive(m1 seen), Inbox(m1 seen; m2; m3)' },
  { left: expunge, right: expunge, what: 'it is gone', mailbox: 'Archive(), Inbox(m2)' },
  {
    left: expunge,
    right: flag,
    what: 'it is gone: a flag is no reason for an item to stay',
    mailbox: 'Archive(), Inbox(m2)',
  },
  { left: expunge, right: rename, what: 'both', mailbox: 'Archive(), Post(m2)' },
  {
    left: expunge,
    right: copy,
    what: 'the copy stays, and has all that the item had',
    mailbox: 'Archive(m1 seen), Inbox(m2)',
  },
  {
    left: ['store: set seen of m1 again', ({ box, inbox, first }) => box.store(inbox, first, { set: ['seen'] })],
    right: ['store: clear seen of m1', ({ box, inbox, first }) => box.store(inbox, first, { clear: ['seen'] })],
    what: 'the flag is set: setting it again wins over clearing',
    mailbox: 'Archive(), Inbox(m1 seen; m2)',
  },
  {
    left: flag,
    right: ['store: clear seen of m1', ({ box, inbox, first }) => box.store(inbox, first, { clear: ['seen'] })],
    what: 'one item, with both changes',
    mailbox: 'Archive(), Inbox(m1 answered; m2)',
  },
  { left: flag, right: rename, what: 'both', mailbox: 'Archive(), Post(m1 answered seen; m2)' },
  {
    left: flag,
    right: copy,
    what: 'the item has the flag; the copy has those that were seen when it was made',
    mailbox: 'Archive(m1 seen), Inbox(m1 answered seen; m2)',
  },
  {
    left: rename,
    right: ['rename Inbox to Mail', ({ box, inbox }) => box.rename(inbox, 'Mail')],
    what: 'the name with the higher (Lamport time, dot)',
    mailbox: 'Archive(), Mail(m1 seen; m2)',
  },
  {
    left: rename,
    right: ['rename Archive to Post', ({ box, archive }) => box.rename(archive, 'Post')],
    what: 'who had the name first keeps it; the other one is shown under another name',
    mailbox: 'Post(m1 seen; m2), Post~ANN()',
  },
  { left: rename, right: copy, what: 'both', mailbox: 'Archive(m1 seen), Post(m1 seen; m2)' },
  { left: copy, right: copy, what: 'two copies', mailbox: 'Archive(m1 seen; m1 seen), Inbox(m1 seen; m2)' },
]

/** The mailbox after both, in one line; throws when replicas that took them in another order, or as states or deltas, have another one. */
export function outcome({ left, right }: Pair): string {
  const sites = [new Site(mailbox(), 1), new Site(mailbox(), 2)] as const
  const [ann, bob] = sites
  const before = prepareStart(ann)
  for (const sent of before) bob.deliver(sent)
  if (outline(ann.value, ann) !== start) throw new Error(`a start of ${outline(ann.value, ann)}`)
  const copies = sites.map(({ state }) => CausalState.decode(state.type, state.encode()))
  const one = ann.write(left[1](placeOf(ann.value, before)))
  const other = bob.write(right[1](placeOf(bob.value, before)))
  const deltas = [ann.state.delta(one.operation, one.dot), bob.state.delta(other.operation, other.dot)]
  const [merged, patched] = copies as [(typeof copies)[0], (typeof copies)[0]]
  for (const { state } of sites) merged.merge(state)
  for (const delta of deltas.toReversed()) patched.merge(delta)
  ann.deliver(other)
  bob.deliver(one)
  const bytes = encodeHex(ann.state.encode())
  for (const state of [bob.state, merged, patched])
    if (encodeHex(state.encode()) !== bytes)
      throw new Error(`${outline(state.value, ann)} is not ${outline(ann.value, ann)}`)
  if (outline(bob.value, ann) !== outline(ann.value, ann)) throw new Error('another order')
  return outline(ann.value, ann)
}

/** Which of the kinds a pair is about. */
export function kindsOf({ left, right }: Pair): readonly [Kind, Kind] {
  const kindOf = ([what]: Pair['left']): Kind => kinds.find((kind) => what.startsWith(kind)) as Kind
  return [kindOf(left), kindOf(right)]
}

function prepareStart(site: Site<Mailbox, MailboxOperation>): readonly Sent<MailboxOperation>[] {
  const all = [site.write(site.value.create('Inbox')), site.write(site.value.create('Archive'))]
  const inbox = all[0]?.dot as Dot
  all.push(site.write(site.value.append(inbox, text.encode('m1'), ['seen'])))
  all.push(site.write(site.value.append(inbox, text.encode('m2'))))
  return all
}

function placeOf(box: Mailbox, before: readonly Sent<MailboxOperation>[]): Place {
  const [inbox, archive, first, second] = before.map(({ dot }) => dot) as [Dot, Dot, Dot, Dot]
  return { box, inbox, archive, first, second }
}

/** Collections by name with their items in order; the writers are ANN and BOB. */
export function outline(box: Mailbox, ann: Site<Mailbox, MailboxOperation>): string {
  const collections = [...box.view.collections()].map(([name, id]) => {
    const items = box.view
      .items(id)
      .map(({ content, flags }) => [new TextDecoder().decode(content), ...flags].join(' '))
    const shown = name.replace(/~\d+-(\w{8})$/, (_all, start: string) =>
      ann.writer.startsWith(start) ? '~ANN' : '~BOB',
    )
    return `${shown}(${items.join('; ')})`
  })
  return collections.sort().join(', ')
}
