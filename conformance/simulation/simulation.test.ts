import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, it, vi } from 'vitest'
import { runSeeds } from '../../test/simulation/runner.ts'
import { fullCounts } from '../counts.ts'

const program = fileURLToPath(new URL('../../test/simulation/main.ts', import.meta.url))

afterEach(() => void vi.restoreAllMocks())

interface Run {
  readonly lines: readonly string[]
  readonly code: number
}

function simulate(...args: string[]): Promise<Run> {
  return new Promise((resolve) => {
    execFile(process.execPath, [program, ...args], (error, stdout) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1
      resolve({ lines: stdout.trim().split('\n'), code })
    })
  })
}

it('a seed has the same trace in two processes, and prints its hash last (C12)', async () => {
  const [first, second, other] = await Promise.all(['42', '42', '43'].map((seed) => simulate('--seed', seed)))
  expect(first?.code).toBe(0)
  expect(first?.lines.at(-1)).toMatch(/^[0-9a-f]{16}$/)
  expect(second?.lines.at(-1)).toBe(first?.lines.at(-1))
  expect(other?.lines.at(-1)).not.toBe(first?.lines.at(-1))
})

const seeds = fullCounts ? 10_000 : 40

it(
  'many seeds end with one summary line',
  async () => {
    const { lines, code } = await simulate('--seeds', String(seeds), '--from', '5000')
    expect(lines.join('\n')).toMatch(
      /^seeds \d+; violations 0; marks \d+\/\d+, .*; median events \d+; fragments \d+; faults \d+; seconds [0-9.]+$/,
    )
    expect(lines[0]).toContain(`seeds ${seeds};`)
    expect(code).toBe(0)
  },
  60_000 + seeds * 500,
)

it('prints each violation with the command that replays it, survives a dead worker, and says that something was wrong', async () => {
  const lines: string[] = []
  vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line))
  const code = await runSeeds({ from: 1, count: 6, workers: 2, worker: new URL('./broken-worker.ts', import.meta.url) })
  expect(code).toBe(1)
  expect(lines).toContain('seed 3: 12.000 ms: a fragment came twice')
  expect(lines).toContain('to replay: npm run sim -- --seed 3')
  expect(lines).toContain('seed 4: the process died with code 7')
  expect(lines.at(-1)).toMatch(/^seeds 6; violations 2;/)
})

it('stops at the first violation, and ends a seed that hangs', async () => {
  const lines: string[] = []
  vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line))
  const worker = new URL('./broken-worker.ts', import.meta.url)
  expect(await runSeeds({ from: 1, count: 6, workers: 1, stop: true, worker })).toBe(1)
  expect(lines.at(-1)).toMatch(/^seeds 3; violations 1;/)
  expect(await runSeeds({ from: 7, count: 2, workers: 1, seedMs: 8_000, worker })).toBe(1)
  expect(lines).toContain('seed 7: it did not end in 8000 ms')
  expect(lines.at(-1)).toMatch(/^seeds 2; violations 1;/)
})

it('what cannot be read is answered with the usage', async () => {
  for (const args of [[], ['--seeds', 'many'], ['--seed'], ['--sheds', '3']])
    expect((await simulate(...args)).code).toBe(2)
})
