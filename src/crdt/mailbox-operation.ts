import { refuse } from '../wire/field-path.ts'
import { malformed } from '../wire/reader.ts'
import { choice } from '../wire/choice-schema.ts'
import { array, bool, bytes, struct } from '../wire/schema.ts'
import type { Schema } from '../wire/schema.ts'
import { bounds } from './bounds.ts'
import type { Basis } from './crdt-type.ts'
import type { Dot } from './dot.ts'
import { addDots, dotList, dotSchema } from './dot-list.ts'
import type { DotList } from './dot-list.ts'
import { dotSet } from './dot-set.ts'
import type { DotSet } from './dot-set.ts'
import { lamportTime } from './mv-register.ts'
import { entryName } from './tree-operation.ts'
import { wholeText } from './value-type.ts'
import type { WriterTable } from './writers.ts'

/** What one operation does to one flag of an item; `dots` is what held the flag where it was prepared, and holds it no longer. */
export interface FlagChange {
  readonly flag: string
  readonly isSet: boolean
  readonly dots: DotList
}

/** The ids of collections and items are the dots of the operations that made them. */
export type MailboxOperation =
  | { readonly kind: 'create'; readonly name: string; readonly time: number }
  /** `dots`: what held the collection, and the ids of its items, as far as they were seen. */
  | { readonly kind: 'delete'; readonly collection: Dot; readonly dots: DotSet }
  | {
      readonly kind: 'append'
      readonly collection: Dot
      readonly time: number
      readonly content: Uint8Array
      readonly flags: readonly string[]
    }
  | { readonly kind: 'expunge'; readonly collection: Dot; readonly items: DotList }
  | { readonly kind: 'store'; readonly collection: Dot; readonly item: Dot; readonly changes: readonly FlagChange[] }
  | {
      readonly kind: 'rename'
      readonly collection: Dot
      readonly name: string
      readonly time: number
      readonly dots: DotList
    }
  /** A new item in `collection`, with the content and flags that `item` had. */
  | {
      readonly kind: 'copy'
      readonly item: Dot
      readonly collection: Dot
      readonly time: number
      readonly content: Uint8Array
      readonly flags: readonly string[]
    }

export const flagName: Schema<string> = wholeText(bounds.flagBytes)

/** What names the body of an item: a hash, an address, or a short text itself. Bodies travel elsewhere. */
export const itemContent: Schema<Uint8Array> = bytes({ max: bounds.contentBytes })

/** Flags in ascending order, each once. */
export const flagList: Schema<readonly string[]> = ascending(array(flagName, { max: bounds.flags }), (flag) => flag)

export function mailboxOperation(writers: WriterTable): Schema<MailboxOperation> {
  const dot = dotSchema(writers)
  const dots = dotList(writers)
  const item = { time: lamportTime, content: itemContent, flags: flagList }
  return choice({
    create: { number: 1, schema: struct({ name: entryName, time: lamportTime }) },
    delete: { number: 2, schema: struct({ collection: dot, dots: dotSet(writers) }) },
    append: { number: 3, schema: struct({ collection: dot, ...item }) },
    expunge: { number: 4, schema: struct({ collection: dot, items: dots }) },
    store: { number: 5, schema: struct({ collection: dot, item: dot, changes: flagChanges(writers) }) },
    rename: { number: 6, schema: struct({ collection: dot, name: entryName, time: lamportTime, dots }) },
    copy: { number: 7, schema: struct({ item: dot, collection: dot, ...item }) },
  })
}

export function claimMailbox(operation: MailboxOperation, basis: Basis): void {
  if (operation.kind !== 'create') basis.dots.add(operation.collection)
  if ('time' in operation) basis.time = Math.max(basis.time, operation.time)
  if ('item' in operation) basis.dots.add(operation.item)
  if (operation.kind === 'delete') basis.dots.addAll(operation.dots)
  if (operation.kind === 'expunge') addDots(basis.dots, operation.items)
  if (operation.kind === 'rename') addDots(basis.dots, operation.dots)
  if (operation.kind === 'store') for (const { dots } of operation.changes) addDots(basis.dots, dots)
}

function flagChanges(writers: WriterTable): Schema<readonly FlagChange[]> {
  const one: Schema<FlagChange> = struct({ flag: flagName, isSet: bool, dots: dotList(writers) })
  return ascending(array(one, { max: bounds.flags }), ({ flag }) => flag)
}

/** A list whose items have names in ascending order of UTF-16 units, each once. */
export function ascending<Item>(
  schema: Schema<readonly Item[]>,
  nameOf: (item: Item) => string,
): Schema<readonly Item[]> {
  const isInOrder = (items: readonly Item[]): boolean =>
    items.every((item, index) => index === 0 || nameOf(items[index - 1] as Item) < nameOf(item))
  return {
    ...schema,
    measure(items) {
      const length = schema.measure(items)
      if (!isInOrder(items)) refuse('names that are not in order')
      return length
    },
    read(reader) {
      const items = schema.read(reader)
      if (!isInOrder(items)) throw malformed('names that are not in order')
      return items
    },
  }
}
