import { afterEach, describe, expect, it, vi } from 'vitest'
import { runSeed, runSeeds, SeedError, type Scenario, type SeedRun } from './seeds.ts'

afterEach(() => vi.unstubAllEnvs())

/** A host that writes down a moment drawn from its seed; every tenth seed is wrong. */
const drawing: Scenario = async (world) => {
  world.addHost('ada', ({ runtime }) => {
    runtime.timers.after(world.random.integer(1, 1_000_000), () => world.note('ada', 'now'))
  })
  if (Number(world.seed) % 10 === 0) world.violation('the seed ends in 0')
  if (Number(world.seed) % 5 === 0) world.mark('five')
  await world.run(2_000_000)
}

/** Runs, and gives what was printed with what came of it. */
async function told(run: Omit<SeedRun, 'print'>): Promise<{ lines: string[]; outcome: unknown }> {
  const lines: string[] = []
  const outcome = await runSeeds({ ...run, print: (line) => lines.push(line) }).catch((error: unknown) => error)
  return { lines, outcome }
}

describe('one seed', () => {
  it('has a result that follows from it alone', async () => {
    const results = []
    for (const seed of [1, '1', 2]) results.push(await runSeed(seed, drawing))
    expect(results[0]?.hash).toBe(results[1]?.hash)
    expect(results[0]?.hash).not.toBe(results[2]?.hash)
    expect(results[0]).toMatchObject({ seed: 1, violations: [], virtualMs: 2_000_000, faults: 0 })
  })

  it('has what is thrown, and what nobody handles, among its violations', async () => {
    const thrown = await runSeed(1, async () => {
      throw new Error('no such luck')
    })
    expect(thrown.violations).toEqual([expect.stringContaining('thrown: Error: no such luck')])
    const others = process.listeners('unhandledRejection')
    process.removeAllListeners('unhandledRejection')
    try {
      const unhandled = await runSeed(1, async (world) => {
        world.scheduler.at(5, () => void Promise.reject(new Error('nobody listens')))
        world.scheduler.at(6, () => {})
        await world.run(10)
      })
      expect(unhandled.violations).toEqual([
        expect.stringMatching(/^\S+ ms: unhandled rejection: Error: nobody listens/),
      ])
      expect(process.listenerCount('unhandledRejection')).toBe(0)
    } finally {
      for (const listener of others) process.on('unhandledRejection', listener)
    }
  })
})

describe('a node', () => {
  it('makes a violation of what it throws when it is set to work', async () => {
    const { violations } = await runSeed(1, async (world) => {
      world.addNode('ada', {}, () => {
        throw new Error('at once')
      })
      world.addNode('ben', {}, async (_node, { runtime }) => {
        await new Promise<void>((resolve) => void runtime.timers.after(100, resolve))
        throw new Error('a little later')
      })
      await world.run(1_000)
    })
    expect(violations).toEqual([
      expect.stringMatching(/^0\.000 ms: the node ada failed at what it was set to do: Error: at once/),
      expect.stringMatching(/^1\d\d\.\d+ ms: the node ben failed at what it was set to do: Error: a little later/),
    ])
  })
})

describe('many seeds', () => {
  it('resolve to their results when all is well', async () => {
    const { lines, outcome } = await told({ from: 11, count: 9, scenario: drawing, reaches: ['five'] })
    expect((outcome as unknown[]).length).toBe(9)
    expect(lines).toEqual(['9 seeds, 0 failed; faults 0'])
  })

  it('print each that fails with the command that replays it, and reject with all of them', async () => {
    const { lines, outcome } = await told({ count: 25, scenario: drawing, command: 'npx vitest run a.test.ts' })
    expect(lines).toEqual([
      'seed 10: 0.000 ms: the seed ends in 0',
      'to replay: PLAIT_SEED=10 npx vitest run a.test.ts',
      'seed 20: 0.000 ms: the seed ends in 0',
      'to replay: PLAIT_SEED=20 npx vitest run a.test.ts',
      '25 seeds, 2 failed; faults 0',
    ])
    expect(outcome).toBeInstanceOf(SeedError)
    const { message, failures } = outcome as SeedError
    expect(message).toBe(['2 of 25 seeds failed: 10, 20', ...lines.slice(0, 2)].join('\n'))
    expect(failures.map(({ seed }) => seed)).toEqual([10, 20])
  })

  it('stop after enough failures, and show the first violations of each', async () => {
    const wordy: Scenario = async (world) => {
      for (let index = 0; index < 7; index += 1) world.violation(`number ${index}`)
    }
    const { lines } = await told({ count: 1_000, failuresMax: 2, scenario: wordy })
    expect(lines.filter((line) => line.startsWith('to replay: PLAIT_SEED='))).toHaveLength(2)
    expect(lines.slice(4, 6)).toEqual(['seed 1: 0.000 ms: number 4', 'seed 1: and 2 more'])
    expect(lines.at(-1)).toBe('2 seeds, 2 failed; faults 0')
  })

  it('fail when none has reached what it is meant to', async () => {
    const { outcome } = await told({ count: 4, scenario: drawing, reaches: ['five', 'never'] })
    expect(outcome).toBeInstanceOf(SeedError)
    expect((outcome as SeedError).message).toMatch(/^none of 4 seeds has reached: five, never/)
  })

  it('fail when a scenario does not follow from its seed', async () => {
    let runs = 0
    const forgetful: Scenario = async (world) => {
      world.addHost('ada', () => {})
      world.note('ada', `run ${(runs += 1)}`)
    }
    const { outcome } = await told({ count: 4, scenario: forgetful })
    expect((outcome as SeedError).message).toMatch(/^seed 1 was run twice and gave two traces/)
    expect(runs).toBe(2)
  })

  it('are a number of them', async () => {
    for (const count of [0, -1, 1.5, Number.NaN])
      await expect(runSeeds({ count, scenario: drawing })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })
})

describe('a replay', () => {
  it('runs the seed of the environment alone, and prints its hash', async () => {
    vi.stubEnv('PLAIT_SEED', '20')
    const { hash } = await runSeed(20, drawing)
    const { lines, outcome } = await told({ count: 3, scenario: drawing, reaches: ['never'] })
    expect(lines).toEqual([
      'seed 20: 0.000 ms: the seed ends in 0',
      `seed 20: 2000000 virtual ms, 0 faults, trace hash ${hash}`,
    ])
    expect((outcome as SeedError).failures.map(({ seed }) => seed)).toEqual([20])
    vi.stubEnv('PLAIT_SEED', '21')
    expect((await told({ count: 3, scenario: drawing, reaches: ['never'] })).outcome).toMatchObject([{ seed: 21 }])
  })

  it('takes a text for a seed too', async () => {
    vi.stubEnv('PLAIT_SEED', 'winter')
    expect((await told({ count: 3, scenario: drawing })).outcome).toMatchObject([{ seed: 'winter' }])
  })

  it('prints the trace on demand', async () => {
    vi.stubEnv('PLAIT_SEED', '1')
    vi.stubEnv('PLAIT_TRACE', '1')
    const { lines } = await told({ count: 3, scenario: drawing })
    expect(lines).toHaveLength(3)
    expect(lines[0]).toMatch(/^0\.000 ms, node 0, start, link 0, [0-9a-f]{16}$/)
    expect(lines[1]).toMatch(/ ms, node 0, note, link 0, /)
  })
})
