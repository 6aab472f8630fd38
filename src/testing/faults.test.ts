import { expect, it } from 'vitest'
import { scheduleFaults, type FaultKind } from './faults.ts'
import { World } from './world.ts'

/** Which of the world's doors to trouble fifty faults go through. */
async function doors(kinds?: readonly FaultKind[]): Promise<string[]> {
  const world = new World({ seed: 1 })
  const names = ['ada', 'ben', 'cyd']
  for (const name of names) world.addHost(name, () => {})
  const used = new Set<string>()
  for (const door of ['cut', 'halfOpen', 'pause', 'partition', 'crash'] as const) {
    const real = (world[door] as (...args: unknown[]) => unknown).bind(world)
    const watched = (...args: unknown[]): unknown => {
      used.add(door)
      return real(...args)
    }
    Object.assign(world, { [door]: watched })
  }
  const plan = { names, fromMs: 1_000, untilMs: 60_000, count: 50, ...(kinds === undefined ? {} : { kinds }) }
  scheduleFaults(world, world.random.fork('faults'), plan)
  await world.run(1_000)
  expect([...used]).toEqual([])
  await world.run(60_000)
  for (const name of names) expect(world.host(name).process, name).toBeDefined()
  for (const [one, other] of [
    ['ada', 'ben'],
    ['ada', 'cyd'],
    ['ben', 'cyd'],
  ] as const)
    expect(world.network.path(world.host(one), world.host(other)).isBlocked).toBe(false)
  return [...used].sort()
}

it('are of all kinds, within their time, and over at its end', async () => {
  expect(await doors()).toEqual(['crash', 'cut', 'halfOpen', 'partition', 'pause'])
})

it('are of the kinds that are asked for', async () => {
  expect(await doors(['cut'])).toEqual(['cut'])
  expect(await doors(['halfOpenOneWay', 'longPause'])).toEqual(['halfOpen', 'pause'])
  expect(await doors(['partition', 'crash'])).toEqual(['crash', 'partition'])
})

it('are over at the end also when they begin shortly before it', async () => {
  const world = new World({ seed: 1 })
  for (const name of ['ada', 'ben']) world.addHost(name, () => {})
  const kinds = ['pause', 'longPause', 'partition', 'crash'] as const
  scheduleFaults(world, world.random, { names: ['ada', 'ben'], fromMs: 900, untilMs: 1_000, count: 50, kinds })
  await world.run(1_000)
  expect(world.faults).toBeGreaterThan(20)
  expect(world.network.path(world.host('ada'), world.host('ben')).isBlocked).toBe(false)
  expect(world.host('ada').process && world.host('ben').process).toBeDefined()
})
