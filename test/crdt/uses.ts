import type { CrdtType } from '../../src/crdt/crdt-type.ts'
import { lwwRegister } from '../../src/crdt/lww-register.ts'
import type { LwwRegister } from '../../src/crdt/lww-register.ts'
import { mvRegister } from '../../src/crdt/mv-register.ts'
import type { MvRegister, RegisterOperation } from '../../src/crdt/mv-register.ts'
import { orMap } from '../../src/crdt/or-map.ts'
import type { OrMap, OrMapOperation } from '../../src/crdt/or-map.ts'
import { orSet } from '../../src/crdt/or-set.ts'
import type { OrSet, OrSetOperation } from '../../src/crdt/or-set.ts'
import { pnCounter } from '../../src/crdt/pn-counter.ts'
import type { CounterOperation, PnCounter } from '../../src/crdt/pn-counter.ts'
import { record } from '../../src/crdt/record.ts'
import type { CrdtRecord, RecordOperation } from '../../src/crdt/record.ts'
import { integerValue, textValue } from '../../src/crdt/value-type.ts'
import type { SeededRandom } from '../../src/runtime/simulated/random.ts'
import { follows } from './history.ts'
import type { Sent, Use } from './history.ts'

/** Few names, so that replicas meet; some of them are the names of what every object has. */
export const names: readonly string[] = ['a', 'b', '__proto__', 'constructor', 'toString']

const text = textValue()

export const useSet: Use<OrSet<string>, OrSetOperation<string>> = {
  type: orSet(text),
  prepare(random, set) {
    const value = random.pick(names)
    return random.chance(0.6) ? set.add(value) : set.delete(value)
  },
  listen() {
    const heard = new Set<unknown>()
    return {
      hear: ({ kind, value }) => void (kind === 'added' ? heard.add(value) : heard.delete(value)),
      check: (set) => expectSame('elements', [...heard].sort().join(), [...set.values()].sort().join()),
    }
  },
  check(set, all) {
    for (const name of names) {
      const about = all.filter(({ operation }) => operation.value === name)
      expectSame(
        name,
        set.has(name),
        lasting(about).some(({ operation }) => operation.kind === 'add'),
      )
    }
  },
}

export const useLww: Use<LwwRegister<number>, RegisterOperation<number>> = {
  type: lwwRegister(integerValue),
  prepare: writeOrClear,
  listen() {
    let heard: readonly unknown[] = []
    return {
      hear: ({ value }) => void (heard = value as readonly unknown[]),
      check: (register) => expectSame('values', register.values.join(), heard.join()),
    }
  },
  check(register, all) {
    const writes = lasting(all).filter(({ operation }) => operation.kind === 'write')
    expectSame('values', register.written.length, writes.length)
    const last = writes
      .map(({ operation, dot }) => ({ operation, dot }))
      .sort((left, right) => {
        const [one, other] = [left.operation, right.operation] as { time: number }[]
        const time = (other?.time ?? 0) - (one?.time ?? 0)
        return time !== 0 ? time : left.dot.writer < right.dot.writer ? 1 : -1
      })[0]
    expectSame('value', register.value, last?.operation.kind === 'write' ? last.operation.value : undefined)
  },
}

export const useMv: Use<MvRegister<number>, RegisterOperation<number>> = {
  type: mvRegister(integerValue),
  prepare: writeOrClear,
}

function writeOrClear(random: SeededRandom, register: MvRegister<number>): RegisterOperation<number> {
  return random.chance(0.85) ? register.set(random.integer(-3, 3)) : register.clear()
}

export const useCounter: Use<PnCounter, CounterOperation> = {
  type: pnCounter(),
  prepare: (random, counter, writer) => counter.add(random.integer(-9, 9), writer),
  listen() {
    let heard: unknown = 0
    return {
      hear: ({ value }) => void (heard = value),
      check: (counter) => expectSame('value', counter.value, heard),
    }
  },
  check(counter, all) {
    const totals = new Map(
      all
        .toSorted((left, right) => left.dot.number - right.dot.number)
        .map(({ dot, operation }) => [dot.writer, operation.total]),
    )
    expectSame(
      'value',
      counter.value,
      [...totals.values()].reduce((sum, total) => sum + total, 0),
    )
  },
}

type Sets = OrMap<string, OrSet<string>, OrSetOperation<string>>
export const useMap: Use<Sets, OrMapOperation<string, OrSetOperation<string>>> = {
  type: orMap(text, orSet(text)),
  prepare(random, map) {
    const key = random.pick(names)
    if (random.chance(0.25)) return map.delete(key)
    return map.update(key, (set) => useSet.prepare(random, set, ''))
  },
  listen() {
    const heard = new Set<string>()
    const keys = new Set<unknown>()
    return {
      hear({ path, kind, value }) {
        const [key] = path as readonly (string | undefined)[]
        const element = `${key}.${value as string}`
        if (key === undefined) keys.delete(value)
        else keys.add(key)
        if (kind === 'added') heard.add(element)
        else heard.delete(element)
      },
      check(map) {
        expectSame('keys', [...keys].sort().join(), [...map.keys()].sort().join())
        const all = [...map.entries()].flatMap(([key, set]) => Array.from(set.values(), (value) => `${key}.${value}`))
        expectSame('elements', [...heard].sort().join(), all.sort().join())
      },
    }
  },
  check(map, all) {
    for (const key of names) {
      for (const name of names) {
        // Everything that says something about this element of this entry.
        const about = all.filter(
          ({ operation: one }) => one.key === key && (one.kind === 'remove' || one.operation.value === name),
        )
        const adds = lasting(about).filter(
          ({ operation: one }) => one.kind === 'update' && one.operation.kind === 'add',
        )
        expectSame(`${key}.${name}`, map.at(key)?.has(name) ?? false, adds.length > 0)
      }
    }
  },
}

/** Not `interface`: a record takes what can be indexed by any name. */
type CardFields = {
  readonly tags: CrdtType<OrSet<string>, OrSetOperation<string>>
  readonly title: CrdtType<LwwRegister<string>, RegisterOperation<string>>
  readonly votes: CrdtType<PnCounter, CounterOperation>
  readonly notes: CrdtType<Notes, OrMapOperation<string, RegisterOperation<string>>>
}
type Notes = OrMap<string, MvRegister<string>, RegisterOperation<string>>
type Card = CrdtRecord<CardFields>
type CardOperation = RecordOperation<CardFields>

export const card: CrdtType<Card, CardOperation> = record({
  tags: orSet(text),
  title: lwwRegister(text),
  votes: pnCounter(),
  notes: orMap(text, mvRegister(text)),
})

/** Entries of everything, removed at the same time as they are changed. */
export const useNested: Use<OrMap<number, Card, CardOperation>, OrMapOperation<number, CardOperation>> = {
  type: orMap(integerValue, card),
  prepare(random, map, writer) {
    const key = random.integer(-1, 1)
    if (random.chance(0.2)) return map.delete(key)
    return map.update(key, (one) => changeCard(random, one, writer))
  },
}

function changeCard(random: SeededRandom, one: Card, writer: string): CardOperation {
  const name = random.pick(names)
  switch (random.integer(0, 3)) {
    case 0:
      return one.update('tags', (tags) => (random.chance(0.7) ? tags.add(name) : tags.delete(name)))
    case 1:
      return one.update('title', (title) => title.set(name))
    case 2:
      return one.update('votes', (votes) => votes.add(random.integer(-2, 2), writer))
    default:
      return one.update('notes', (notes) =>
        random.chance(0.7) ? notes.update(name, (note) => note.set(name)) : notes.delete(name),
      )
  }
}

/** Those that no other one follows. */
function lasting<Operation>(all: readonly Sent<Operation>[]): readonly Sent<Operation>[] {
  return all.filter((one) => !all.some((other) => follows(other, one)))
}

function expectSame(what: string, found: unknown, expected: unknown): void {
  if (found !== expected) throw new Error(`${what} is ${String(found)}, not ${String(expected)}`)
}
