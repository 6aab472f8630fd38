import { batchSchema, signedBatchSchema } from '../../src/broadcast/batch.ts'
import { signedMemberSchema } from '../../src/broadcast/membership/member.ts'
import { memberSchema } from '../../src/broadcast/membership/member-schema.ts'
import { broadcastOps, broadcastSchemas } from '../../src/broadcast/messages.ts'
import { fieldsOf, fieldsTable } from './fields-table.ts'
import type { Table } from './fill.ts'
import {
  batchMeanings,
  memberMeanings,
  signedBatchMeanings,
  signedMemberMeanings,
  topicMeanings,
} from './topic-meanings.ts'

/** Of topics, by the name in their marks. */
export function topicTables(): readonly (readonly [string, Table])[] {
  return [
    ['batch', fieldsTable(fieldsOf(batchSchema), batchMeanings)],
    ['signed batch', fieldsTable(fieldsOf(signedBatchSchema), signedBatchMeanings)],
    ['signed member', fieldsTable(fieldsOf(signedMemberSchema), signedMemberMeanings)],
    ['member', fieldsTable(fieldsOf(memberSchema), memberMeanings)],
    ['topic messages', messagesTable()],
  ]
}

/** All messages in one table, each with its fields below it. */
function messagesTable(): Table {
  const rows = Object.entries(broadcastOps).flatMap(([name, op]) => {
    const key = name as keyof typeof broadcastOps
    const { rows: fields } = fieldsTable(fieldsOf(broadcastSchemas[key]), topicMeanings[key])
    return fields.map((field, index) => (index === 0 ? [String(op), name.toUpperCase(), ...field] : ['', '', ...field]))
  })
  return { head: ['op', 'message', 'field', 'layout', 'bound', 'meaning'], rows }
}
