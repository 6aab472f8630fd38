import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { missingOf } from '../../bench/harness/missing.ts'
import { isRival, lackOf, peerModule, peerNames, workloadModule, workloadNames } from '../../bench/harness/names.ts'
import { installPackage } from '../../bench/harness/pack.ts'
import { runPair } from '../../bench/harness/pair.ts'
import type { Row } from '../../bench/harness/rows.ts'
import { benchOnly, fullCounts } from '../counts.ts'

const command = fileURLToPath(new URL('../../bench/run.ts', import.meta.url))
const swappingPeer = new URL('swapping-peer.ts', import.meta.url).href
const scale = 0.003
/** That the package does what they ask is shown elsewhere: each of them runs when there is time for all. */
const tried = fullCounts ? workloadNames : ['W3']
const only = ['--only', tried.join(',')]
const doors = ['plait', ...(fullCounts ? ['plait-iterator'] : [])]

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plait-bench-test-'))
  installPackage({ isBuilt: true })
})

afterAll(() => rm(folder, { recursive: true }))

async function bench(...args: string[]): Promise<{ rows: Row[]; text: string }> {
  const file = join(folder, 'out.json')
  const { stdout } = await promisify(execFile)(process.execPath, [
    command,
    '--scale',
    String(scale),
    '--json',
    file,
    ...args,
  ])
  return { rows: JSON.parse(await readFile(file, 'utf8')) as Row[], text: stdout }
}

test('each workload runs over plain sockets, and the JSON has a row for each metric with its ratio to tls', async () => {
  const { rows, text } = await bench(...only, '--peers', 'net,tls', '--repeat', '1')
  expect([...new Set(rows.map(({ workload }) => workload))]).toEqual(tried)
  for (const row of rows) {
    expect(row.median, `${row.workload} ${row.peer} ${row.metric}`).toBeGreaterThan(0)
    expect(row.min).toBeLessThanOrEqual(row.median)
    expect(row.max).toBeGreaterThanOrEqual(row.median)
    expect(row.unit).not.toBe('')
    expect(row.repeats).toBe(1)
    if (row.peer === 'tls') expect(row.ratioToTls).toBe(1)
    else expect(row.ratioToTls).toBeGreaterThan(0)
  }
  const metrics = (name: string): string[] =>
    rows.filter(({ workload, peer }) => workload === name && peer === 'net').map(({ metric }) => metric)
  expect(metrics('W3')).toEqual(['rate', 'cpu', 'cpuDial', 'cpuListen', 'peakDial', 'peakListen'])
  expect(text).toContain(process.version)
  if (!fullCounts) return
  expect(metrics('W5')).toEqual(expect.arrayContaining(['memoryDial', 'memoryListen']))
  expect(metrics('W7')).toEqual(expect.arrayContaining(['p50', 'p99', 'bulk']))
})

test('repeats are counted, and each gives a ratio of its own', async (context) => {
  if (!fullCounts) return context.skip(benchOnly)
  const { rows } = await bench('--only', 'W3', '--peers', 'net,tls', '--repeat', '3')
  const rate = rows.find(({ peer, metric }) => peer === 'net' && metric === 'rate')
  expect(rate?.repeats).toBe(3)
  expect(rate?.min).toBeLessThan(rate?.max ?? 0)
})

test('the packed package runs every workload by both doors, with sessions that prove themselves', async () => {
  const { rows, text } = await bench(...only, '--peers', doors.join(','), '--repeat', '1')
  const ran = new Set(rows.map(({ workload, peer }) => `${workload} ${peer}`))
  expect(ran.size).toBe(doors.length * tried.length)
  expect(rows.every(({ median }) => Number.isFinite(median))).toBe(true)
  expect(text).not.toContain('VOID')
}, 300_000)

test('topics carry W6 as a star and over a tree, with members that prove themselves', async (context) => {
  if (!fullCounts) return context.skip(benchOnly)
  const { rows, text } = await bench('--only', 'W6', '--peers', 'plait-topics,plait-topics-tree', '--repeat', '1')
  const metrics = (name: string): string[] => rows.filter(({ peer }) => peer === name).map(({ metric }) => metric)
  for (const peer of ['plait-topics', 'plait-topics-tree'])
    expect(metrics(peer)).toEqual(expect.arrayContaining(['rate', 'cpu', 'perCpuSecond']))
  expect(text).not.toContain('VOID')
}, 300_000)

test('a consumer that is given messages in the wrong order fails the run', async () => {
  const run = runPair({ workloadModule: workloadModule('W3'), peerModule: swappingPeer, scale })
  await expect(run).rejects.toThrow('expected message 9, took 10')
})

test('the same workload without the swap holds', async () => {
  const { measures } = await runPair({ workloadModule: workloadModule('W3'), peerModule: peerModule('net'), scale })
  expect(measures.find(({ metric }) => metric === 'rate')?.value).toBeGreaterThan(0)
})

test.for(peerNames.filter(isRival))(
  '%s carries W3 or W6 in order, and its settings can be read',
  async (peer, context) => {
    const missing = missingOf(peer)
    if (missing !== undefined) return context.skip(missing)
    const { measures, version, settings } = await runPair({
      workloadModule: workloadModule(lackOf(peer, 'W3') === undefined ? 'W3' : 'W6'),
      peerModule: peerModule(peer),
      scale,
    })
    expect(measures.find(({ metric }) => metric === 'rate')?.value).toBeGreaterThan(0)
    expect(version).toMatch(/\d+\.\d+/)
    expect(settings).not.toBe('')
  },
)

test('an unknown workload or peer is refused with the names that there are', async () => {
  await expect(bench('--only', 'W9')).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining('there is no W9; choose from W1') as string,
  })
  await expect(bench('--peers', 'smoke')).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining('there is no smoke') as string,
  })
})
