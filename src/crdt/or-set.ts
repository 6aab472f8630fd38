import { encode, struct } from '../wire/schema.ts'
import type { Schema } from '../wire/schema.ts'
import { choice } from '../wire/choice-schema.ts'
import { malformed } from '../wire/reader.ts'
import type { Reader } from '../wire/reader.ts'
import { rangeOf } from './cell.ts'
import type { Cell, CellRange } from './cell.ts'
import type { Change, Crdt, CrdtType } from './crdt-type.ts'
import type { Dot } from './dot.ts'
import { addDots, dotList, includesDot, mergeDots, withDot } from './dot-list.ts'
import type { DotList } from './dot-list.ts'
import type { DotSet, DotSink } from './dot-set.ts'
import { checkValue } from './value-type.ts'
import type { ValueType } from './value-type.ts'
import type { WriterTable } from './writers.ts'

/** `dots`: those by which the element was held where the operation was prepared; it is held by them no longer. */
export type OrSetOperation<Value> =
  | { readonly kind: 'add'; readonly value: Value; readonly dots: DotList }
  | { readonly kind: 'remove'; readonly value: Value; readonly dots: DotList }

interface Element<Value> {
  readonly value: Value
  readonly dots: DotList
}

/**
 * A set in which an element stays that is added while another removes it: a removal takes away the additions that it has seen. What is
 * removed leaves nothing behind (Bieniusa and others, "An optimized conflict-free replicated set", 2012).
 *
 * Changes: `added` and `removed`, with the element.
 */
export class OrSet<Value> implements Crdt<OrSetOperation<Value>> {
  readonly #type: ValueType<Value>
  readonly #elements = new Map<string | number, Element<Value>>()

  constructor(type: ValueType<Value>) {
    this.#type = type
  }

  get size(): number {
    return this.#elements.size
  }

  get isEmpty(): boolean {
    return this.#elements.size === 0
  }

  has(value: Value): boolean {
    return this.#elements.has(this.#type.key(value))
  }

  /** The elements, in no order that two replicas would share. */
  *values(): Generator<Value> {
    for (const { value } of this.#elements.values()) yield value
  }

  /** The dots that hold an element. */
  dotsOf(value: Value): DotList {
    return this.#elements.get(this.#type.key(value))?.dots ?? noDots
  }

  /** Also for what is there already: then it withstands the removals that do not know of this. Throws `INVALID_ARGUMENT`. */
  add(value: Value): OrSetOperation<Value> {
    checkValue(this.#type.schema, value)
    return { kind: 'add', value, dots: this.dotsOf(value) }
  }

  delete(value: Value): OrSetOperation<Value> {
    checkValue(this.#type.schema, value)
    return { kind: 'remove', value, dots: this.dotsOf(value) }
  }

  apply({ kind, value, dots }: OrSetOperation<Value>, dot: Dot): readonly Change[] {
    const kept = this.dotsOf(value).filter((held) => !includesDot(dots, held))
    return this.#hold(this.#type.key(value), value, kind === 'add' ? withDot(kept, dot) : kept)
  }

  merge(other: this, seen: DotSet, bothSeen: DotSet): readonly Change[] {
    const changes: Change[] = []
    if (!bothSeen.isEmpty) {
      for (const [key, { value, dots }] of this.#elements) {
        if (other.#elements.has(key)) continue
        const kept = mergeDots(dots, seen, [], bothSeen)
        if (kept !== dots) changes.push(...this.#hold(key, value, kept))
      }
    }
    for (const [key, theirs] of other.#elements) {
      const mine = this.#elements.get(key)?.dots
      if (mine === undefined && theirs.dots.every((dot) => !seen.has(dot))) {
        // As it is: an element never changes, another one takes its place.
        this.#elements.set(key, theirs)
        changes.push({ path: noPath, kind: 'added', value: theirs.value })
        continue
      }
      const merged = mergeDots(mine ?? noDots, seen, theirs.dots, bothSeen)
      if (merged !== mine) changes.push(...this.#hold(key, theirs.value, merged))
    }
    return changes
  }

  remove(dots: DotSet): readonly Change[] {
    const changes: Change[] = []
    for (const [key, { value, dots: held }] of this.#elements) {
      const kept = held.filter((dot) => !dots.has(dot))
      if (kept.length < held.length) changes.push(...this.#hold(key, value, kept))
    }
    return changes
  }

  collectDots(into: DotSink): void {
    for (const { dots } of this.#elements.values()) for (const dot of dots) into.add(dot)
  }

  delta({ kind, value, dots }: OrSetOperation<Value>, dot: Dot, fragment: this, seen: DotSet): void {
    seen.add(dot)
    addDots(seen, dots)
    if (kind === 'add') fragment.#hold(this.#type.key(value), value, [dot])
  }

  *cells(writers: WriterTable): Generator<Cell> {
    const schema = dotList(writers)
    for (const { value, dots } of this.#elements.values()) {
      yield { key: encode(this.#type.schema, value), value: encode(schema, dots) }
    }
  }

  touched({ value }: OrSetOperation<Value>, _dot: Dot, writers: WriterTable): readonly CellRange[] {
    const dots = this.dotsOf(value)
    const cell = dots.length === 0 ? undefined : encode(dotList(writers), dots)
    return [rangeOf(encode(this.#type.schema, value), cell)]
  }

  readCell(key: Reader, value: Reader, writers: WriterTable): void {
    const element = this.#type.schema.read(key)
    const dots = dotList(writers).read(value)
    if (dots.length === 0) throw malformed('an element that nothing holds')
    const changes = this.#hold(this.#type.key(element), element, dots)
    if (changes.length === 0) throw malformed('an element twice')
  }

  settle(): void {}

  #hold(key: string | number, value: Value, dots: DotList): readonly Change[] {
    const before = this.#elements.size
    if (dots.length > 0) this.#elements.set(key, { value, dots })
    else this.#elements.delete(key)
    if (this.#elements.size === before) return []
    return [{ path: noPath, kind: this.#elements.size > before ? 'added' : 'removed', value }]
  }
}

const noDots: DotList = []
const noPath: readonly unknown[] = []

export function orSet<Value>(type: ValueType<Value>): CrdtType<OrSet<Value>, OrSetOperation<Value>> {
  return {
    name: `set of ${type.name}`,
    isRemovable: true,
    prepares: ['add', 'delete'],
    create: () => new OrSet(type),
    operation: (writers) => operationSchema(type, writers),
    claim: ({ dots }, basis) => addDots(basis.dots, dots),
  }
}

function operationSchema<Value>(type: ValueType<Value>, writers: WriterTable): Schema<OrSetOperation<Value>> {
  const schema = struct({ value: type.schema, dots: dotList(writers) }) as Schema<Element<Value>>
  return choice({ add: { number: 1, schema }, remove: { number: 2, schema } })
}
