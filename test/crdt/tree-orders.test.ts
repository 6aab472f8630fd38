import { describe, expect, it } from 'vitest'
import { formatDot } from '../../src/crdt/dot.ts'
import type { Dot } from '../../src/crdt/dot.ts'
import { VectorClock } from '../../src/crdt/vector-clock.ts'
import { Writers } from '../../src/crdt/writers.ts'
import { SeededRandom } from '../../src/runtime/simulated/random.ts'
import { Site, writer } from './history.ts'
import type { Sent } from './history.ts'
import { inEveryOrder } from './orders.ts'
import { checkTree, idsOf, useTree } from './use-tree.ts'
import type { Files, FilesOperation } from './use-tree.ts'

const { type } = useTree

interface Start {
  readonly sites: readonly [Site<Files, FilesOperation>, Site<Files, FilesOperation>, Site<Files, FilesOperation>]
  readonly all: Sent<FilesOperation>[]
  readonly ids: readonly Dot[]
}

/** Three replicas that have folders of these names. */
function startWith(...names: readonly string[]): Start {
  const sites = [new Site(type, 1), new Site(type, 2), new Site(type, 3)] as const
  const all = names.map((name) => sites[0].write(sites[0].value.create(undefined, name)))
  for (const sent of all) for (const site of sites.slice(1)) site.deliver(sent)
  return { sites, all, ids: all.map(({ dot }) => dot) }
}

function outline(files: Files, parent?: Dot): string {
  const entries = [...files.view.children(parent)].map(([name, entry]) => {
    const below = outline(files, entry.id)
    return `${name}${entry.isAlive ? '' : '†'}${below === '' ? '' : `(${below})`}`
  })
  return entries.sort().join(' ')
}

describe('R3 a tree', () => {
  it('passes over the later of two moves that would make a circle', () => {
    const { sites, all, ids } = startWith('A', 'B')
    const [ann, bob] = sites
    const [a, b] = ids as [Dot, Dot]
    all.push(ann.write(ann.value.move(a, b, 'A')), bob.write(bob.value.move(b, a, 'B')))
    const { value, orders } = inEveryOrder(type, all)
    expect(orders).toBe(2)
    expect(outline(value)).toBe('B(A)')
    checkTree(value, all)
  })

  it('is one without circles when three go round', () => {
    const { sites, all, ids } = startWith('A', 'B', 'C')
    const [a, b, c] = ids as [Dot, Dot, Dot]
    const moves = [
      [a, b],
      [b, c],
      [c, a],
    ] as const
    sites.forEach((site, index) => {
      const [id, parent] = moves[index] as readonly [Dot, Dot]
      all.push(site.write(site.value.move(id, parent, 'X')))
    })
    const { value, orders } = inEveryOrder(type, all)
    expect(orders).toBe(6)
    checkTree(value, all)
    expect(idsOf(value)).toHaveLength(3)
  })

  it('keeps a folder that was removed while something was put into it', () => {
    const { sites, all, ids } = startWith('A')
    const [ann, bob, cyd] = sites
    const [a] = ids as [Dot]
    all.push(ann.write(ann.value.delete(a)), bob.write(bob.value.create(a, 'new')))
    all.push(cyd.write(cyd.value.create(undefined, 'other')))
    expect(outline(inEveryOrder(type, all).value)).toBe('A†(new) other')
  })

  it('keeps a file that was edited or moved while it was removed', () => {
    for (const change of ['edit', 'move'] as const) {
      const { sites, all, ids } = startWith('f')
      const [ann, bob] = sites
      const [id] = ids as [Dot]
      const { value } = bob
      all.push(ann.write(ann.value.delete(id)))
      all.push(bob.write(change === 'edit' ? value.edit(id, (one) => one.set('x')) : value.move(id, undefined, 'f')))
      expect(outline(inEveryOrder(type, all).value)).toBe('f')
    }
  })

  it('shows both of two that have the same name', () => {
    const { sites, all } = startWith()
    for (const site of sites) all.push(site.write(site.value.create(undefined, 'same')))
    const [first, second, third] = sites.map((site) => site.writer.slice(0, 8))
    const { value } = inEveryOrder(type, all)
    expect(first).toBe(writer(1).slice(0, 8))
    expect(outline(value)).toBe(`same same~1-${second} same~1-${third}`)
    const [ann] = sites
    for (const sent of all) if (ann.canTake(sent)) ann.deliver(sent)
    all.push(ann.write(ann.value.create(undefined, `same~1-${second}`)))
    expect(outline(ann.value)).toBe(`same same~1-${second} same~1-${second}~ same~1-${third}`)
  })

  it('is the same in every causal order of 6 operations', () => {
    let orders = 0
    for (let seed = 0; seed < 100; seed += 1) {
      const random = new SeededRandom(`tree orders/${seed}`)
      const { sites, all } = startWith('A', 'B')
      while (all.length < 8) {
        const site = random.pick(sites)
        for (const sent of all) if (site.canTake(sent) && random.chance(0.2)) site.deliver(sent)
        all.push(site.write(useTree.prepare(random, site.value, site.writer)))
      }
      const { value, orders: some } = inEveryOrder(type, all)
      checkTree(value, all)
      orders += some
    }
    expect(orders).toBeGreaterThan(2_000)
  })

  it('forgets moves that all have seen, and is the same tree', () => {
    const { sites, all, ids } = startWith('A', 'B')
    const [ann, bob] = sites
    const [a, b] = ids as [Dot, Dot]
    for (let number = 0; number < 20; number += 1) all.push(ann.write(ann.value.move(b, a, `B${number}`)))
    const stable = new VectorClock([[ann.writer, 15]])
    for (const sent of all) if (bob.canTake(sent) && stable.has(sent.dot)) bob.deliver(sent)
    const late = bob.write(bob.value.move(b, undefined, 'late'))
    const before = ann.state.encode().length
    ann.value.prune(stable, new Writers([], { grows: true }))
    expect(ann.state.encode().length).toBeLessThan(before)
    ann.deliver(late)
    all.push(late)
    bob.catchUp(new SeededRandom(1), all)
    expect(outline(ann.value)).toBe(outline(bob.value))
    bob.value.prune(stable, new Writers([], { grows: true }))
    expect(bob.state.encode()).toEqual(ann.state.encode())
  })

  it('remembers how far time has come when it forgets', () => {
    const { sites, all, ids } = startWith('A', 'B')
    const [ann, bob, cyd] = sites
    const [a, b] = ids as [Dot, Dot]
    all.push(ann.write(ann.value.move(a, b, 'A')))
    // The last of all is passed over: B is to go below A, which is in B.
    for (const parent of [undefined, a]) all.push(cyd.write(cyd.value.move(b, parent, 'B')))
    const random = new SeededRandom(2)
    for (const site of sites) site.catchUp(random, all)
    ann.value.prune(ann.clock, new Writers([], { grows: true }))
    all.push(ann.write(ann.value.move(a, undefined, 'A')))
    bob.catchUp(random, all)
    expect(outline(ann.value)).toBe(outline(bob.value))
  })

  it('refuses what cannot be', () => {
    const { sites, ids } = startWith('A')
    const [{ value }] = sites
    const [a] = ids as [Dot]
    const invalid = expect.objectContaining({ code: 'INVALID_ARGUMENT' })
    expect(() => value.move(a, a, 'A')).toThrow(invalid)
    expect(() => value.create(a, '')).toThrow(invalid)
    expect(() => value.create(a, 'x'.repeat(256))).toThrow(invalid)
    expect(() => value.delete({ writer: a.writer, number: 99 })).toThrow(invalid)
    expect(value.view.path({ writer: a.writer, number: 99 })).toBeUndefined()
    expect(formatDot(value.view.find(['A'])?.id as Dot)).toBe(formatDot(a))
  })
})
