import { describe, expect, it } from 'vitest'
import { concatBytes, encodeHex } from '../base/bytes.ts'
import { encode } from '../wire/schema.ts'
import { CausalState, decodeOperation } from './causal-state.ts'
import { isFounded } from './crdt-type.ts'
import { dotOf, keyFromWriter, writerFromKey } from './dot.ts'
import { DotSet } from './dot-set.ts'
import { lwwRegister } from './lww-register.ts'
import { mvRegister } from './mv-register.ts'
import { orMap } from './or-map.ts'
import { orSet } from './or-set.ts'
import { pnCounter } from './pn-counter.ts'
import { record } from './record.ts'
import { bytesValue, integerValue, textValue } from './value-type.ts'
import { VectorClock } from './vector-clock.ts'
import { Writers } from './writers.ts'

const malformed = expect.objectContaining({ code: 'PROTOCOL' })
const limit = expect.objectContaining({ code: 'LIMIT' })
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

describe('an operation', () => {
  const type = orMap(text, orSet(text))

  it('is refused when it names what it does not follow', () => {
    const clock = new VectorClock([[ann, 3]])
    const remove = (number: number) => ({ kind: 'remove', key: 'x', dots: new DotSet([dotOf(ann, number)]) }) as const
    expect(isFounded(type, remove(3), clock)).toBe(true)
    expect(isFounded(type, remove(4), clock)).toBe(false)
    const write = (time: number) => ({ kind: 'write', value: 'x', time, dots: [] }) as const
    expect(isFounded(lwwRegister(text), write(4), clock)).toBe(true)
    expect(isFounded(lwwRegister(text), write(5), clock)).toBe(false)
  })

  it('costs little where the writers are known', () => {
    const writers = new Writers([ann, bob])
    const set = orSet(text).create()
    expect(encode(orSet(text).operation(writers), set.add('tag'))).toHaveLength(1 + 4 + 1)
    set.apply(set.add('tag'), dotOf(bob, 1_000))
    expect(encode(orSet(text).operation(writers), set.delete('tag'))).toHaveLength(1 + 4 + 4)
  })

  it.each([
    ['of no kind', Uint8Array.of(0, 3), malformed, ''],
    [
      'with a count of dots that nobody has',
      Uint8Array.of(0, 1, 1, 0x61, 1, 1, 0x62, 0xff, 0xff, 0xff, 0x7f),
      limit,
      'update.operation.add.dots',
    ],
    ['with a key that is too long', Uint8Array.of(0, 2, 0xff, 0xff, 0xff, 0x7f), limit, 'remove.key'],
    [
      'with a writer for nothing',
      concatBytes([Uint8Array.of(1), keyFromWriter(ann), Uint8Array.of(2, 1, 0x61, 0)]),
      malformed,
      '',
    ],
    ['with more behind it', Uint8Array.of(0, 2, 1, 0x61, 0, 0), malformed, ''],
    ['that is cut short', Uint8Array.of(0, 2, 1, 0x61), malformed, 'remove.dots'],
  ])('is refused that is %s', (_what, bytes, error, field) => {
    const read = (): unknown => decodeOperation(type, bytes)
    expect(read).toThrow(error)
    expect(read).toThrow(expect.objectContaining({ facts: expect.objectContaining({ field }) }))
  })
})

describe('a state', () => {
  const type = orSet(text)
  const header = concatBytes([Uint8Array.of(1), keyFromWriter(ann), Uint8Array.of(1, 0, 1, 0, 4)])
  const cellsOf = (...bytes: readonly number[]): Uint8Array => concatBytes([header, Uint8Array.from(bytes)])

  it('is read as it was written', () => {
    expect([...CausalState.decode(type, cellsOf(1, 2, 1, 0x61, 3, 1, 0, 5)).value.values()]).toEqual(['a'])
  })

  it.each([
    ['more cells than there are bytes', cellsOf(0xff, 0xff, 0x7f, 0), malformed],
    ['a cell that nothing holds', cellsOf(1, 2, 1, 0x61, 1, 0), malformed],
    ['a dot that was not seen', cellsOf(1, 2, 1, 0x61, 3, 1, 0, 6), malformed],
    ['a cell twice', cellsOf(2, 2, 1, 0x61, 3, 1, 0, 5, 2, 1, 0x61, 3, 1, 0, 5), malformed],
    ['cells out of order', cellsOf(2, 2, 1, 0x62, 3, 1, 0, 5, 2, 1, 0x61, 3, 1, 0, 5), malformed],
    ['more in a key', cellsOf(1, 3, 1, 0x61, 0, 3, 1, 0, 5), malformed],
    ['more in a value', cellsOf(1, 2, 1, 0x61, 4, 1, 0, 5, 0), malformed],
    ['a key longer than what is there', cellsOf(1, 0xff, 0xff, 0xff, 0x7f), limit],
    ['a writer for nothing', concatBytes([Uint8Array.of(1), keyFromWriter(ann), Uint8Array.of(0, 0)]), malformed],
  ])('is refused with %s', (_what, bytes, error) => {
    expect(() => CausalState.decode(type, bytes)).toThrow(error)
  })

  it('knows of what concerns others', () => {
    const state = new CausalState(type)
    state.skip(dotOf(ann, 1))
    state.apply(state.value.add('x'), dotOf(ann, 2))
    expect(state.seen.clock().at(ann)).toBe(2)
  })
})
