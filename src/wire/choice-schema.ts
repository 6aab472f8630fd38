import { assert } from '../base/assert.ts'
import { inField, refuse } from './field-path.ts'
import { malformed } from './reader.ts'
import type { Infer, Schema } from './schema-type.ts'

/** One of several records: its number, and the schema of its fields. */
export interface Choice {
  readonly number: number
  readonly schema: Schema<object>
}

type Choices = Readonly<Record<string, Choice>>

/** A record whose `kind` says which of the choices it is. */
export type ChoiceValue<C extends Choices> = {
  [Kind in keyof C & string]: { readonly kind: Kind } & Infer<C[Kind]['schema']>
}[keyof C & string]

/** One byte that says which record follows, and that record. */
export function choice<const C extends Choices>(choices: C): Schema<ChoiceValue<C>> {
  const choicesByKind: ReadonlyMap<string, Choice> = new Map(Object.entries(choices))
  const kindsByNumber: ReadonlyMap<number, string> = new Map(
    Object.entries(choices).map(([kind, { number }]) => [number, kind]),
  )
  assert(kindsByNumber.size === choicesByKind.size, 'each choice has a number of its own')
  const all = [...choicesByKind.values()]
  return {
    bytesMin: 1 + Math.min(...all.map(({ schema }) => schema.bytesMin)),
    openEnded: all.some(({ schema }) => schema.openEnded),
    measure(value) {
      if (typeof value !== 'object' || value === null) refuse('not a record')
      const { kind } = value
      const chosen = choicesByKind.get(kind)
      if (chosen === undefined) refuse(`the kind ${kind} is none of ${[...choicesByKind.keys()].join(', ')}`)
      return 1 + inField(kind, () => chosen.schema.measure(value))
    },
    write(value, out, offset) {
      const { number, schema } = choicesByKind.get(value.kind) as Choice
      out[offset] = number
      return schema.write(value, out, offset + 1)
    },
    read(reader) {
      const number = reader.u8()
      const kind = kindsByNumber.get(number)
      if (kind === undefined) throw malformed(`${number}, which is no kind`)
      const { schema } = choicesByKind.get(kind) as Choice
      return { kind, ...inField(kind, () => schema.read(reader)) } as ChoiceValue<C>
    },
    describe: () => ({
      type: 'choice',
      bound: '',
      fields: Object.entries(choices).map(([name, { number, schema }]) => ({
        name,
        number,
        optional: false,
        ...schema.describe(),
      })),
    }),
  }
}
