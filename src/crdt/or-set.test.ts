import { describe, expect, it } from 'vitest'
import { encodeHex } from '../base/bytes.ts'
import { CausalState } from './causal-state.ts'
import { dotOf, writerFromKey } from './dot.ts'
import { orSet } from './or-set.ts'
import { bytesValue, integerValue, textValue } from './value-type.ts'

const invalid = expect.objectContaining({ code: 'INVALID_ARGUMENT' })
const [ann, bob] = [1, 2].map((number) => writerFromKey(new Uint8Array(32).fill(number))) as [string, string]
const text = textValue()

describe('a set', () => {
  const type = orSet(text)

  it('keeps what is added while it is removed elsewhere, and says what has changed', () => {
    const [one, other] = [new CausalState(type), new CausalState(type)]
    const first = one.value.add('x')
    expect(one.apply(first, dotOf(ann, 1))).toEqual([{ path: [], kind: 'added', value: 'x' }])
    other.apply(first, dotOf(ann, 1))
    const [again, removal] = [one.value.add('x'), other.value.delete('x')]
    expect(one.apply(again, dotOf(ann, 2))).toEqual([])
    expect(other.apply(removal, dotOf(bob, 1))).toEqual([{ path: [], kind: 'removed', value: 'x' }])
    expect(one.apply(removal, dotOf(bob, 1))).toEqual([])
    expect(other.apply(again, dotOf(ann, 2))).toEqual([{ path: [], kind: 'added', value: 'x' }])
    expect(encodeHex(one.encode())).toBe(encodeHex(other.encode()))
  })

  it('leaves nothing of what was removed', () => {
    const state = new CausalState(type)
    for (let number = 1; number < 1_000; number += 2) {
      state.apply(state.value.add(`element ${number}`), dotOf(ann, number))
      state.apply(state.value.delete(`element ${number}`), dotOf(ann, number + 1))
    }
    expect(state.value.size).toBe(0)
    expect(state.encode().length).toBeLessThan(50)
  })

  it('takes an operation once, however often it comes', () => {
    const state = new CausalState(type)
    const add = state.value.add('x')
    state.apply(add, dotOf(ann, 1))
    state.apply(state.value.delete('x'), dotOf(ann, 2))
    expect(state.apply(add, dotOf(ann, 1))).toEqual([])
    expect(state.value.has('x')).toBe(false)
  })

  it('takes names of what every object has as plain elements', () => {
    const state = new CausalState(type)
    for (const [index, name] of ['__proto__', 'constructor', 'toString', 'hasOwnProperty'].entries()) {
      expect(state.value.has(name)).toBe(false)
      state.apply(state.value.add(name), dotOf(ann, index + 1))
    }
    expect([...CausalState.decode(type, state.encode()).value.values()].sort()).toEqual(
      ['__proto__', 'constructor', 'hasOwnProperty', 'toString'].sort(),
    )
  })

  it('refuses elements that could not be written', () => {
    const set = type.create()
    expect(() => set.add('a'.repeat(65_537))).toThrow(invalid)
    expect(() => set.add('\ud800')).toThrow(invalid)
    expect(() => orSet(integerValue).create().add(0.5)).toThrow(invalid)
    expect(() =>
      orSet(bytesValue({ max: 2 }))
        .create()
        .add(new Uint8Array(3)),
    ).toThrow(invalid)
  })
})
