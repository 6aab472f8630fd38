import { wireErrorNumbers } from '../../src/base/error.ts'
import type { WireErrorCode } from '../../src/base/error.ts'
import { defaultLimits } from '../../src/base/limits.ts'
import type { Limits } from '../../src/base/limits.ts'
import { acceptSchema, closeSchema, openSchema } from '../../src/circuit/open.ts'
import { signedHeadSchema } from '../../src/feed/head.ts'
import { feedOps, feedSchemas } from '../../src/feed/messages.ts'
import { sealSchema } from '../../src/feed/sealed-name.ts'
import { helloDescription } from '../../src/session/hello.ts'
import { resumeSchema } from '../../src/session/resumption.ts'
import type { WireError } from '../../src/wire/error.ts'
import { fragmentFlags } from '../../src/wire/fragment.ts'
import { frameTypes, isNumbered } from '../../src/wire/frame.ts'
import { bytes, fixed, struct, text, u16, u64, u8 } from '../../src/wire/schema.ts'
import type { FieldDescription, Schema, SchemaDescription } from '../../src/wire/schema.ts'
import { crdtBoundsTable, crdtOperationsTable } from './crdt-tables.ts'
import { boundOf, checkMeanings, fieldsOf, fieldsTable, layoutOf, meaningOf } from './fields-table.ts'
import type { Table } from './fill.ts'
import { driveTables } from './drive-tables.ts'
import { groupTables } from './group-tables.ts'
import { topicTables } from './topic-tables.ts'
import { acceptMeanings, closeMeanings, errorMeanings, helloMeanings, openMeanings } from './meanings.ts'
import { feedMeanings, sealMeanings, signedHeadMeanings } from './meanings.ts'
import { readyMeanings, resumeMeanings, wireErrorMeanings } from './meanings.ts'
import { fragmentLayouts } from './fragment-layouts.ts'
import { frameBodies } from './frame-bodies.ts'
import { limitEffects } from './limit-effects.ts'

const { errorMessageBytes, errorFactsBytes } = defaultLimits

/** What `session/handshake.ts` puts together by hand. */
export const readySchema: Schema<{ readonly role: number; readonly binding: Uint8Array }> = struct({
  role: u8,
  binding: fixed(32),
})

/** What `wire/error.ts` writes and reads by hand, its facts unread. */
export const errorSchema: Schema<Omit<WireError, 'facts'> & { readonly facts: Uint8Array }> = struct({
  code: u16,
  message: text({ max: errorMessageBytes }),
  facts: bytes({ max: errorFactsBytes }),
})

const grant: FieldDescription = { name: 'grant', optional: false, ...u64.describe() }

/** The tables of the page, by the name in their marks. */
export function protocolTables(): ReadonlyMap<string, Table> {
  return new Map([
    ['frames', framesTable()],
    ['HELLO', listTable(helloDescription, helloMeanings)],
    ['READY', fieldsTable(fieldsOf(readySchema), readyMeanings)],
    ['RESUME', fieldsTable(fieldsOf(resumeSchema), resumeMeanings)],
    ['OPEN', fieldsTable([grant, ...fieldsOf(openSchema)], openMeanings)],
    ['ACCEPT', fieldsTable([grant, ...fieldsOf(acceptSchema)], acceptMeanings)],
    ['CLOSE', fieldsTable(fieldsOf(closeSchema), closeMeanings)],
    ['error', fieldsTable(fieldsOf(errorSchema), errorMeanings)],
    ['fragment', fragmentTable()],
    ['error codes', errorCodesTable()],
    ['limits', limitsTable()],
    ['signed head', fieldsTable(fieldsOf(signedHeadSchema), signedHeadMeanings)],
    ['seal', fieldsTable(fieldsOf(sealSchema), sealMeanings)],
    ['feed messages', feedMessagesTable()],
    ['replicated operations', crdtOperationsTable()],
    ['replicated bounds', crdtBoundsTable()],
    ...topicTables(),
    ...groupTables(),
    ...driveTables(),
  ])
}

function framesTable(): Table {
  const rows = Object.entries(frameTypes).map(([name, type]) => {
    const { channel, body } = frameBodies[name as keyof typeof frameTypes]
    return [hex(type), name, isNumbered(type) ? 'yes' : 'no', channel, body]
  })
  return { head: ['type', 'name', 'numbered', 'channel', 'body'], rows }
}

/** A type-length-value list; the fields of a record in it follow without a number. */
function listTable(list: SchemaDescription, meanings: Readonly<Record<string, string>>): Table {
  const rows = (list.fields ?? []).flatMap((entry) => [
    [String(entry.number), entry.name, layoutOf(entry), boundOf(entry), meaningOf(entry.name, meanings)],
    ...(entry.fields ?? []).map((field) => {
      const name = `${entry.name}.${field.name}`
      return ['', name, layoutOf(field), boundOf(field), meaningOf(name, meanings)]
    }),
  ])
  checkMeanings(
    rows.map((row) => row[1] ?? ''),
    meanings,
  )
  return { head: ['type', 'field', 'layout', 'bound', 'meaning'], rows }
}

function fragmentTable(): Table {
  const fields = Object.entries(fragmentFlags).map(([name, flag]) => {
    const { layout, bound } = fragmentLayouts[name as keyof typeof fragmentFlags]
    return [String(flag), name, layout, bound]
  })
  const flags = ['', 'flags', 'u8', 'the sum of the flags of the fields that follow; the other bits are 0']
  const payload = ['', 'payload', 'the rest', `at most ${defaultLimits.fragmentBytes} bytes`]
  return { head: ['flag', 'field', 'layout', 'bound'], rows: [flags, ...fields, payload] }
}

/** All messages of feeds in one table, each with its fields below it. */
function feedMessagesTable(): Table {
  const rows = Object.entries(feedOps).flatMap(([name, op]) => {
    const key = name as keyof typeof feedOps
    const { rows: fields } = fieldsTable(fieldsOf(feedSchemas[key]), feedMeanings[key])
    return fields.map((field, index) => (index === 0 ? [String(op), name.toUpperCase(), ...field] : ['', '', ...field]))
  })
  return { head: ['op', 'message', 'field', 'layout', 'bound', 'meaning'], rows }
}

function errorCodesTable(): Table {
  const rows = Object.entries(wireErrorNumbers).map(([name, number]) => [
    String(number),
    name,
    wireErrorMeanings[name as WireErrorCode],
  ])
  return { head: ['code', 'name', 'meaning'], rows }
}

function limitsTable(): Table {
  const rows = Object.entries(defaultLimits).map(([name, value]) => {
    const { what, beyond } = limitEffects[name as keyof Limits]
    return [name, value.toLocaleString('en-US'), unitOf(name), what, beyond]
  })
  return { head: ['limit', 'default', 'unit', 'of what', 'beyond it'], rows }
}

function unitOf(name: string): string {
  if (/Bytes(?:Min|Max|Initial|PerSession)?$/.test(name)) return 'bytes'
  if (name.endsWith('Ms')) return 'ms'
  return name.endsWith('PerSecond') ? 'a second' : 'count'
}

function hex(type: number): string {
  return `0x${type.toString(16).padStart(2, '0')}`
}
