import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { count, fullCounts } from '../counts.ts'
import { runProgram, startProgram } from '../support/process.ts'

const KiB = 1024
const MiB = 1024 * KiB
const nodeArgs = ['--expose-gc']

function file(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url))
}

it(
  'C8 holds many circuits in little memory, lets many come and go, and leaves nothing behind',
  async () => {
    const far = startProgram(file('./far.ts'), [], { nodeArgs })
    const [, address] = await far.line(/^listening (.+)$/)
    const open = count(10_000, 2_000)
    const args = [address as string, String(open), String(count(100_000))]
    const outcome = await runProgram(file('./churn.ts'), args, { nodeArgs, timeoutMs: fullCounts ? 600_000 : 60_000 })
    expect(outcome).toMatchObject({ code: 0, stderr: '' })
    const result = JSON.parse(outcome.stdout)
    expect(result.liveAtPeak).toBe(open + 1)
    expect((result.opened.here - result.base.here) / open).toBeLessThan(2 * KiB)
    expect((result.opened.there.memory - result.base.there.memory) / open).toBeLessThan(2 * KiB)
    expect([result.live, result.leak, result.account, result.end.there.circuits]).toEqual([0, 0, 0, 1])
    expect(result.end.here - result.base.here).toBeLessThan(5 * MiB)
    expect(result.end.there.memory - result.base.there.memory).toBeLessThan(5 * MiB)
  },
  fullCounts ? 700_000 : 90_000,
)
