import { malformed } from '../wire/reader.ts'
import { array, struct } from '../wire/schema.ts'
import type { Schema } from '../wire/schema.ts'
import { bounds } from './bounds.ts'
import type { Dot } from './dot.ts'
import { dotList } from './dot-list.ts'
import type { DotList } from './dot-list.ts'
import type { DotSet, DotSink } from './dot-set.ts'
import { ascending, flagName, itemContent } from './mailbox-operation.ts'
import type { FlagChange } from './mailbox-operation.ts'
import { lamportTime } from './mv-register.ts'
import { OrSet } from './or-set.ts'
import { textValue } from './value-type.ts'
import type { WriterTable } from './writers.ts'

const flagType = textValue({ max: bounds.flagBytes })

/** An item of a collection: what it refers to, and a set of flags in which setting wins over clearing. */
export class MailboxItem {
  readonly id: Dot
  /** Lamport time: items are shown in the order of it and of their ids. */
  readonly time: number
  readonly content: Uint8Array
  readonly #flags = new OrSet(flagType)

  constructor(id: Dot, time: number, content: Uint8Array) {
    this.id = id
    this.time = time
    this.content = content
  }

  /** In ascending order. */
  get flags(): readonly string[] {
    return [...this.#flags.values()].sort()
  }

  /** The change of a flag, prepared. */
  change(flag: string, isSet: boolean): FlagChange {
    return { flag, isSet, dots: this.#flags.dotsOf(flag) }
  }

  /** Says whether a flag was set or cleared that was not before. */
  apply(changes: readonly FlagChange[], dot: Dot): boolean {
    const changed = changes.flatMap(({ flag, isSet, dots }) =>
      this.#flags.apply({ kind: isSet ? 'add' : 'remove', value: flag, dots }, dot),
    )
    return changed.length > 0
  }

  merge(other: MailboxItem, seen: DotSet, bothSeen: DotSet): boolean {
    return this.#flags.merge(other.#flags, seen, bothSeen).length > 0
  }

  /**
   * An item with those flags only that are held by dots of a set: several flags may be held by the same one, and a delta has to tell of
   * all.
   */
  heldBy(dots: DotSet): MailboxItem {
    const item = new MailboxItem(this.id, this.time, this.content)
    for (const { flag, dots: held } of this.#held())
      for (const dot of held) if (dots.has(dot)) item.apply([{ flag, isSet: true, dots: [] }], dot)
    return item
  }

  collectDots(into: DotSink): void {
    into.add(this.id)
    this.#flags.collectDots(into)
  }

  /** What is kept of it in a cell. */
  toCell(): ItemCell {
    return { time: this.time, content: this.content, flags: this.#held() }
  }

  static fromCell(id: Dot, { time, content, flags }: ItemCell): MailboxItem {
    const item = new MailboxItem(id, time, content)
    for (const { flag, dots } of flags) for (const dot of dots) item.apply([{ flag, isSet: true, dots: [] }], dot)
    return item
  }

  #held(): ItemCell['flags'] {
    return this.flags.map((flag) => ({ flag, dots: this.#flags.dotsOf(flag) }))
  }
}

export interface ItemCell {
  readonly time: number
  readonly content: Uint8Array
  readonly flags: readonly { readonly flag: string; readonly dots: DotList }[]
}

export function itemCell(writers: WriterTable): Schema<ItemCell> {
  const flag: Schema<ItemCell['flags'][number]> = struct({ flag: flagName, dots: heldDots(writers) })
  const flags = ascending(array(flag, { max: bounds.dots }), (one) => one.flag)
  return struct({ time: lamportTime, content: itemContent, flags })
}

/** At least one. */
function heldDots(writers: WriterTable): Schema<DotList> {
  const schema = dotList(writers)
  return {
    ...schema,
    read(reader) {
      const dots = schema.read(reader)
      if (dots.length === 0) throw malformed('a flag that nothing holds')
      return dots
    },
  }
}
