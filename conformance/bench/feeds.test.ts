import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, rmdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { BenchFolder } from '../../bench/feeds/bench-folder.ts'
import { withEnds } from '../../bench/feeds/end-process.ts'
import { feedWorkloads } from '../../bench/feeds/feed-options.ts'
import type { FeedRow } from '../../bench/feeds/feed-sample.ts'
import { feedReasonsVoid } from '../../bench/feeds/feed-validity.ts'
import { RelayProcess } from '../../bench/feeds/relay-process.ts'
import { missingTool, toolNames } from '../../bench/feeds/tool-names.ts'
import { portOf, throughPort } from '../../bench/feeds/tool.ts'
import { installPackage } from '../../bench/harness/pack.ts'
import { benchOnly, fullCounts } from '../counts.ts'

const command = fileURLToPath(new URL('../../bench/feeds.ts', import.meta.url))
const fiveMillion = fileURLToPath(new URL('../../bench/feeds/five-million.ts', import.meta.url))
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

/** One in which there are two ends; ours runs by the command below. The others are tried when there is time for all. */
const isShort = (tool: string, workload: string): boolean => tool === 'tls' && workload === 'R1'
const cases = toolNames.flatMap((tool) =>
  feedWorkloads
    .filter(({ tools }) => tools.includes(tool))
    .filter(({ name }) => fullCounts || isShort(tool, name))
    .map((workload) => [tool, workload.name, workload] as const),
)

test.for(cases)('%s runs %s, and what it brings is right', async ([tool, , workload], context) => {
  const missing = missingTool(tool)
  if (missing !== undefined) return context.skip(missing)
  const result = await workload.measure(tool, { folder, scale, profiled: false })
  for (const { metric, value } of result.measures) {
    // Of so few blocks the second half may take no time, and the difference between near and far may be nothing.
    if (metric === 'kept' || metric === 'roundTrips') continue
    expect(value, metric).toBeGreaterThanOrEqual(metric.startsWith('cpu') ? 0 : Number.MIN_VALUE)
    expect(value, metric).toBeLessThan(Infinity)
  }
  const [version] = result.versions
  expect(version).toMatch(/\d+\.\d+/)
  const sample = { workload: workload.name, peer: tool, repeat: 0, version: version ?? '', settings: '', ...result }
  expect(feedReasonsVoid([sample], { isInMemory: false, pinned: (version ?? '').split(',')[0] ?? '' })).toEqual([])
})

test('the command prints tables and aims, and the JSON has a row for each metric', async (context) => {
  if (folder.isInMemory) return context.skip('the temporary folder is in memory, where the bench is void')
  const file = join(parent, 'out.json')
  const only = ['A3-awaited', ...(fullCounts ? ['R2'] : [])]
  const args = ['--only', only.join(), '--tools', 'file,tls,plait', '--repeat', '1', '--json', file]
  const { stdout } = await promisify(execFile)(process.execPath, [
    command,
    ...args,
    '--scale',
    String(scale),
    '--folder',
    parent,
  ])
  const { rows, aims } = JSON.parse(await readFile(file, 'utf8')) as { rows: FeedRow[]; aims: object[] }
  await rm(file)
  expect([...new Set(rows.map(({ workload, tool }) => `${workload} ${tool}`))]).toEqual([
    'A3-awaited file',
    'A3-awaited plait',
    ...(fullCounts ? ['R2 tls', 'R2 plait'] : []),
  ])
  expect(rows.every(({ repeats, median }) => repeats === 1 && median >= 0)).toBe(true)
  if (!fullCounts) return
  expect(aims).toMatchObject([{ workload: 'R2', metric: 'rate', than: 'tls' }])
  expect(stdout).toMatch(/R2 rate\s+>= 0.6x tls\s+\d+\.\d+x\s+(holds|falls short)/)
})

test('millions of blocks: the command says the slope of each process, and whether it opens in time', async (context) => {
  if (!fullCounts) return context.skip(benchOnly)
  const args = ['--blocks', '100000', '--pause', '1', '--folder', parent]
  const { stdout } = await promisify(execFile)(process.execPath, [fiveMillion, ...args])
  for (const name of ['append', 'serve', 'fetch'])
    expect(stdout).toMatch(new RegExp(`memory, ${name}: .* slope -?\\d+\\.\\d+ B/block .*: (flat|grows)\\n`))
  expect(stdout).toMatch(/open: .*(holds|falls short)\n/)
})

test('a relay brings bytes late, and counts those of both directions', async (context) => {
  if (!fullCounts) return context.skip(benchOnly)
  const corpus = { blocks: 100, blockBytes: 100 }
  await withEnds(['tls', 'tls'], async (server, client) => {
    const source = { folder: '', id: '', corpus }
    const { address } = await server.ask('serve', source)
    await client.ask('prepare', source)
    const relay = await RelayProcess.start({ targetPort: portOf(address), delayMs: 100 })
    const { seconds } = await client.ask('fetch', { address: throughPort(address, relay.port) })
    // Two round trips at least: the handshake, and the first message until the answer.
    expect(seconds).toBeGreaterThan(0.4)
    expect(await relay.bytes()).toBeGreaterThan(100 * 100)
    expect(await relay.bytes()).toBeLessThan(100 * 100 * 2)
    await relay.end()
  })
})

test('an order that fails is told to who gave it, and so is the end of the process', async () => {
  await withEnds(['tls'], async (end) => {
    await expect(end.ask('verify', {})).rejects.toThrow('tls: Error: nothing was fetched')
    const asked = end.ask('serve', { folder: '', id: '', corpus: { blocks: 1, blockBytes: 100 } })
    await end.end()
    await expect(asked).rejects.toThrow('tls: ')
  })
})

test('an unknown workload or tool is refused with the names that there are', async () => {
  const run = (...args: string[]): Promise<unknown> => promisify(execFile)(process.execPath, [command, ...args])
  await expect(run('--only', 'A9')).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining('there is no A9; choose from A1-awaited') as string,
  })
  await expect(run('--tools', 'smoke')).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining('there is no smoke') as string,
  })
})
