import type { Crdt, CrdtType } from '../../../src/crdt/crdt-type.ts'
import type { Dot } from '../../../src/crdt/dot.ts'
import { lwwRegister } from '../../../src/crdt/lww-register.ts'
import type { LwwRegister } from '../../../src/crdt/lww-register.ts'
import type { RegisterOperation } from '../../../src/crdt/mv-register.ts'
import { orMap } from '../../../src/crdt/or-map.ts'
import type { OrMap, OrMapOperation } from '../../../src/crdt/or-map.ts'
import { orSet } from '../../../src/crdt/or-set.ts'
import type { OrSet, OrSetOperation } from '../../../src/crdt/or-set.ts'
import { pnCounter } from '../../../src/crdt/pn-counter.ts'
import type { CounterOperation, PnCounter } from '../../../src/crdt/pn-counter.ts'
import { tree } from '../../../src/crdt/tree.ts'
import type { Tree } from '../../../src/crdt/tree.ts'
import type { TreeOperation } from '../../../src/crdt/tree-operation.ts'
import { textValue } from '../../../src/crdt/value-type.ts'
import type { ReplicaOf } from '../../../src/causal/replica.ts'
import type { SeededRandom } from '../../../src/testing/index.ts'

type Register = LwwRegister<string>
type RegisterChange = RegisterOperation<string>

/** The fields of the replicas of a world. */
export interface Fields extends Readonly<Record<string, CrdtType<Crdt<unknown>, unknown>>> {
  readonly tags: CrdtType<OrSet<string>, OrSetOperation<string>>
  readonly count: CrdtType<PnCounter, CounterOperation>
  readonly notes: CrdtType<OrMap<string, Register, RegisterChange>, OrMapOperation<string, RegisterChange>>
  readonly files: CrdtType<Tree<Register, RegisterChange>, TreeOperation<RegisterChange>>
}

export type WorldReplica = ReplicaOf<Fields>

/** `applied` is told of each operation that is applied, before it is. */
export function fieldsOf(applied: (dot: Dot) => void): Fields {
  const register = (): CrdtType<Register, RegisterChange> => lwwRegister(textValue())
  return {
    tags: observed(orSet(textValue()), applied),
    count: observed(pnCounter(), applied),
    notes: observed(orMap(textValue(), register()), applied),
    files: observed(forgetting(tree(register())), applied),
  }
}

/** Forgets what it can as often as it can. */
function forgetting<State extends Crdt<Operation>, Operation>(
  type: CrdtType<State, Operation>,
): CrdtType<State, Operation> {
  return { ...type, create: () => Object.defineProperty(type.create(), 'isPrunable', { value: true }) }
}

function observed<State extends Crdt<Operation>, Operation>(
  type: CrdtType<State, Operation>,
  applied: (dot: Dot) => void,
): CrdtType<State, Operation> {
  return {
    ...type,
    create: () => {
      const state = type.create()
      const apply = state.apply.bind(state)
      state.apply = (operation, dot) => {
        applied(dot)
        return apply(operation, dot)
      }
      return state
    },
  }
}

const words = ['ash', 'bay', 'elm', 'fir', 'oak', 'yew']

/** Publishes one random change. */
export function changeSomething(replica: WorldReplica, random: SeededRandom): Promise<Dot> {
  const word = random.pick(words)
  const lot = random.integer(0, 9)
  if (lot < 3) return replica.tags.has(word) && random.chance(0.6) ? replica.tags.delete(word) : replica.tags.add(word)
  if (lot < 5) return replica.count.add(random.integer(-9, 9))
  if (lot < 7) {
    if (replica.notes.has(word) && random.chance(0.3)) return replica.notes.delete(word)
    return replica.notes.update(word, (note) => note.set(`${random.integer(0, 999)}`))
  }
  return changeFiles(replica.files, random, word)
}

/** Publishes one random change, as many of which as one likes lead to no more than so much. */
export function changeBounded(replica: WorldReplica, random: SeededRandom): Promise<Dot> {
  const word = random.pick(words)
  const lot = random.integer(0, 6)
  if (lot < 3) return replica.tags.has(word) && random.chance(0.5) ? replica.tags.delete(word) : replica.tags.add(word)
  if (lot < 5) return replica.count.add(random.integer(-9, 9))
  if (replica.notes.has(word) && random.chance(0.3)) return replica.notes.delete(word)
  return replica.notes.update(word, (note) => note.set(`${random.integer(0, 999)}`))
}

function changeFiles(files: WorldReplica['files'], random: SeededRandom, word: string): Promise<Dot> {
  const entries = [...files.view.children(undefined).values()]
  const within = entries.flatMap(({ id }) => [...files.view.children(id).values()])
  const all = [...entries, ...within].filter(({ isAlive }) => isAlive)
  if (all.length === 0 || random.chance(0.3)) {
    const parent = entries.length === 0 || random.chance(0.5) ? undefined : random.pick(entries).id
    return files.create(parent, word)
  }
  const { id } = random.pick(all)
  const lot = random.integer(0, 3)
  if (lot === 0) return files.delete(id)
  if (lot === 1) return files.edit(id, (content) => content.set(word))
  // Below itself nothing can be put: at the top everything can.
  const target = random.pick(all)
  const isBelow = target.id === id || target.parent === id || within.includes(target)
  return files.move(id, isBelow || random.chance(0.3) ? undefined : target.id, word)
}
