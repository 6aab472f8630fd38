import { concatBytes } from '../base/bytes.ts'
import { PlaitError } from '../base/error.ts'
import { malformed } from '../wire/reader.ts'
import type { Reader } from '../wire/reader.ts'
import { encode } from '../wire/schema.ts'
import { rangeOf } from './cell.ts'
import type { Cell, CellRange } from './cell.ts'
import type { Change, Crdt, CrdtType } from './crdt-type.ts'
import { formatDot } from './dot.ts'
import type { Dot } from './dot.ts'
import { addDots, dotSchema, includesDot, withDot } from './dot-list.ts'
import { DotMap } from './dot-map.ts'
import { DotSet } from './dot-set.ts'
import type { DotSink } from './dot-set.ts'
import { collectionCell, MailboxCollection } from './mailbox-collection.ts'
import { itemCell, MailboxItem } from './mailbox-item.ts'
import { claimMailbox, flagList, itemContent, mailboxOperation } from './mailbox-operation.ts'
import type { MailboxOperation } from './mailbox-operation.ts'
import { mergeMailbox } from './mailbox-merge.ts'
import { MailboxView } from './mailbox-view.ts'
import { nextTime } from './mv-register.ts'
import { entryName } from './tree-operation.ts'
import { checkValue } from './value-type.ts'
import type { WriterTable } from './writers.ts'

type Operation<Kind extends MailboxOperation['kind']> = MailboxOperation & { readonly kind: Kind }

/**
 * Named collections of items with flags and a content, as of mail. MAILBOX.md says what becomes of any two operations that do not know
 * of each other. In short: an item is there until it is expunged, or its collection is deleted by somebody who has seen it; setting a
 * flag wins over clearing it; a collection stays when something is put into it, or it is renamed, while it is deleted.
 *
 * Changes have the ids of the collection and the item as their path: `created`, `deleted`, `renamed` with the name; `appended`,
 * `expunged`, `flagged` with the flags.
 */
export class Mailbox implements Crdt<MailboxOperation> {
  readonly #collections = new DotMap<MailboxCollection>()
  readonly view: MailboxView = new MailboxView(this.#collections)
  #time = 0

  get isEmpty(): boolean {
    return this.#collections.isEmpty
  }

  /** A new collection; its id is the dot of the operation. Throws `INVALID_ARGUMENT`, as all that prepare something do. */
  create(name: string): MailboxOperation {
    checkValue(entryName, name)
    return { kind: 'create', name, time: nextTime(this.#time) }
  }

  /** Deletes a collection with the items that are seen in it. */
  delete(collection: Dot): MailboxOperation {
    const { life, items } = this.#shown(collection)
    const dots = new DotSet(life)
    for (const { id } of items.values()) dots.add(id)
    return { kind: 'delete', collection, dots }
  }

  /** A new item; its id is the dot of the operation. `content` names the body, and belongs to the operation from now on. */
  append(collection: Dot, content: Uint8Array, flags: readonly string[] = []): MailboxOperation {
    this.#shown(collection)
    const sorted = [...new Set(flags)].sort()
    checkValue(itemContent, content)
    checkValue(flagList, sorted)
    return { kind: 'append', collection, time: nextTime(this.#time), content, flags: sorted }
  }

  expunge(collection: Dot, ...items: readonly Dot[]): MailboxOperation {
    const list = [...new DotSet(items)]
    for (const item of list) this.#item(collection, item)
    return { kind: 'expunge', collection, items: list }
  }

  /** Sets and clears flags of an item. A flag that is set already is set again, so that it withstands who clears it now. */
  store(
    collection: Dot,
    item: Dot,
    flags: { readonly set?: readonly string[]; readonly clear?: readonly string[] },
  ): MailboxOperation {
    const { set = [], clear = [] } = flags
    const names = [...new Set([...set, ...clear])].sort()
    checkValue(flagList, names)
    const one = this.#item(collection, item)
    return { kind: 'store', collection, item, changes: names.map((flag) => one.change(flag, set.includes(flag))) }
  }

  rename(collection: Dot, name: string): MailboxOperation {
    checkValue(entryName, name)
    const { life } = this.#shown(collection)
    return { kind: 'rename', collection, name, time: nextTime(this.#time), dots: life }
  }

  /** A new item in `target` that refers to the same content, and has the same flags at first. */
  copy(collection: Dot, item: Dot, target: Dot): MailboxOperation {
    this.#shown(target)
    const { content, flags } = this.#item(collection, item)
    return { kind: 'copy', item, collection: target, time: nextTime(this.#time), content, flags }
  }

  apply(operation: MailboxOperation, dot: Dot): readonly Change[] {
    if ('time' in operation) this.#time = Math.max(this.#time, operation.time)
    const collection = this.#collection(operation.kind === 'create' ? dot : operation.collection)
    switch (operation.kind) {
      case 'create':
      case 'rename':
        return this.#change(collection, () => name(collection, operation, dot))
      case 'delete':
        return this.#change(collection, () => {
          collection.life = collection.life.filter((held) => !operation.dots.has(held))
          const gone = [...collection.items.values()].filter(({ id }) => operation.dots.has(id))
          return gone.flatMap(({ id }) => expunge(collection, id))
        })
      case 'append':
      case 'copy':
        return this.#change(collection, () => append(collection, operation, dot))
      case 'expunge':
        return this.#change(collection, () => operation.items.flatMap((id) => expunge(collection, id)))
      case 'store': {
        const item = collection.items.at(operation.item)
        if (item?.apply(operation.changes, dot) !== true) return []
        return [{ path: [collection.id, item.id], kind: 'flagged', value: item.flags }]
      }
    }
  }

  merge(other: this, seen: DotSet, bothSeen: DotSet): readonly Change[] {
    this.#time = Math.max(this.#time, other.#time)
    const ids = new DotSet()
    for (const { id } of [...this.#collections.values(), ...other.#collections.values()]) ids.add(id)
    return [...ids].flatMap((id) => {
      const collection = this.#collection(id)
      const theirs = other.#collections.at(id) ?? new MailboxCollection(id)
      return this.#change(collection, () => mergeMailbox(collection, seen, theirs, bothSeen))
    })
  }

  remove(dots: DotSet): readonly Change[] {
    return [...this.#collections.values()].flatMap((collection) =>
      this.#change(collection, () => {
        collection.life = collection.life.filter((held) => !dots.has(held))
        const gone = [...collection.items.values()].filter(({ id }) => dots.has(id))
        return gone.flatMap(({ id }) => expunge(collection, id))
      }),
    )
  }

  collectDots(into: DotSink): void {
    for (const collection of this.#collections.values()) collection.collectDots(into)
  }

  delta(operation: MailboxOperation, dot: Dot, fragment: this, seen: DotSet): void {
    seen.add(dot)
    if (operation.kind === 'delete') seen.addAll(operation.dots)
    else if (operation.kind === 'expunge') addDots(seen, operation.items)
    else if (operation.kind === 'store') this.#deltaOfStore(operation, fragment, seen)
    else {
      if (operation.kind === 'rename') addDots(seen, operation.dots)
      fragment.apply(operation, dot)
    }
  }

  *cells(writers: WriterTable): Generator<Cell> {
    for (const collection of this.#collections.values()) {
      // Nothing is to be looked up for one that is not kept: its writer would get a place in the table.
      if (collection.isKept) yield* this.#collectionRange(collection, writers).cells
      for (const item of collection.items.values()) yield* itemRange(collection, item.id, writers).cells
    }
  }

  touched(operation: MailboxOperation, dot: Dot, writers: WriterTable): readonly CellRange[] {
    const collection = this.#collection(operation.kind === 'create' ? dot : operation.collection)
    switch (operation.kind) {
      case 'create':
      case 'rename':
        return [this.#collectionRange(collection, writers)]
      case 'append':
      case 'copy':
        return [itemRange(collection, dot, writers)]
      case 'store':
        return [itemRange(collection, operation.item, writers)]
      case 'expunge':
        return operation.items.map((id) => itemRange(collection, id, writers))
      case 'delete': {
        const cells = [...collection.items.values()].flatMap(({ id }) => itemRange(collection, id, writers).cells)
        return [
          this.#collectionRange(collection, writers),
          { prefix: keyOf(cellKinds.item, collection.id, writers), cells },
        ]
      }
    }
  }

  readCell(key: Reader, value: Reader, writers: WriterTable): void {
    const kind = key.u8()
    const collection = this.#collection(dotSchema(writers).read(key))
    if (kind === cellKinds.collection) {
      const { life, naming } = collectionCell(writers).read(value)
      if (life.length === 0 && naming === undefined) throw malformed('a collection of nothing')
      collection.life = life
      collection.nameBy(naming)
      this.#time = Math.max(this.#time, naming?.time ?? 0)
    } else if (kind === cellKinds.item) {
      const id = dotSchema(writers).read(key)
      const item = MailboxItem.fromCell(id, itemCell(writers).read(value))
      collection.items.set(id, item)
      this.#time = Math.max(this.#time, item.time)
    } else throw malformed(`a cell of the kind ${kind}`)
  }

  settle(): void {}

  /** Several flags may be held by one dot: whoever tells of one of them tells of all. */
  #deltaOfStore({ collection, item: id, changes }: Operation<'store'>, fragment: this, seen: DotSet): void {
    seen.add(id)
    for (const { dots } of changes) addDots(seen, dots)
    const item = this.#collection(collection).items.at(id)
    if (item !== undefined) fragment.#collection(collection).items.set(id, item.heldBy(seen))
  }

  #change(collection: MailboxCollection, step: () => readonly Change[]): readonly Change[] {
    const wasShown = collection.isShown
    const changes = step()
    if (!collection.isShown && !wasShown) return []
    if (collection.isShown && wasShown) return changes
    if (wasShown) return [...changes, { path: [collection.id], kind: 'deleted' }]
    return [{ path: [collection.id], kind: 'created', value: collection.naming?.name }, ...changes]
  }

  #collectionRange(collection: MailboxCollection, writers: WriterTable): CellRange {
    const { id, life, naming } = collection
    const cell = collection.isKept ? encode(collectionCell(writers), { life, naming }) : undefined
    return rangeOf(keyOf(cellKinds.collection, id, writers), cell)
  }

  #shown(id: Dot): MailboxCollection {
    const collection = this.#collections.at(id)
    if (collection?.isShown === true) return collection
    throw new PlaitError('INVALID_ARGUMENT', `there is no collection ${formatDot(id)}`)
  }

  #item(collection: Dot, id: Dot): MailboxItem {
    const item = this.#shown(collection).items.at(id)
    if (item !== undefined) return item
    throw new PlaitError('INVALID_ARGUMENT', `there is no item ${formatDot(id)}`)
  }

  #collection(id: Dot): MailboxCollection {
    const known = this.#collections.at(id)
    if (known !== undefined) return known
    const collection = new MailboxCollection(id)
    this.#collections.set(id, collection)
    return collection
  }
}

/** A mailbox. It cannot stand in a map. */
export function mailbox(): CrdtType<Mailbox, MailboxOperation> {
  return {
    name: 'mailbox',
    isRemovable: false,
    prepares: ['create', 'delete', 'append', 'expunge', 'store', 'rename', 'copy'],
    create: () => new Mailbox(),
    operation: mailboxOperation,
    claim: claimMailbox,
  }
}

/** The first byte of the key of a cell; the id of the collection follows, and that of the item. */
const cellKinds = { collection: 0, item: 1 } as const

function keyOf(kind: number, collection: Dot, writers: WriterTable): Uint8Array {
  return concatBytes([Uint8Array.of(kind), encode(dotSchema(writers), collection)])
}

function itemRange(collection: MailboxCollection, id: Dot, writers: WriterTable): CellRange {
  const item = collection.items.at(id)
  const key = concatBytes([keyOf(cellKinds.item, collection.id, writers), encode(dotSchema(writers), id)])
  return rangeOf(key, item === undefined ? undefined : encode(itemCell(writers), item.toCell()))
}

function name(collection: MailboxCollection, operation: Operation<'create' | 'rename'>, dot: Dot): readonly Change[] {
  const dots = operation.kind === 'rename' ? operation.dots : []
  collection.life = withDot(
    collection.life.filter((held) => !includesDot(dots, held)),
    dot,
  )
  const isOther = collection.nameBy({ name: operation.name, time: operation.time, dot })
  if (!isOther || operation.kind === 'create') return []
  return [{ path: [collection.id], kind: 'renamed', value: operation.name }]
}

function append(
  collection: MailboxCollection,
  { time, content, flags }: Operation<'append' | 'copy'>,
  dot: Dot,
): readonly Change[] {
  const item = new MailboxItem(dot, time, content)
  item.apply(
    flags.map((flag) => ({ flag, isSet: true, dots: [] })),
    dot,
  )
  collection.items.set(dot, item)
  return [{ path: [collection.id, dot], kind: 'appended', value: item }]
}

function expunge(collection: MailboxCollection, id: Dot): readonly Change[] {
  if (!collection.items.has(id)) return []
  collection.items.delete(id)
  return [{ path: [collection.id, id], kind: 'expunged' }]
}
