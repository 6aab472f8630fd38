import { optional, struct } from '../wire/schema.ts'
import type { Schema } from '../wire/schema.ts'
import type { Dot } from './dot.ts'
import { addDots, dotList, dotSchema, mergeDots } from './dot-list.ts'
import type { DotList } from './dot-list.ts'
import { DotMap } from './dot-map.ts'
import type { DotSet, DotSink } from './dot-set.ts'
import type { MailboxItem } from './mailbox-item.ts'
import { lamportTime } from './mv-register.ts'
import { compareAge } from './names.ts'
import { entryName } from './tree-operation.ts'
import type { WriterTable } from './writers.ts'

/** A name as it was given. */
export interface NameWrite {
  readonly name: string
  readonly time: number
  readonly dot: Dot
}

/** A collection as far as it is known: its name outlives it, because items may come that the deleter had not seen. */
export class MailboxCollection {
  readonly id: Dot
  readonly items: DotMap<MailboxItem> = new DotMap()
  /** The creation and the renames that hold it, with its items. */
  life: DotList = []
  #naming: NameWrite | undefined

  constructor(id: Dot) {
    this.id = id
  }

  get isShown(): boolean {
    return this.life.length > 0 || !this.items.isEmpty
  }

  /** Whether there is anything to be kept of it, besides its items. */
  get isKept(): boolean {
    return this.life.length > 0 || this.#naming !== undefined
  }

  /** The last naming, by time and dot. */
  get naming(): NameWrite | undefined {
    return this.#naming
  }

  /** Says whether the collection is called otherwise now. */
  nameBy(naming: NameWrite | undefined): boolean {
    if (naming === undefined || (this.#naming !== undefined && compareAge(naming, this.#naming) <= 0)) return false
    const isOther = naming.name !== this.#naming?.name
    this.#naming = naming
    return isOther
  }

  mergeLife(other: DotList, seen: DotSet, bothSeen: DotSet): void {
    this.life = mergeDots(this.life, seen, other, bothSeen)
  }

  collectDots(into: DotSink): void {
    addDots(into, this.life)
    if (this.#naming !== undefined) into.add(this.#naming.dot)
    for (const item of this.items.values()) item.collectDots(into)
  }
}

export interface CollectionCell {
  readonly life: DotList
  readonly naming: NameWrite | undefined
}

export function collectionCell(writers: WriterTable): Schema<CollectionCell> {
  const naming = struct({ time: lamportTime, dot: dotSchema(writers), name: entryName })
  return struct({ life: dotList(writers), naming: optional(naming) }) as Schema<CollectionCell>
}
