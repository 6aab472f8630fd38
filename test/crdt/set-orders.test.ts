import { describe, expect, it } from 'vitest'
import { orSet } from '../../src/crdt/or-set.ts'
import { textValue } from '../../src/crdt/value-type.ts'
import { SeededRandom } from '../../src/runtime/simulated/random.ts'
import { Site } from './history.ts'
import type { Sent } from './history.ts'
import { inEveryOrder } from './orders.ts'
import { useSet } from './uses.ts'

const type = orSet(textValue())

describe('R1 a set', () => {
  it('has what is added while it is removed, and not what is removed twice', () => {
    const [ann, bob] = [new Site(type, 1), new Site(type, 2)]
    const first = [ann.write(ann.value.add('x'))]
    for (const sent of first) bob.deliver(sent)
    const added = [...first, ann.write(ann.value.add('x')), bob.write(bob.value.delete('x'))]
    expect(inEveryOrder(type, added).value.has('x')).toBe(true)

    const [cyd, dan] = [new Site(type, 3), new Site(type, 4)]
    for (const sent of first) for (const site of [cyd, dan]) site.deliver(sent)
    const removed = [...first, cyd.write(cyd.value.delete('x')), dan.write(dan.value.delete('x'))]
    expect(inEveryOrder(type, removed).value.has('x')).toBe(false)
  })

  it('is the same in every causal order of 6 operations', () => {
    let orders = 0
    for (let seed = 0; seed < 120; seed += 1) {
      const random = new SeededRandom(`orders/${seed}`)
      const sites = [new Site(type, 1), new Site(type, 2), new Site(type, 3)]
      const all: Sent<ReturnType<typeof useSet.prepare>>[] = []
      while (all.length < 6) {
        const site = random.pick(sites)
        for (const sent of all) if (site.canTake(sent) && random.chance(0.3)) site.deliver(sent)
        all.push(site.write(useSet.prepare(random, site.value, site.writer)))
      }
      const { value, orders: some } = inEveryOrder(type, all)
      useSet.check?.(value, all)
      orders += some
    }
    expect(orders).toBeGreaterThan(2_000)
  })
})
