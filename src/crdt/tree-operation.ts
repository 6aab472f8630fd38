import { choice } from '../wire/choice-schema.ts'
import { refuse } from '../wire/field-path.ts'
import { malformed } from '../wire/reader.ts'
import { optional, struct } from '../wire/schema.ts'
import type { Schema } from '../wire/schema.ts'
import { bounds } from './bounds.ts'
import type { Basis, Crdt, CrdtType } from './crdt-type.ts'
import type { Dot } from './dot.ts'
import { addDots, dotList, dotSchema } from './dot-list.ts'
import type { DotList } from './dot-list.ts'
import { dotSet } from './dot-set.ts'
import type { DotSet } from './dot-set.ts'
import { lamportTime } from './mv-register.ts'
import { wholeText } from './value-type.ts'
import type { WriterTable } from './writers.ts'

/** `dots`: what held the entry where the operation was prepared, and holds it no longer. The id of an entry is the dot of its creation. */
export type TreeOperation<Operation> =
  | { readonly kind: 'create'; readonly parent: Dot | undefined; readonly name: string; readonly time: number }
  /** A creation with the first operation on the content, which alone holds the new entry: the dot of both is the same. */
  | {
      readonly kind: 'make'
      readonly parent: Dot | undefined
      readonly name: string
      readonly time: number
      readonly operation: Operation
    }
  | {
      readonly kind: 'move'
      readonly id: Dot
      readonly parent: Dot | undefined
      readonly name: string
      readonly time: number
      readonly dots: DotList
    }
  | { readonly kind: 'edit'; readonly id: Dot; readonly operation: Operation }
  | { readonly kind: 'remove'; readonly id: Dot; readonly dots: DotSet }

/** The name of an entry: not empty, at most 255 bytes. What else a name may be is for the application to say, where it shows it. */
export const entryName: Schema<string> = named(wholeText(bounds.nameBytes))

export function treeOperation<State extends Crdt<Operation>, Operation>(
  type: CrdtType<State, Operation>,
  writers: WriterTable,
): Schema<TreeOperation<Operation>> {
  const id = dotSchema(writers)
  const place = { parent: optional(id), name: entryName, time: lamportTime }
  return choice({
    create: { number: 1, schema: struct(place) },
    move: { number: 2, schema: struct({ id, ...place, dots: dotList(writers) }) },
    edit: { number: 3, schema: struct({ id, operation: type.operation(writers) }) },
    remove: { number: 4, schema: struct({ id, dots: dotSet(writers) }) },
    make: { number: 5, schema: struct({ ...place, operation: type.operation(writers) }) },
  }) as Schema<TreeOperation<Operation>>
}

export function claimTree<State extends Crdt<Operation>, Operation>(
  type: CrdtType<State, Operation>,
  operation: TreeOperation<Operation>,
  basis: Basis,
): void {
  if ('id' in operation) basis.dots.add(operation.id)
  switch (operation.kind) {
    case 'create':
    case 'make':
    case 'move':
      if (operation.parent !== undefined) basis.dots.add(operation.parent)
      if (operation.kind === 'move') addDots(basis.dots, operation.dots)
      basis.time = Math.max(basis.time, operation.time)
      if (operation.kind === 'make') type.claim(operation.operation, basis)
      break
    case 'edit':
      type.claim(operation.operation, basis)
      break
    case 'remove':
      basis.dots.addAll(operation.dots)
  }
}

function named(schema: Schema<string>): Schema<string> {
  return {
    ...schema,
    measure(value) {
      if (value === '') refuse('an empty name')
      return schema.measure(value)
    },
    read(reader) {
      const value = schema.read(reader)
      if (value === '') throw malformed('an empty name')
      return value
    },
  }
}
