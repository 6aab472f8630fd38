import { describe, expect, it } from 'vitest'
import { concatBytes } from '../base/bytes.ts'
import { encode } from '../wire/schema.ts'
import { CausalState, decodeOperation } from './causal-state.ts'
import { isFounded } from './crdt-type.ts'
import { dotOf, keyFromWriter, writerFromKey } from './dot.ts'
import { DotSet } from './dot-set.ts'
import { lwwRegister } from './lww-register.ts'
import { orMap } from './or-map.ts'
import { orSet } from './or-set.ts'
import { textValue } from './value-type.ts'
import { VectorClock } from './vector-clock.ts'
import { Writers } from './writers.ts'

const malformed = expect.objectContaining({ code: 'PROTOCOL' })
const limit = expect.objectContaining({ code: 'LIMIT' })
const [ann, bob] = [1, 2].map((number) => writerFromKey(new Uint8Array(32).fill(number))) as [string, string]
const text = textValue()

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

  it('makes nobody believe by its delta that something was seen that was not', () => {
    const set = orSet(text)
    const [one, other] = [new CausalState(set), new CausalState(set)]
    const claim = { kind: 'remove', value: 'x', dots: [dotOf(bob, 1)] } as const
    one.apply(claim, dotOf(ann, 1))
    other.merge(one.delta(claim, dotOf(ann, 1)))
    other.apply(other.value.add('y'), dotOf(bob, 1))
    expect(other.value.has('y')).toBe(true)
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
