import { describe, expect, it } from 'vitest'
import { CausalState } from './causal-state.ts'
import { dotOf, writerFromKey } from './dot.ts'
import { orMap } from './or-map.ts'
import { orSet } from './or-set.ts'
import { pnCounter } from './pn-counter.ts'
import { record } from './record.ts'
import { textValue } from './value-type.ts'

const [ann, bob] = [1, 2].map((number) => writerFromKey(new Uint8Array(32).fill(number))) as [string, string]
const text = textValue()

describe('a map', () => {
  const type = orMap(text, pnCounter())

  it('keeps of an entry that is removed what the remover had not seen', () => {
    const [one, other] = [new CausalState(type), new CausalState(type)]
    const first = one.value.update('x', (counter) => counter.add(1, ann))
    one.apply(first, dotOf(ann, 1))
    other.apply(first, dotOf(ann, 1))
    const [removal, more] = [one.value.delete('x'), other.value.update('x', (counter) => counter.add(10, bob))]
    expect(one.apply(removal, dotOf(ann, 2))).toContainEqual({ path: [], kind: 'removed', value: 'x' })
    expect(one.apply(more, dotOf(bob, 1))).toEqual([{ path: ['x'], kind: 'counted', value: 10 }])
    other.apply(more, dotOf(bob, 1))
    expect(other.apply(removal, dotOf(ann, 2))).toEqual([{ path: ['x'], kind: 'counted', value: 10 }])
  })

  it('keeps the whole total of a writer who adds while the entry is removed', () => {
    const [one, other] = [new CausalState(type), new CausalState(type)]
    const first = one.value.update('x', (counter) => counter.add(1, ann))
    one.apply(first, dotOf(ann, 1))
    other.apply(first, dotOf(ann, 1))
    const [more, removal] = [one.value.update('x', (counter) => counter.add(1, ann)), other.value.delete('x')]
    for (const state of [one, other])
      for (const [operation, dot] of [[more, dotOf(ann, 2)] as const, [removal, dotOf(bob, 1)] as const])
        state.apply(operation, dot)
    expect(one.value.at('x')?.value).toBe(2)
    expect(other.value.at('x')?.value).toBe(2)
  })

  it('takes any text as a key', () => {
    const state = new CausalState(type)
    state.apply(
      state.value.update('__proto__', (counter) => counter.add(1, ann)),
      dotOf(ann, 1),
    )
    expect(state.value.has('constructor')).toBe(false)
    expect([...state.value.keys()]).toEqual(['__proto__'])
  })
})

describe('a record', () => {
  const type = record({ ['__proto__']: orSet(text), votes: pnCounter() })

  it('has a value of its own type in each field', () => {
    const state = new CausalState(type)
    state.apply(
      state.value.update('__proto__', (tags) => tags.add('x')),
      dotOf(ann, 1),
    )
    const changes = state.apply(
      state.value.update('votes', (votes) => votes.add(2, ann)),
      dotOf(ann, 2),
    )
    expect(changes).toEqual([{ path: ['votes'], kind: 'counted', value: 2 }])
    const read = CausalState.decode(type, state.encode())
    expect(read.value.at('__proto__').has('x')).toBe(true)
    expect(read.value.at('votes').value).toBe(2)
  })
})
