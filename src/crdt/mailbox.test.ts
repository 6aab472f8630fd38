import { describe, expect, it } from 'vitest'
import { CausalState, decodeOperation, encodeOperation } from './causal-state.ts'
import { isFounded } from './crdt-type.ts'
import { formatDot, writerFromKey } from './dot.ts'
import type { Dot } from './dot.ts'
import { DotSet } from './dot-set.ts'
import { mailbox } from './mailbox.ts'
import type { MailboxOperation } from './mailbox-operation.ts'
import { VectorClock } from './vector-clock.ts'

const invalid = expect.objectContaining({ code: 'INVALID_ARGUMENT' })
const type = mailbox()
const ann = writerFromKey(new Uint8Array(32).fill(1))
const dot = (number: number): Dot => ({ writer: ann, number })

/** A mailbox with the collection 1, and in it the item 2. */
function filled(): CausalState<ReturnType<typeof type.create>, MailboxOperation> {
  const state = new CausalState(type)
  state.apply(state.value.create('Inbox'), dot(1))
  state.apply(state.value.append(dot(1), Uint8Array.of(1), ['seen', 'a', 'seen']), dot(2))
  return state
}

const operations: readonly MailboxOperation[] = [
  filled().value.create('x'),
  filled().value.delete(dot(1)),
  filled().value.append(dot(1), Uint8Array.of(1, 2), ['flag']),
  filled().value.expunge(dot(1), dot(2)),
  filled().value.store(dot(1), dot(2), { set: ['b'], clear: ['a'] }),
  filled().value.rename(dot(1), 'y'),
  filled().value.copy(dot(1), dot(2), dot(1)),
]

describe('an operation on a mailbox', () => {
  it.each(operations.map((operation) => [operation.kind, operation] as const))(
    'is read as it was: %s',
    (_kind, one) => {
      expect(decodeOperation(type, encodeOperation(type, one))).toEqual(one)
    },
  )

  const head = [0]
  const withAnn = [1, ...new Uint8Array(32).fill(1)]

  it.each([
    ['a kind that there is not', [...head, 8], ''],
    ['a name without an end', [...head, 1, 200], 'create.name'],
    ['an empty name', [...head, 1, 0, 1], 'create.name'],
    ['a name of 256 bytes', [...head, 1, 0x80, 2, ...new Uint8Array(256)], 'create.name'],
    ['no time', [...head, 1, 1, 0x61], 'create.time'],
    ['a collection of nobody', [...withAnn, 2, 1, 1, 0], 'delete.collection'],
    ['a content beyond its bound', [...withAnn, 3, 0, 1, 1, 0x81, 0x20], 'append.content'],
    ['flags that are not in order', [...withAnn, 3, 0, 1, 1, 0, 2, 1, 0x62, 1, 0x61], 'append.flags'],
    ['a flag twice', [...withAnn, 3, 0, 1, 1, 0, 2, 1, 0x61, 1, 0x61], 'append.flags'],
    ['a flag that is no text', [...withAnn, 3, 0, 1, 1, 0, 1, 1, 0xff], 'append.flags[0]'],
    ['more flags than one may have', [...withAnn, 3, 0, 1, 1, 0, 0x81, 2], 'append.flags'],
    ['items that are cut short', [...withAnn, 4, 0, 1, 2, 0, 1], 'expunge.items'],
    ['a flag that is neither set nor cleared', [...withAnn, 5, 0, 1, 0, 2, 1, 1, 0x61, 2, 0], 'store.changes[0].isSet'],
    ['a renaming without dots', [...withAnn, 6, 0, 1, 1, 0x61, 1], 'rename.dots'],
    ['a copy of the item 0', [...withAnn, 7, 0, 0], 'copy.item'],
  ])('is refused with %s, which the error names', (_what, bytes, field) => {
    const read = (): unknown => decodeOperation(type, Uint8Array.from(bytes))
    expect(read).toThrow(expect.objectContaining({ facts: expect.objectContaining({ field }) }))
    expect(read).toThrow(/^(?:field|the message)/)
  })

  it('is unfounded when it refers to what it does not follow', () => {
    const clock = new VectorClock([[ann, 2]])
    for (const operation of operations) expect(isFounded(type, operation, clock)).toBe(true)
    const unseen = dot(3)
    const unfounded: readonly MailboxOperation[] = [
      { kind: 'create', name: 'x', time: 4 },
      { kind: 'delete', collection: unseen, dots: new DotSet() },
      { kind: 'delete', collection: dot(1), dots: new DotSet([unseen]) },
      { kind: 'append', collection: unseen, time: 1, content: Uint8Array.of(), flags: [] },
      { kind: 'expunge', collection: dot(1), items: [unseen] },
      { kind: 'store', collection: dot(1), item: unseen, changes: [] },
      { kind: 'store', collection: dot(1), item: dot(2), changes: [{ flag: 'a', isSet: true, dots: [unseen] }] },
      { kind: 'rename', collection: dot(1), name: 'x', time: 1, dots: [unseen] },
      { kind: 'copy', item: unseen, collection: dot(1), time: 1, content: Uint8Array.of(), flags: [] },
    ]
    for (const operation of unfounded)
      expect([operation, isFounded(type, operation, clock)]).toEqual([operation, false])
  })
})

describe('a mailbox', () => {
  it('prepares nothing that could not be', () => {
    const { value } = filled()
    expect(() => value.create('')).toThrow(invalid)
    expect(() => value.delete(dot(9))).toThrow(invalid)
    expect(() => value.append(dot(9), Uint8Array.of())).toThrow(invalid)
    expect(() => value.append(dot(1), new Uint8Array(4_097))).toThrow(invalid)
    expect(() => value.append(dot(1), Uint8Array.of(), ['x'.repeat(129)])).toThrow(invalid)
    expect(() => value.expunge(dot(1), dot(9))).toThrow(invalid)
    expect(() => value.store(dot(1), dot(9), {})).toThrow(invalid)
    expect(() => value.rename(dot(9), 'x')).toThrow(invalid)
    expect(() => value.copy(dot(1), dot(2), dot(9))).toThrow(invalid)
  })

  it('sends no content with a flag, and one write with a new name', () => {
    const state = filled()
    state.apply(state.value.append(dot(1), new Uint8Array(4_096)), dot(3))
    const flag = state.value.store(dot(1), dot(3), { set: ['seen'] })
    expect(encodeOperation(type, flag).length).toBeLessThan(33 + 20)
    expect(encodeOperation(type, state.value.rename(dot(1), 'Post')).length).toBeLessThan(33 + 20)
  })

  it('has flags and names of any text', () => {
    const state = filled()
    state.apply(state.value.create('__proto__'), dot(3))
    state.apply(state.value.store(dot(1), dot(2), { set: ['constructor'], clear: ['toString'] }), dot(4))
    expect(state.value.view.item(dot(1), dot(2))?.flags).toEqual(['a', 'constructor', 'seen'])
    expect([...state.value.view.collections().keys()].sort()).toEqual(['Inbox', '__proto__'])
  })

  it('shows items that have come before the name of their collection', () => {
    const state = filled()
    const [late, append] = [new CausalState(type), state.value.append(dot(1), Uint8Array.of(7))]
    state.apply(append, dot(3))
    late.merge(state.delta(append, dot(3)))
    expect([...late.value.view.collections().keys()]).toEqual([formatDot(dot(1))])
    late.merge(state)
    expect(late.encode()).toEqual(state.encode())
  })
})
