import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { CrdtRow } from '../../bench/crdt/crdt-sample.ts'
import { inOwnProcess } from '../../bench/crdt/end-process.ts'
import { missingSetTool, setToolModule, setToolNames } from '../../bench/crdt/set-tool-names.ts'
import type { CreateSetTool } from '../../bench/crdt/set-tool.ts'
import { setWorkloads } from '../../bench/crdt/set-workload.ts'
import { installPackage } from '../../bench/harness/pack.ts'
import { benchOnly, fullCounts } from '../counts.ts'

const command = fileURLToPath(new URL('../../bench/crdt.ts', import.meta.url))
const workloads = setWorkloads.filter(({ name }) => name.endsWith('10k'))
const scale = 0.005

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plait-bench-test-'))
  installPackage({ isBuilt: true })
})

afterAll(() => rm(folder, { recursive: true }))

test.for(setToolNames)('%s does what is measured, with the elements that all have', async (tool, context) => {
  if (!fullCounts) return context.skip(benchOnly)
  const missing = missingSetTool(tool)
  if (missing !== undefined) return context.skip(missing)
  const conditions = { folder, scale, profiled: false }
  for (const workload of workloads) {
    await workload.prepare?.(tool, conditions)
    const { measures, version, settings, before, after } = await workload.measure(tool, { ...conditions, repeat: 0 })
    for (const { metric, value } of measures) {
      expect(value, metric).toBeGreaterThanOrEqual(metric === 'cpu' ? 0 : Number.MIN_VALUE)
      expect(value, metric).toBeLessThan(Infinity)
    }
    expect(version).toMatch(/\d+\.\d+/)
    expect(settings).not.toBe('')
    expect(after).not.toBe(before)
  }
})

test.for([
  ['plait', true],
  ['yjs', false],
  ['automerge', true],
] as const)(
  '%s keeps an addition that a removal has not seen: %s, as its row says',
  async ([tool, isKept], context) => {
    const missing = missingSetTool(tool)
    if (missing !== undefined) return context.skip(missing)
    const { createSetTool } = (await import(setToolModule(tool))) as { createSetTool: CreateSetTool }
    const set = createSetTool()
    const common = set.create(1)
    common.addAll(['something else'])
    const [one, other] = [set.load(common.encode(), 2), set.load(common.encode(), 3)]
    one.add('x')
    other.add('x')
    other.delete('x')
    one.merge(other.encode())
    other.merge(one.encode())
    expect([one.has('x'), other.has('x')]).toEqual([isKept, isKept])
    expect(set.settings.includes('not add-wins')).toBe(!isKept)
  },
)

test('the command prints tables and aims, and the JSON has a row for each metric', async () => {
  const file = join(folder, 'out.json')
  const only = ['S-local-100', ...(fullCounts ? ['M-turns'] : [])]
  const repeat = ['--only', only.join(), '--repeat', '2']
  const args = [...repeat, '--tools', 'plait', '--scale', '0.01', '--json', file]
  const { stdout } = await promisify(execFile)(process.execPath, [command, ...args, '--folder', folder])
  const { rows } = JSON.parse(await readFile(file, 'utf8')) as { rows: CrdtRow[] }
  const ofSets = rows.filter(({ workload }) => workload === 'S-local-100')
  expect(ofSets.map(({ metric }) => metric)).toEqual(expect.arrayContaining(['add', 'delete', 'peak', 'stateBytes']))
  expect(rows.every(({ repeats, median, min, max }) => repeats === 2 && min <= median && median <= max)).toBe(true)
  if (fullCounts) expect(stdout).toMatch(/M-turns, 1000 members: mean\s+<= 25 B\s+\d+\.\d+ B\s+holds/)
})

test('a process that cannot do its job says why, and the command refuses names that there are not', async () => {
  const nothing = { kind: 'local', tool: 'plait', elements: 10, pairs: 3, folder: 'nowhere', profiled: false } as const
  await expect(inOwnProcess(nothing)).rejects.toThrow('ENOENT')
  const run = promisify(execFile)(process.execPath, [command, '--only', 'S-none'])
  await expect(run).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining('there is no S-none; choose from M-turns') as string,
  })
})
