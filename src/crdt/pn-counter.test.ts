import { describe, expect, it } from 'vitest'
import { CausalState } from './causal-state.ts'
import { dotOf, writerFromKey } from './dot.ts'
import { pnCounter } from './pn-counter.ts'

const limit = expect.objectContaining({ code: 'LIMIT' })
const invalid = expect.objectContaining({ code: 'INVALID_ARGUMENT' })
const [ann, bob] = [1, 2].map((number) => writerFromKey(new Uint8Array(32).fill(number))) as [string, string]

describe('a counter', () => {
  it('adds what all have added', () => {
    const [one, other] = [new CausalState(pnCounter()), new CausalState(pnCounter())]
    one.apply(one.value.add(5, ann), dotOf(ann, 1))
    one.apply(one.value.add(-7, ann), dotOf(ann, 2))
    other.apply(other.value.add(3, bob), dotOf(bob, 1))
    expect(one.merge(other)).toEqual([{ path: [], kind: 'counted', value: 1 }])
  })

  it('stays exact', () => {
    const counter = pnCounter().create()
    expect(() => counter.add(2 ** 40 + 1, ann)).toThrow(limit)
    expect(() => counter.add(0.1, ann)).toThrow(invalid)
    counter.apply(counter.add(2 ** 40, ann), dotOf(ann, 1))
    expect(() => counter.add(1, ann)).toThrow(limit)
    expect(counter.add(-1, ann).total).toBe(2 ** 40 - 1)
  })
})
