import { describe, expect, it } from 'vitest'
import { CausalState } from './causal-state.ts'
import { dotOf, writerFromKey } from './dot.ts'
import { lwwRegister } from './lww-register.ts'
import { mvRegister } from './mv-register.ts'
import { textValue } from './value-type.ts'

const limit = expect.objectContaining({ code: 'LIMIT' })
const [ann, bob] = [1, 2].map((number) => writerFromKey(new Uint8Array(32).fill(number))) as [string, string]
const text = textValue()

describe('a register', () => {
  it('of many values keeps what was written at the same time', () => {
    const [one, other] = [new CausalState(mvRegister(text)), new CausalState(mvRegister(text))]
    const [left, right] = [one.value.set('left'), other.value.set('right')]
    one.apply(left, dotOf(ann, 1))
    expect(one.apply(right, dotOf(bob, 1))).toEqual([{ path: [], kind: 'written', value: ['right', 'left'] }])
    one.apply(one.value.set('both'), dotOf(ann, 2))
    expect(one.value.values).toEqual(['both'])
    one.apply(one.value.clear(), dotOf(ann, 3))
    expect(one.value.isEmpty).toBe(true)
  })

  it('of the last value shows the one with the higher time, then the higher dot', () => {
    const [one, other] = [new CausalState(lwwRegister(text)), new CausalState(lwwRegister(text))]
    one.apply(one.value.set('1'), dotOf(ann, 1))
    const later = one.value.set('2')
    one.apply(later, dotOf(ann, 2))
    one.apply(other.value.set('other'), dotOf(bob, 1))
    expect(one.value.value).toBe('2')
    expect(one.value.written.map(({ time }) => time)).toEqual([2, 1])
    expect(new CausalState(lwwRegister(text)).value.value).toBeUndefined()
  })

  it('ends where no time is left', () => {
    const register = lwwRegister(text).create()
    register.apply({ kind: 'write', value: 'x', time: 2 ** 48, dots: [] }, dotOf(ann, 1))
    expect(() => register.set('y')).toThrow(limit)
  })
})
