import { foldedOutcome, outcome, pairs, start } from '../../test/drive/conflict-pairs.ts'
import type { Table } from './fill.ts'

/** What DRIVE.md says of changes that do not know of each other: it is carried out here, in both orders. */
export function conflictTables(): ReadonlyMap<string, Table> {
  const rows = pairs.map((pair) => {
    const folded = pair.folded === undefined ? '' : `; there: \`${foldedOutcome(pair)}\``
    return [
      `${pair.left[0]}, ${pair.right[0]}`,
      pair.left[1],
      pair.right[1],
      pair.what,
      `\`${outcome(pair)}\`${folded}`,
    ]
  })
  const startRow = ['', '', '', 'before', `\`${start}\``]
  const head = ['pair', 'Ann', 'Bob', 'what becomes of it', 'both folders']
  return new Map([['conflicts', { head, rows: [startRow, ...rows] }]])
}
