import { describe, expect, it } from 'vitest'
import { createWorld, type World } from '../../src/testing/index.ts'
import { converge } from './convergence.ts'
import { runSeed } from './seed.ts'
import { median } from './summary.ts'
import { Workload } from './workload.ts'

const names = ['ada', 'ben', 'cyd', 'dee', 'eve']

/** C12: five nodes, delays of 1 to 50 ms, cuts, a partition of 30 s, a crash and a restart. */
async function scenario(seed: number, change: (world: World) => void = () => {}): Promise<World> {
  const world = createWorld({ seed })
  const { scheduler } = world
  const profile = { limits: {}, resumeMs: 30_000, opensPerProcess: 15, activeMs: 50_000, startsAtOnce: true }
  const workload = new Workload(world, names, profile)
  for (const [index, name] of names.entries()) {
    scheduler.at(3_000 + index * 1_700, () => world.cut(name, names[(index + 1) % names.length] as string))
  }
  scheduler.at(8_000, () => void world.partition(['ada', 'ben'], ['cyd', 'dee', 'eve']))
  scheduler.at(38_000, () => world.heal())
  scheduler.at(12_000, () => world.crash('eve', { power: true }))
  scheduler.at(15_000, () => world.restart('eve'))
  change(world)
  await world.run(profile.activeMs)
  await converge(workload)
  return world
}

describe('the simulated world (C12)', () => {
  it('runs twice alike, and every other seed differently', async () => {
    const first = await scenario(42)
    const second = await scenario(42)
    const other = await scenario(43)
    for (const world of [first, second, other]) expect(world.violations).toEqual([])
    expect(second.hash()).toBe(first.hash())
    expect(second.now).toBe(first.now)
    expect(other.hash()).not.toBe(first.hash())
    expect(first.faults).toBeGreaterThanOrEqual(4)
  })

  it('has another trace when one thing is different: a delay, a byte, a fault', async () => {
    const hashes = new Set<string>()
    const changes: ((world: World) => void)[] = [
      () => {},
      (world) => world.scheduler.at(500, () => world.pause('ada', 'ben', 1)),
      (world) => world.scheduler.at(500, () => world.note('ada', 'a word')),
      (world) => world.scheduler.at(500, () => world.note('ada', 'a wore')),
      (world) => world.scheduler.at(500.001, () => world.note('ada', 'a word')),
      (world) => world.scheduler.at(20_000, () => world.crash('dee')),
    ]
    for (const change of changes) hashes.add((await scenario(42, change)).hash())
    expect(hashes.size).toBe(changes.length)
  })

  it('lets an hour pass in a few seconds', async () => {
    const startedAt = performance.now()
    const world = createWorld({ seed: 1 })
    const workload = new Workload(world, names, {
      limits: {},
      resumeMs: 30_000,
      opensPerProcess: 10,
      activeMs: 3_600_000,
      startsAtOnce: true,
    })
    await world.run(3_600_000)
    expect(performance.now() - startedAt).toBeLessThan(10_000)
    expect(world.violations).toEqual([])
    expect(workload.delivered).toBeGreaterThan(1_000)
  })
})

describe('seeds', () => {
  it('have no violations, enough to do and enough to bear; each has a trace of its own', async () => {
    const results = []
    for (let seed = 1; seed <= 100; seed += 1) results.push(await runSeed(seed))
    for (const { seed, violations } of results) expect(violations, `npm run sim -- --seed ${seed}`).toEqual([])
    expect(new Set(results.map(({ hash }) => hash)).size).toBe(100)
    expect(median(results.map(({ delivered }) => delivered))).toBeGreaterThanOrEqual(2_000)
    expect(median(results.map(({ faults }) => faults))).toBeGreaterThanOrEqual(3)
    expect(Math.min(...results.map(({ nodes }) => nodes))).toBeGreaterThanOrEqual(3)
    const again = await runSeed(50)
    expect(again.hash).toBe(results[49]?.hash)
  }, 300_000)
})
