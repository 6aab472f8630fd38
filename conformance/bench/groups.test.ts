import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, rmdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { BenchFolder } from '../../bench/feeds/bench-folder.ts'
import { groupWorkloads } from '../../bench/groups/group-options.ts'
import type { GroupRow } from '../../bench/groups/group-sample.ts'
import { MemberProcess } from '../../bench/groups/member-process.ts'
import { Soak } from '../../bench/groups/soak.ts'
import { installPackage } from '../../bench/harness/pack.ts'
import { benchOnly, fullCounts } from '../counts.ts'

const command = fileURLToPath(new URL('../../bench/groups.ts', import.meta.url))
const scale = 0.002

let parent: string
let folder: BenchFolder

beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), 'plait-bench-test-'))
  folder = new BenchFolder(parent)
  installPackage({ isBuilt: true })
})

afterAll(async () => {
  folder.close()
  // Not by force: nothing of the bench is left there.
  await rmdir(parent)
})

/** One of each kind; what each floor does is a part of the second. */
const names = ['P-three-64', 'N-table-snapshot', 'P-one-64', 'D-1', 'N-set']
const cases = names.map((name) => {
  const workload = groupWorkloads.find((one) => one.name === name)
  if (workload === undefined) throw new Error(`there is no ${name}`)
  return [name, workload] as const
})

test.for(cases)('%s is measured by all its tools, and what it brings is right', async ([, workload], context) => {
  if (!fullCounts) return context.skip(benchOnly)
  for (const tool of workload.tools) {
    const { measures, version, reasonsVoid } = await workload.measure(tool, { folder, scale, profiled: false })
    for (const { metric, value } of measures) {
      expect(value, `${tool} ${metric}`).toBeGreaterThanOrEqual(metric === 'cpu' ? 0 : Number.MIN_VALUE)
      expect(value, `${tool} ${metric}`).toBeLessThan(Infinity)
    }
    expect(version).toMatch(/\d+\.\d+/)
    expect(reasonsVoid).toEqual([])
  }
})

test('the command prints a table, and the JSON has a row for each metric', async (context) => {
  if (folder.isInMemory) return context.skip('the temporary folder is in memory, where the bench is void')
  const file = join(parent, 'out.json')
  const args = ['--only', 'P-local-64', '--tools', 'file,plait', '--repeat', '1', '--scale', String(scale)]
  const { stdout } = await promisify(execFile)(process.execPath, [command, ...args, '--folder', parent, '--json', file])
  const { rows } = JSON.parse(await readFile(file, 'utf8')) as { rows: GroupRow[] }
  await rm(file)
  expect([...new Set(rows.map(({ workload, tool }) => `${workload} ${tool}`))]).toEqual([
    'P-local-64 file',
    'P-local-64 plait',
  ])
  expect(stdout).toMatch(/delivered p99 ms\s+-\s+\d/)
})

test('a soak of some seconds: members that are stopped, killed, let in and removed come to the same', async (context) => {
  if (!fullCounts) return context.skip(benchOnly)
  const said: string[] = []
  const report = await new Soak({
    folder: folder.empty(),
    seconds: 12,
    judgedFromSeconds: 4,
    seed: 1,
    say: (line) => said.push(line),
  }).run()
  expect(report.failures).toEqual([])
  expect(report.summary).toMatch(/ 1 kills, .* 1 guests$/)
  expect(report.courses.map(({ name, quantity }) => `${name} ${quantity}`)).toEqual(
    expect.arrayContaining(['ann disk', 'ann heap', 'ann memory', 'ben descriptors']),
  )
  expect(said.at(-1)).toBe('all are level')
})

test('an order that fails is told to who gave it, and so is the end of the process', async () => {
  const member = new MemberProcess('ann')
  await expect(member.ask('hash', {})).rejects.toThrow('ann: Error: it is a member of nothing yet')
  const asked = member.ask('level', { clock: {} })
  await member.end()
  await expect(asked).rejects.toThrow('ann: ')
})

test('an unknown workload is refused with the names that there are', async () => {
  await expect(promisify(execFile)(process.execPath, [command, '--only', 'P-none'])).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining('there is no P-none; choose from P-local-1') as string,
  })
})
