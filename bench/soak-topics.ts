import { mkdtempSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { aligned } from './feeds/feed-table.ts'
import { isFlat } from './groups/soak.ts'
import { positive } from './harness/options.ts'
import { installPackage } from './harness/pack.ts'
import { TopicsSoak, type TopicsSoakReport } from './topics/soak.ts'

// npm run soak:topics: see README.md. Exit code 1: something failed or grows.

const usage = 'npm run soak:topics -- [--minutes 10] [--seed 1] [--folder DIR] [--quiet]'

try {
  process.exitCode = await soak()
} catch (error) {
  console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`)
  process.exitCode = 1
}

async function soak(): Promise<number> {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '10' },
      seed: { type: 'string', default: '1' },
      folder: { type: 'string', default: tmpdir() },
      quiet: { type: 'boolean', default: false },
    },
  })
  const seconds = 60 * positive('--minutes', values.minutes, Number.isFinite)
  const seed = positive('--seed', values.seed, Number.isSafeInteger)
  installPackage()
  const folder = mkdtempSync(join(values.folder, 'plait-soak-topics-'))
  const began = performance.now()
  const say = (line: string): void => {
    if (!values.quiet) console.log(`${((performance.now() - began) / 1_000).toFixed(0).padStart(4)} s  ${line}`)
  }
  try {
    const report = await new TopicsSoak({ folder, seconds, seed, say }).run()
    print(report)
    return report.failures.length > 0 || !report.courses.every(isFlat) ? 1 : 0
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function print({ courses, kills, strangers, messages, deliveries, failures }: TopicsSoakReport): void {
  const load = loadavg().map((one) => one.toFixed(1))
  console.log(
    `${kills} kills, ${strangers} came back with another key; ${messages} messages judged, ${deliveries} deliveries owed; load ${load.join(' ')}`,
  )
  const lines = courses.map((course) => {
    const isCount = course.quantity === 'descriptors'
    const text = (value: number): string => (isCount ? value.toFixed(1) : `${(value / 1024).toFixed(0)} KiB`)
    return [
      `${course.member} ${course.quantity}`,
      text(course.mean),
      text(course.growth),
      `${(100 * course.growthShare).toFixed(1)} %`,
      isFlat(course) ? 'flat' : 'grows',
    ]
  })
  console.log(aligned([['last two thirds', 'mean', 'growth', '', ''], ...lines]))
  for (const failure of failures) console.log(`FAILED: ${failure}`)
}
