import { mkdtemp, mkdir, rm, truncate, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { cpuSecondsOf, runTimed } from '../../bench/folder/timed.ts'
import { hashTree, treeKinds } from '../../bench/folder/tree.ts'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plait-bench-test-'))
})

afterEach(() => rm(folder, { recursive: true }))

test('two trees hash alike only when names, sizes, contents, modes and times are alike', async () => {
  const path = join(folder, 'directory', 'file')
  const write = async (content: string, mode = 0o644, seconds = 1_700_000_000): Promise<string> => {
    await rm(join(folder, 'directory'), { recursive: true, force: true })
    await mkdir(join(folder, 'directory'))
    await writeFile(path, content, { mode })
    await utimes(path, seconds, seconds)
    return hashTree(folder)
  }
  const hashes = [await write('a'), await write('b'), await write('a', 0o600), await write('a', 0o644, 1_700_000_001)]
  expect(new Set(hashes).size).toBe(4)
  expect(await write('a')).toBe(hashes[0])
  await mkdir(join(folder, 'empty'))
  expect(hashTree(folder)).not.toBe(hashes[0])
})

test('the small tree is made at scale, and a copy that ends early is not the same tree', async () => {
  treeKinds['D1']?.make(folder, 0.002)
  const whole = hashTree(folder)
  await truncate(join(folder, 'directory-0', 'file-0'), 10)
  expect(hashTree(folder)).not.toBe(whole)
})

test('a timed command reports its own CPU time and not that of its idle wait', async () => {
  const busy = 'const until = performance.now() + 300; while (performance.now() < until); setTimeout(() => {}, 300)'
  const { wallSeconds, cpuSeconds } = await runTimed([process.execPath, '-e', busy], {})
  expect(wallSeconds).toBeGreaterThan(0.6)
  expect(cpuSeconds).toBeGreaterThan(0.05)
  expect(cpuSeconds).toBeLessThan(wallSeconds)
})

test('a command that fails rejects with what it complained of', async () => {
  await expect(runTimed(['sh', '-c', 'echo too bad >&2; exit 3'], {})).rejects.toThrow(/ended with 3\n.*too bad/)
})

test('the CPU time of a running process is that which it reports itself', () => {
  const { user, system } = process.cpuUsage()
  const own = cpuSecondsOf(process.pid)
  expect(Math.abs(own - (user + system) / 1e6)).toBeLessThan(0.5)
})
