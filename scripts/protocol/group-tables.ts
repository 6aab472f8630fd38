import { continueRequest, joinRequest } from '../../src/causal/admission.ts'
import { groupState } from '../../src/causal/group-state.ts'
import { claimSchema, rosterOperation } from '../../src/causal/members/roster-operation.ts'
import { entryKinds } from '../../src/causal/order/entry.ts'
import type { EntryKind } from '../../src/causal/order/entry.ts'
import type { FieldDescription, SchemaDescription } from '../../src/wire/schema.ts'
import type { Table } from './fill.ts'

const entryMeanings: Readonly<Record<EntryKind, readonly [body: string, meaning: string]>> = {
  operation: ['bytes of the application', 'what somebody has published'],
  acknowledgement: ['nothing', 'its writer has delivered what it follows, and has nothing to say'],
  membership: ['a record of the next table', 'who belongs to the group, and what they may do'],
  snapshot: [
    '32 bytes, the name of a sealed feed',
    'it holds the state of the group at no more than the entry follows',
  ],
}

/** The tables of groups, by the name in their marks. */
export function groupTables(): readonly (readonly [name: string, table: Table])[] {
  return [
    ['group entries', entriesTable()],
    ['group membership', membershipTable()],
    ['group claim', plainTable(fieldsOf(claimSchema))],
    ['group join', plainTable(fieldsOf(joinRequest))],
    ['group continue', plainTable(fieldsOf(continueRequest))],
    ['group state', plainTable(fieldsOf(groupState))],
  ]
}

function entriesTable(): Table {
  const rows = Object.entries(entryKinds).map(([kind, number]) => {
    const [body, meaning] = entryMeanings[kind as EntryKind]
    return [String(number), kind, body, meaning]
  })
  return { head: ['kind', 'entry', 'body', 'meaning'], rows }
}

function membershipTable(): Table {
  const rows = fieldsOf(rosterOperation).flatMap(({ name, number, fields = [] }) =>
    fields.map((field, index) => (index === 0 ? [String(number), name, ...cells(field)] : ['', '', ...cells(field)])),
  )
  return { head: ['kind', 'record', 'field', 'layout', 'bound'], rows }
}

export function plainTable(fields: readonly FieldDescription[]): Table {
  return { head: ['field', 'layout', 'bound'], rows: fields.map(cells) }
}

function cells({ name, type, bound }: FieldDescription): string[] {
  const isExact = /^(?:optional )?bytes$/.test(type) && /^\d+ bytes$/.test(bound)
  return isExact ? [name, type.replace('bytes', bound), ''] : [name, type, bound]
}

export function fieldsOf(schema: { describe(): SchemaDescription }): readonly FieldDescription[] {
  return schema.describe().fields ?? []
}
