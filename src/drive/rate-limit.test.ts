import { beforeEach, expect, it } from 'vitest'
import { Scheduler } from '../runtime/simulated/scheduler.ts'
import { simulatedRuntime } from '../runtime/simulated/simulated-runtime.ts'
import { RateLimit } from './rate-limit.ts'

let scheduler: Scheduler
let limit: RateLimit
const kB = 1_000

beforeEach(() => {
  scheduler = new Scheduler()
  limit = new RateLimit(simulatedRuntime({ scheduler }), 100 * kB)
})

/** Lets promises go on, and time until then. */
async function pass(untilMs: number): Promise<void> {
  for (;;) {
    for (let round = 0; round < 20; round += 1) await Promise.resolve()
    if (!scheduler.step(untilMs)) return
  }
}

/** When each of them may go. */
function taken(...sizes: readonly number[]): number[] {
  const times: number[] = []
  for (const bytes of sizes) void limit.take(bytes).then(() => times.push(scheduler.now))
  return times
}

it('lets a little go at once, and the rest at its rate', async () => {
  const times = taken(...Array<number>(20).fill(10 * kB))
  await pass(0)
  expect(times).toEqual([0, 0])
  await pass(10_000)
  // 200 kB less the 25 kB that were saved up, at 100 kB a second.
  expect(times.at(-1)).toBe(1_750)
  expect(times.every((atMs, index) => 25 + atMs * 0.1 >= (index + 1) * 10)).toBe(true)
})

it('saves up no more in a pause than in the quarter of a second', async () => {
  await pass(60_000)
  const times = taken(...Array<number>(5).fill(25 * kB))
  await pass(70_000)
  expect(times).toEqual([60_000, 60_250, 60_500, 60_750, 61_000])
})

it('lets go what is larger than all that is ever saved up, and has it paid off', async () => {
  const times = taken(250 * kB, 1, 250 * kB)
  await pass(20_000)
  const [first, second, third = 0] = times
  expect([first, second]).toEqual([0, 2_251])
  expect(third).toBeGreaterThan(2_490)
  expect(third).toBeLessThan(2_510)
})

it('takes nothing for those who do not wait any more, and lets the others go on', async () => {
  const [gone, late] = [new AbortController(), new AbortController()]
  const times = taken(25 * kB)
  const results = [limit.take(25 * kB, gone.signal), limit.take(25 * kB, late.signal)].map((take) =>
    take.then(
      () => scheduler.now,
      (error: unknown) => error,
    ),
  )
  const last = limit.take(25 * kB).then(() => scheduler.now)
  await pass(100)
  gone.abort('first')
  late.abort('second')
  await pass(1_000)
  expect([times, await Promise.all(results), await last]).toEqual([[0], ['first', 'second'], 250])
})
