import { assert } from '../base/assert.ts'
import { refuse, within } from './field-path.ts'
import type { Infer, RecordOf, Schema } from './schema-type.ts'

type Fields = Readonly<Record<string, Schema<unknown>>>

/** The record that a struct of these fields reads. */
export type StructValue<F extends Fields> = RecordOf<{ [Name in keyof F]: Infer<F[Name]> }>

/** The fields one behind the other, in the order in which they stand here. */
export function struct<const F extends Fields>(fields: F): Schema<StructValue<F>> {
  const entries = Object.entries(fields)
  const last = entries.length - 1
  assert(
    entries.every(([, schema], index) => !schema.openEnded || index === last),
    'only the last field may be open-ended',
  )
  return {
    bytesMin: entries.reduce((sum, [, schema]) => sum + schema.bytesMin, 0),
    openEnded: entries.at(-1)?.[1].openEnded ?? false,
    measure(value) {
      if (typeof value !== 'object' || value === null) refuse('not a record')
      const values = value as Readonly<Record<string, unknown>>
      let field = ''
      try {
        let length = 0
        for (const [name, schema] of entries) {
          field = name
          length += schema.measure(values[name])
        }
        return length
      } catch (error) {
        throw within(field, error)
      }
    },
    write(value, out, offset) {
      const values = value as Readonly<Record<string, unknown>>
      let end = offset
      for (const [name, schema] of entries) end = schema.write(values[name], out, end)
      return end
    },
    read(reader) {
      const values: Record<string, unknown> = {}
      let field = ''
      try {
        for (const [name, schema] of entries) {
          field = name
          values[name] = schema.read(reader)
        }
        return values as StructValue<F>
      } catch (error) {
        throw within(field, error)
      }
    },
    describe: () => ({
      type: 'record',
      bound: '',
      fields: entries.map(([name, schema]) => ({ name, optional: false, ...schema.describe() })),
    }),
  }
}
