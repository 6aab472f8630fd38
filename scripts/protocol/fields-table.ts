import type { FieldDescription, SchemaDescription } from '../../src/wire/schema.ts'
import type { Table } from './fill.ts'

export function fieldsTable(fields: readonly FieldDescription[], meanings: Readonly<Record<string, string>>): Table {
  const rows = fields.map((field) => [field.name, layoutOf(field), boundOf(field), meaningOf(field.name, meanings)])
  checkMeanings(
    fields.map((field) => field.name),
    meanings,
  )
  return { head: ['field', 'layout', 'bound', 'meaning'], rows }
}

export function fieldsOf(schema: { describe(): SchemaDescription }): readonly FieldDescription[] {
  return schema.describe().fields ?? []
}

/** Bytes with an exact bound have no count before them. */
export function layoutOf({ type, bound, optional }: FieldDescription): string {
  const layout = isExact(type, bound) ? type.replace('bytes', bound) : type
  return optional ? `${layout}; may be absent` : layout
}

export function boundOf({ type, bound }: FieldDescription): string {
  return isExact(type, bound) ? '' : bound
}

function isExact(type: string, bound: string): boolean {
  return /^(?:optional )?bytes$/.test(type) && /^\d+ bytes$/.test(bound)
}

export function meaningOf(name: string, meanings: Readonly<Record<string, string>>): string {
  const meaning = meanings[name]
  if (meaning === undefined) throw new Error(`the field ${name} has no meaning`)
  return meaning
}

export function checkMeanings(names: readonly string[], meanings: Readonly<Record<string, string>>): void {
  const superfluous = Object.keys(meanings).filter((name) => !names.includes(name))
  if (superfluous.length > 0) throw new Error(`there is no field ${superfluous.join(', ')}`)
}
