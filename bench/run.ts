import { writeFileSync } from 'node:fs'
import { rivalsTable, standingsOf } from './harness/ahead.ts'
import { aimsTable, verdictsOf, withAims } from './harness/aims.ts'
import { Campaign } from './harness/campaign.ts'
import { needsPackage, workloadModule } from './harness/names.ts'
import { type BenchOptions, parseOptions, usage } from './harness/options.ts'
import { installPackage } from './harness/pack.ts'
import { type Row, rowsOf } from './harness/rows.ts'
import { absenceLines, tableOf } from './harness/table.ts'
import { reasonsVoid } from './harness/validity.ts'
import type { Workload } from './workloads/workload.ts'

// npm run bench: see README.md. Exit code 1: something failed; 2: a peer is not installed; 3: the run is void.

try {
  process.exitCode = await bench(parseOptions(process.argv.slice(2)))
} catch (error) {
  console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`)
  process.exitCode = 1
}

async function bench(options: BenchOptions): Promise<number> {
  if (options.peers.some(needsPackage)) installPackage()
  console.log(
    `Node.js ${process.version}, ${options.repeat} repeats, scale ${options.scale}; in brackets the ratio to tls: median; minimum-maximum`,
  )
  const campaign = new Campaign(options)
  for (const workload of options.workloads) {
    const { about } = ((await import(workloadModule(workload))) as { workload: Workload }).workload
    console.log(`\n${workload}: ${about}`)
    await campaign.measure(workload)
    console.log(tableOf(rowsOf(campaign.samples.filter((sample) => sample.workload === workload))))
    for (const line of absenceLines(campaign.absent.filter((row) => row.workload === workload))) console.log(line)
    for (const peer of options.profile ? campaign.runnable(workload) : []) await printProfile(campaign, workload, peer)
  }
  const rows = rowsOf(campaign.samples)
  console.log(`\n${versionsOf(rows).join('\n')}`)
  const reasons = reasonsVoid(campaign.samples)
  for (const reason of reasons) console.log(`VOID: ${reason}`)
  if (reasons.length > 0) return 3
  printConclusions(campaign)
  if (options.json !== undefined) {
    const all = [...withAims(rows, verdictsOf(campaign.samples)), ...campaign.absent]
    writeFileSync(options.json, `${JSON.stringify(all, undefined, 2)}\n`)
  }
  if (campaign.failed) return 1
  return campaign.lacksPeer && !options.allowMissing ? 2 : 0
}

function printConclusions({ samples }: Campaign): void {
  const verdicts = verdictsOf(samples)
  if (verdicts.length > 0) console.log(`\nAims of the first step, against tls:\n${aimsTable(verdicts)}`)
  const standings = standingsOf(samples)
  if (standings.length > 0) console.log(`\nplait against each rival that ran:\n${rivalsTable(standings)}`)
}

/** A run of its own, because sampling slows it: its figures are not used. */
async function printProfile(campaign: Campaign, workload: string, peer: string): Promise<void> {
  const { profile } = await campaign.once(workload, peer, true)
  console.log(`  ${peer}, dialling end, self time\n    ${profile.dial.join('\n    ')}`)
  console.log(`  ${peer}, listening end, self time\n    ${profile.listen.join('\n    ')}`)
}

function versionsOf(rows: readonly Row[]): string[] {
  return [...new Set(rows.map(({ peer, version, settings }) => `${peer}: ${version}; ${settings}`))]
}
