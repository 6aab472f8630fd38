import { bounds } from '../../src/crdt/bounds.ts'
import { lwwRegister } from '../../src/crdt/lww-register.ts'
import { mailbox } from '../../src/crdt/mailbox.ts'
import { orMap } from '../../src/crdt/or-map.ts'
import { orSet } from '../../src/crdt/or-set.ts'
import { pnCounter } from '../../src/crdt/pn-counter.ts'
import { tree } from '../../src/crdt/tree.ts'
import { schemaValue } from '../../src/crdt/value-type.ts'
import { Writers } from '../../src/crdt/writers.ts'
import type { Schema, SchemaDescription } from '../../src/wire/schema.ts'
import { kindsOf, outcome, pairs, start } from '../../test/crdt/mailbox-pairs.ts'
import type { Table } from './fill.ts'

/** A schema of which the page says only what is to stand there. */
function placeholder(type: string): Schema<string> {
  return {
    bytesMin: 1,
    openEnded: false,
    measure: () => 0,
    write: (_value, _out, offset) => offset,
    read: () => '',
    describe: () => ({ type, bound: '' }),
  }
}

const value = schemaValue('value', placeholder('value'))
const key = schemaValue('key', placeholder('key'))
const below = { ...orSet(value), operation: () => placeholder('operation') as never }
const writers = new Writers()

/** The operations of all types, each with its fields. */
export function crdtOperationsTable(): Table {
  const rows = [
    ...rowsOf('set', orSet(value).operation(writers).describe()),
    ...rowsOf('register', lwwRegister(value).operation(writers).describe()),
    ...fieldRows('counter', '', 'add', pnCounter().operation(writers).describe()),
    ...rowsOf('map', orMap(key, below).operation(writers).describe()),
    ...rowsOf('tree', tree(below).operation(writers).describe()),
    ...rowsOf('mailbox', mailbox().operation(writers).describe()),
  ]
  return { head: ['type', 'kind', 'operation', 'field', 'layout', 'bound'], rows }
}

export function crdtBoundsTable(): Table {
  const rows = Object.entries(bounds).map(([name, most]) => [
    name,
    most.toLocaleString('en-US'),
    boundMeanings[name as keyof typeof bounds],
  ])
  return { head: ['bound', 'at most', 'of what'], rows }
}

/** What MAILBOX.md says of operations that do not know of each other: it is carried out here, in both orders, as states and as deltas. */
export function mailboxTables(): ReadonlyMap<string, Table> {
  const rows = pairs.map((pair) => [
    kindsOf(pair).join(', '),
    pair.left[0],
    pair.right[0],
    pair.what,
    `\`${outcome(pair)}\``,
  ])
  const startRow = ['', '', '', 'before', `\`${start}\``]
  return new Map([
    ['pairs', { head: ['pair', 'one', 'the other', 'what becomes of it', 'the mailbox'], rows: [startRow, ...rows] }],
  ])
}

const boundMeanings: Readonly<Record<keyof typeof bounds, string>> = {
  number: 'number of a dot, Lamport time',
  writers: 'writers in one encoding',
  dots: 'dots in a list, values of a register, flags of an item of a mailbox',
  runs: 'runs in a set of dots',
  valueBytes: 'bytes of a text or bytes as an element, a key, or the value of a register',
  nameBytes: 'bytes of a name in a tree or mailbox; none is empty',
  flags: 'flags in one operation',
  flagBytes: 'bytes of a flag',
  contentBytes: 'bytes of the content of an item of a mailbox',
  counterTotal: 'total of a writer in a counter, either way',
}

/** The rows of a choice. */
function rowsOf(type: string, { fields = [] }: SchemaDescription): string[][] {
  return fields.flatMap((field, index) => fieldRows(index === 0 ? type : '', String(field.number), field.name, field))
}

function fieldRows(type: string, number: string, name: string, { fields = [] }: SchemaDescription): string[][] {
  return fields.map((field, index) => [
    ...(index === 0 ? [type, number, name] : ['', '', '']),
    field.name,
    field.type,
    field.bound,
  ])
}
