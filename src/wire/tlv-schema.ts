import { assert } from '../base/assert.ts'
import { varintLength, writeVarint } from '../base/varint.ts'
import { inField, refuse } from './field-path.ts'
import { malformed } from './reader.ts'
import type { Reader } from './reader.ts'
import type { Infer, RecordOf, Schema } from './schema-type.ts'

/** One entry of a list: the number of its type, the schema of its value, and whether it may be absent. */
export interface TlvField {
  readonly type: number
  readonly schema: Schema<unknown>
  readonly optional?: boolean
}

type Fields = Readonly<Record<string, TlvField>>

/** The record that a list of these entries reads. */
export type TlvValue<F extends Fields> = RecordOf<{
  [Name in keyof F]: F[Name] extends { readonly optional: true }
    ? Infer<F[Name]['schema']> | undefined
    : Infer<F[Name]['schema']>
}>

interface Entry {
  readonly name: string
  readonly type: number
  readonly schema: Schema<unknown>
  readonly optional: boolean
}

/**
 * A list of (LEB128 type, LEB128 length, value) up to the end of what it stands in, types in ascending order, each at most once.
 * Unknown types are skipped, so that a later version can say more.
 */
export function tlv<const F extends Fields>(fields: F): Schema<TlvValue<F>> {
  const entries = entriesOf(fields)
  const entriesByType: ReadonlyMap<number, Entry> = new Map(entries.map((entry) => [entry.type, entry]))
  assert(entriesByType.size === entries.length, 'each entry has a type of its own')
  return {
    bytesMin: entries.reduce((sum, entry) => sum + (entry.optional ? 0 : entryLength(entry, entry.schema.bytesMin)), 0),
    openEnded: true,
    measure(value) {
      if (typeof value !== 'object' || value === null) refuse('not a record')
      return entries.reduce((sum, entry) => sum + measureEntry(entry, value as Readonly<Record<string, unknown>>), 0)
    },
    write(value, out, offset) {
      return entries.reduce(
        (end, entry) => writeEntry(entry, value as Readonly<Record<string, unknown>>, out, end),
        offset,
      )
    },
    read: (reader) => readEntries(reader, entries, entriesByType) as TlvValue<F>,
    describe: () => ({
      type: 'type-length-value list',
      bound: '',
      fields: entries.map(({ name, type, optional, schema }) => ({
        name,
        number: type,
        optional,
        ...schema.describe(),
      })),
    }),
  }
}

function entriesOf(fields: Fields): readonly Entry[] {
  const entries = Object.entries(fields).map(([name, field]) => ({
    name,
    type: field.type,
    schema: field.schema,
    optional: field.optional === true,
  }))
  return entries.sort((left, right) => left.type - right.type)
}

function entryLength(entry: Entry, length: number): number {
  return varintLength(entry.type) + varintLength(length) + length
}

function measureEntry(entry: Entry, values: Readonly<Record<string, unknown>>): number {
  const value = values[entry.name]
  if (value === undefined && entry.optional) return 0
  return inField(entry.name, () => entryLength(entry, entry.schema.measure(value)))
}

function writeEntry(entry: Entry, values: Readonly<Record<string, unknown>>, out: Uint8Array, offset: number): number {
  const value = values[entry.name]
  if (value === undefined && entry.optional) return offset
  const start = writeVarint(out, writeVarint(out, offset, entry.type), entry.schema.measure(value))
  return entry.schema.write(value, out, start)
}

function readEntries(
  reader: Reader,
  entries: readonly Entry[],
  entriesByType: ReadonlyMap<number, Entry>,
): Record<string, unknown> {
  const valuesByType = new Map<number, unknown>()
  let previous = -1
  while (reader.remaining > 0) {
    const type = reader.varint()
    if (type === previous) throw malformed(`entry ${type} twice`)
    if (type < previous) throw malformed(`entry ${type} behind entry ${previous}`)
    previous = type
    const entry = entriesByType.get(type)
    const length = reader.length(Number.MAX_SAFE_INTEGER)
    if (entry === undefined) reader.position += length
    else
      valuesByType.set(
        type,
        inField(entry.name, () => readValue(reader, entry.schema, length)),
      )
  }
  const values: Record<string, unknown> = {}
  for (const { name, type, optional } of entries) {
    if (!optional && !valuesByType.has(type)) throw malformed(`no entry ${type} (${name})`)
    values[name] = valuesByType.get(type)
  }
  return values
}

/** Reads a value that fills the next `length` bytes. */
function readValue(reader: Reader, schema: Schema<unknown>, length: number): unknown {
  const { end } = reader
  reader.end = reader.position + length
  const value = schema.read(reader)
  reader.finish()
  reader.end = end
  return value
}
