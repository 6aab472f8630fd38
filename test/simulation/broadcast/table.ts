import { parseArgs } from 'node:util'
import { conditions, measure, type Row } from './rows.ts'
import { FullTown, PartialTown, type Town } from './town.ts'

// Publishes messages in networks of 1,000 and 10,000 simulated members, with a full view of them and with views of a part, and prints what
// that takes. Exits with 1 unless every live member has got every message.
//
//   npm run sim:broadcast
//   npm run sim:broadcast -- --members 1000 --view full --conditions 'healthy,20 % dead'

const { values } = parseArgs({
  options: {
    members: { type: 'string', default: '1000,10000' },
    view: { type: 'string', default: 'full,partial' },
    conditions: { type: 'string', default: conditions.join() },
  },
})
const columns = [8, 8, 12, 10, 11, 6, 9, 9, 10, 8] as const
const heads = [
  'members',
  'view',
  'condition',
  'bodies',
  'duplicates',
  'depth',
  'half, ms',
  'all, ms',
  'coverage',
  'seconds',
]

print(heads)
let isCovered = true
for (const view of values.view.split(','))
  for (const size of values.members.split(',').map(Number)) {
    let startedAt = performance.now()
    const shared = view === 'partial' ? new PartialTown(`partial ${size}`, size) : undefined
    for (const condition of conditions.filter((one) => values.conditions.split(',').includes(one))) {
      const town: Town = shared ?? new FullTown(`full ${size} ${condition}`, size)
      const row = measure(town, condition)
      isCovered &&= row.reached === row.due && row.due > 0
      print([String(size), view, condition, ...cellsOf(row), ((performance.now() - startedAt) / 1_000).toFixed(1)])
      startedAt = performance.now()
    }
  }
process.exitCode = isCovered ? 0 : 1

function cellsOf({ bodies, duplicates, depth, halfMs, allMs, reached, due }: Row): readonly string[] {
  // Never more than there is.
  const coverage = `${(Math.floor((reached / due) * 100_000) / 1_000).toFixed(3)} %`
  return [bodies.toFixed(1), duplicates.toFixed(1), String(depth), halfMs.toFixed(0), allMs.toFixed(0), coverage]
}

function print(cells: readonly string[]): void {
  console.log(cells.map((cell, index) => cell.padStart(columns[index] ?? 0)).join('  '))
}
