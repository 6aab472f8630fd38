import { describe, expect, it } from 'vitest'
import { CausalState, decodeOperation, encodeOperation } from './causal-state.ts'
import { isFounded } from './crdt-type.ts'
import { formatDot, writerFromKey } from './dot.ts'
import type { Dot } from './dot.ts'
import { DotSet } from './dot-set.ts'
import { lwwRegister } from './lww-register.ts'
import { orMap } from './or-map.ts'
import { record } from './record.ts'
import { tree } from './tree.ts'
import { textValue } from './value-type.ts'
import { VectorClock } from './vector-clock.ts'

const type = tree(lwwRegister(textValue()))
const ann = writerFromKey(new Uint8Array(32).fill(1))
const dot = (number: number): Dot => ({ writer: ann, number })

/** A folder 1, and in it the file 2 with a content. */
function filled(): CausalState<ReturnType<typeof type.create>, ReturnType<typeof operations>[number]> {
  const state = new CausalState(type)
  state.apply(state.value.create(undefined, 'folder'), dot(1))
  state.apply(state.value.create(dot(1), 'file'), dot(2))
  state.apply(
    state.value.edit(dot(2), (content) => content.set('x')),
    dot(3),
  )
  return state
}

function operations(value: ReturnType<typeof type.create>) {
  return [
    value.create(dot(1), 'other'),
    value.move(dot(2), undefined, '__proto__'),
    value.edit(dot(2), (content) => content.set('y')),
    value.delete(dot(2)),
  ] as const
}

describe('an operation on a tree', () => {
  it('is read as it was', () => {
    for (const operation of operations(filled().value)) {
      const read = decodeOperation(type, encodeOperation(type, operation))
      expect(encodeOperation(type, read)).toEqual(encodeOperation(type, operation))
      expect(read.kind).toBe(operation.kind)
    }
  })

  it('is unfounded when it refers to what it does not follow', () => {
    const clock = new VectorClock([[ann, 3]])
    for (const operation of operations(filled().value)) expect(isFounded(type, operation, clock)).toBe(true)
    const [unseen, move] = [dot(4), { kind: 'move', parent: undefined, name: 'x', time: 1, dots: [] } as const]
    for (const operation of [
      { kind: 'create', parent: unseen, name: 'x', time: 1 },
      { kind: 'create', parent: undefined, name: 'x', time: 5 },
      { ...move, id: unseen },
      { ...move, id: dot(2), parent: unseen },
      { ...move, id: dot(2), time: 5 },
      { ...move, id: dot(2), dots: [unseen] },
      { kind: 'edit', id: unseen, operation: { kind: 'clear', dots: [] } },
      { kind: 'edit', id: dot(2), operation: { kind: 'clear', dots: [unseen] } },
      { kind: 'remove', id: unseen, dots: new DotSet() },
      { kind: 'remove', id: dot(2), dots: new DotSet([unseen]) },
    ] as const)
      expect([operation, isFounded(type, operation, clock)]).toEqual([operation, false])
  })
})

describe('a tree', () => {
  it('says what an operation has changed', () => {
    const state = filled()
    const move = state.value.move(dot(2), undefined, 'moved')
    expect(state.apply(move, dot(4))).toMatchObject([{ path: [dot(2)], kind: 'placed', value: { name: 'moved' } }])
    expect(state.apply(state.value.delete(dot(2)), dot(5))).toMatchObject([
      { path: [dot(2)], kind: 'written', value: [] },
      { path: [dot(2)], kind: 'removed' },
    ])
  })

  it('shows nowhere what stands in something unknown, until that comes', () => {
    const state = filled()
    const late = new CausalState(type)
    const create = state.value.create(dot(1), 'early')
    state.apply(create, dot(4))
    late.merge(state.delta(create, dot(4)))
    expect(late.value.view.path(dot(4))).toBeUndefined()
    expect(late.value.view.lost().map(({ id }) => formatDot(id))).toEqual([formatDot(dot(1))])
    expect(late.value.view.size).toBe(1)
    late.merge(state)
    expect(late.value.view.path(dot(4))).toEqual(['folder', 'early'])
    expect(late.value.view.lost()).toEqual([])
  })

  it('can be a field of a record, and no value of a map', () => {
    const folders = record({ files: type, title: lwwRegister(textValue()) })
    const state = new CausalState(folders)
    state.apply(
      state.value.update('files', (files) => files.create(undefined, 'a')),
      dot(1),
    )
    expect([...CausalState.decode(folders, state.encode()).value.at('files').view.children(undefined).keys()]).toEqual([
      'a',
    ])
    expect(() => orMap(textValue(), folders)).toThrow('cannot')
  })

  it('is read in whatever order its rows come', () => {
    const state = new CausalState(type)
    for (let number = 1; number <= 3_000; number += 1)
      state.apply(state.value.create(number < 9 ? undefined : dot(number % 8 || 8), `${number}`), dot(number))
    expect(CausalState.decode(type, state.encode()).value.view.size).toBe(3_000)
  })
})
