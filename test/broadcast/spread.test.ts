import { expect, it } from 'vitest'
import { Ring } from '../../src/broadcast/ring.ts'
import { split } from '../../src/broadcast/split.ts'
import type { BroadcastSettings } from '../../src/broadcast/settings.ts'
import { Network, type Manner, type Site } from './network.ts'

interface Town {
  readonly net: Network
  readonly ring: Ring
  readonly sites: readonly Site[]
}

/** Members that all know one another from the beginning, and never learn that somebody has gone. */
function town(
  seed: string,
  size: number,
  settings: Partial<BroadcastSettings>,
  mannerOf: (index: number) => Manner = () => 'honest',
): Town {
  const net = new Network({ seed, latencyMs: [1, 20], loss: 0, settings: { starMembersMax: 0, ...settings } })
  const identities = Array.from({ length: size }, (_, index) => net.identity(index))
  const ring = new Ring(identities.map(({ id }) => id))
  const sites = identities.map((identity, index) =>
    net.add(identity, {
      members: { self: identity.id, ring, isWhole: true, isSuspect: () => false },
      manner: mannerOf(index),
    }),
  )
  return { net, ring, sites }
}

function bodiesOf(sites: readonly Site[]): number {
  return sites.reduce((sum, site) => sum + site.broadcaster.counts.bodiesSent, 0)
}

it('B1: with 2 to 100 members each other one gets a message once, with n - 1 bodies, in ceil(log3 n) + 1 steps', () => {
  for (let size = 2; size <= 100; size += 1) {
    const { net, sites } = town(`b1/${size}`, size, { offersMs: [] })
    const [author] = sites as [Site]
    const { key, report } = author.publish('hello')
    net.runTo(2_000)
    const deliveries = sites.filter((site) => site !== author).map((site) => site.deliveriesByKey.get(key)?.length)
    expect(deliveries, `${size} members`).toEqual(Array.from({ length: size - 1 }, () => 1))
    expect(bodiesOf(sites), `${size} members`).toBe(size - 1)
    const depth = Math.max(...sites.map((site) => site.deliveriesByKey.get(key)?.[0]?.hops ?? 0))
    expect(depth, `${size} members`).toBeLessThanOrEqual(Math.ceil(Math.log(size) / Math.log(3) - 1e-9) + 1)
    expect(report()).toEqual({ reached: size - 1, missing: 0, unreached: [] })
  }
})

it('B2: 20 of 100 dead, two heads of the first split among them, and 3 that hand nothing on: all others get it within 5 s', () => {
  for (const [round, gone] of (['silent', 'refusing', 'silent', 'refusing'] as const).entries()) {
    const idle = new Set([11, 12, 13])
    const { net, ring, sites } = town(`b2/${round}`, 100, {}, (index) => (idle.has(index) ? 'idle' : 'honest'))
    const [author] = sites as [Site]
    const heads = split(
      ring,
      { from: author.id, to: author.id },
      {
        self: author.id,
        isWhole: true,
        isHead: () => true,
        isSkipped: () => false,
      },
    ).map(({ head }) => head)
    const honest = sites.filter((site) => site !== author && site.manner === 'honest')
    const dead = new Set(honest.filter(({ id }) => heads.slice(0, 2).includes(id)))
    for (const site of net.random.shuffle(honest)) if (dead.size < 20) dead.add(site)
    for (const site of dead) site.state = gone
    const { key, report } = author.publish('hello')
    net.runTo(10_000)
    const alive = honest.filter((site) => !dead.has(site))
    const late = alive.filter((site) => (site.deliveriesByKey.get(key)?.[0]?.at ?? Infinity) > 5_000)
    expect(late.map(({ id }) => id)).toEqual([])
    expect(alive.every((site) => site.deliveriesByKey.get(key)?.length === 1)).toBe(true)
    expect(bodiesOf(sites)).toBeLessThanOrEqual(200)
    const told = new Set(report()?.unreached)
    const others = [...told].filter((id) => ![...dead].some((site) => site.id === id))
    expect(others).toEqual([])
  }
})
