import { expect, it } from 'vitest'
import { isPresent } from '../../src/broadcast/membership/member.ts'
import type { NodeId } from '../../src/identity/node-id.ts'
import { Network, type Site } from './network.ts'

function network(seed: string, loss = 0): Network {
  return new Network({ seed, latencyMs: [1, 20], loss })
}

function idsOf(sites: Iterable<Site>): readonly NodeId[] {
  return [...sites].map(({ id }) => id).sort()
}

/** When the others all know, or no longer know, of one. */
function until(net: Network, isSo: () => boolean, mostMs: number): number {
  const began = net.now
  while (!isSo() && net.now - began < mostMs) net.runTo(net.now + 10)
  return net.now - began
}

function knows(site: Site, id: NodeId): boolean {
  return site.broadcaster.membership.table.ring.has(id)
}

function grown(net: Network, size: number): Site[] {
  const sites = Array.from({ length: size }, (_, index) => net.add(net.identity(index)))
  for (const site of sites.slice(1)) {
    site.join((sites[0] as Site).id)
    net.runTo(net.now + 50)
  }
  net.runTo(net.now + 3_000)
  for (const site of sites) expect(site.broadcaster.membership.table.ring.ids).toEqual(idsOf(sites))
  return sites
}

it('B4: of 10 members that began with one address, who joins is known to all in 5 s, who leaves in 1 s, who crashes in 10 s', () => {
  for (let round = 0; round < 20; round += 1) {
    const net = network(`b4/${round}`)
    const sites = grown(net, 10)
    const newcomer = net.add(net.identity('newcomer'))
    newcomer.join(net.random.pick(sites).id)
    expect(until(net, () => sites.every((site) => knows(site, newcomer.id)), 60_000)).toBeLessThan(5_000)
    const leaver = sites.pop() as Site
    leaver.broadcaster.leave()
    expect(until(net, () => !sites.some((site) => knows(site, leaver.id)), 60_000)).toBeLessThan(1_000)
    leaver.state = 'refusing'
    const crashed = sites.pop() as Site
    crashed.state = round % 2 === 0 ? 'silent' : 'refusing'
    expect(until(net, () => !sites.some((site) => knows(site, crashed.id)), 60_000)).toBeLessThan(10_000)
  }
})

it('B4: after 1,000 random joins, leaves and crashes all views are equal and true', () => {
  const net = network('b4/churn', 0.02)
  const sites = new Set(grown(net, 10))
  for (let change = 0; change < 1_000; change += 1) {
    const lot = net.random.integer(0, 3)
    if (sites.size < 5 || (lot < 2 && sites.size < 30)) {
      const site = net.add(net.identity(`joins-${change}`))
      site.join(net.random.pick([...sites]).id)
      sites.add(site)
    } else {
      const site = net.random.pick([...sites])
      sites.delete(site)
      if (lot === 2) site.broadcaster.leave()
      site.state = net.random.chance(0.5) ? 'silent' : 'refusing'
    }
    net.runTo(net.now + 200)
  }
  until(
    net,
    () => [...sites].every((site) => String(site.broadcaster.membership.table.ring.ids) === String(idsOf(sites))),
    60_000,
  )
  for (const site of sites) expect(site.broadcaster.membership.table.ring.ids).toEqual(idsOf(sites))
})

it('a member that is suspected though it is there contradicts, with a new incarnation', () => {
  const net = network('contradicts')
  const sites = grown(net, 6)
  const [first] = sites as [Site]
  first.state = 'silent'
  const others = sites.slice(1)
  const isSuspected = (): boolean => others.some((site) => site.broadcaster.membership.table.isSuspect(first.id))
  expect(until(net, isSuspected, 10_000)).toBeLessThan(10_000)
  first.state = 'up'
  first.wake()
  const isTrusted = (): boolean => others.every((site) => !site.broadcaster.membership.table.isSuspect(first.id))
  expect(until(net, isTrusted, 10_000)).toBeLessThan(5_000)
  for (const site of others) {
    const member = site.broadcaster.membership.table.find(first.id)
    expect(member?.incarnation).toBeGreaterThan(0)
    expect(member !== undefined && isPresent(member)).toBe(true)
  }
})

it('two halves that were cut from each other and buried each other find together again', () => {
  const net = network('halves')
  const sites = grown(net, 8)
  const [left, right] = [sites.slice(0, 4), sites.slice(4)]
  for (const one of left)
    for (const other of right) net.cuts.add(one.id < other.id ? `${one.id}/${other.id}` : `${other.id}/${one.id}`)
  const isApart = (): boolean => left.every((site) => !knows(site, (right[0] as Site).id))
  expect(until(net, isApart, 60_000)).toBeLessThan(60_000)
  net.runTo(net.now + 5_000)
  net.cuts.clear()
  const isOne = (): boolean => sites.every((site) => site.broadcaster.membership.table.ring.size === 8)
  expect(until(net, isOne, 120_000)).toBeLessThan(60_000)
})
