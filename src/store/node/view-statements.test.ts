import { DatabaseSync } from 'node:sqlite'
import { expect, it } from 'vitest'
import { createEntries, statements } from './view-statements.ts'

const bounds = { equal: 'name=? AND key=?', both: 'name=? AND key>? AND key<?', first: 'name=? AND key>?' }

it.each([
  ['read', bounds.equal],
  ['range', bounds.both],
  ['rangeToEnd', bounds.first],
  ['remove', bounds.equal],
  ['removeRange', bounds.both],
  ['removeToEnd', bounds.first],
] as const)('%s goes from its first key to its last, and sorts nothing', (name, terms) => {
  const database = new DatabaseSync(':memory:')
  database.exec(createEntries)
  const plan = database.prepare(`EXPLAIN QUERY PLAN ${statements[name]}`).all()
  expect(plan.map(({ detail }) => detail)).toEqual([`SEARCH entries USING PRIMARY KEY (${terms})`])
  database.close()
})
