import { encodeHex } from '../../src/base/bytes.ts'
import { CausalState, decodeOperation, encodeOperation } from '../../src/crdt/causal-state.ts'
import { isFounded } from '../../src/crdt/crdt-type.ts'
import type { Change, Crdt, CrdtType } from '../../src/crdt/crdt-type.ts'
import type { Dot, Writer } from '../../src/crdt/dot.ts'
import { writerFromKey } from '../../src/crdt/dot.ts'
import { VectorClock } from '../../src/crdt/vector-clock.ts'
import { Writers } from '../../src/crdt/writers.ts'
import type { SeededRandom } from '../../src/runtime/simulated/random.ts'

/** An operation as it is sent: with all that it follows. */
export interface Sent<Operation> {
  readonly operation: Operation
  readonly dot: Dot
  readonly follows: VectorClock
}

/** A type, and how somebody uses it at random. */
export interface Use<State extends Crdt<Operation>, Operation> {
  readonly type: CrdtType<State, Operation>
  prepare(random: SeededRandom, value: State, writer: Writer): Operation
  /** What the state has to be by its specification, computed from all operations and what they follow. Throws when it is not. */
  check?(value: State, all: readonly Sent<Operation>[]): void
  /** Somebody who only hears of changes, and has to know the state from them. */
  listen?(): Listener<State>
}

export interface Listener<State> {
  hear(change: Change): void
  /** Throws when the state is not what was heard of. */
  check(value: State): void
}

/** The writer with this number in tests. */
export function writer(number: number): Writer {
  return writerFromKey(new Uint8Array(32).fill(number))
}

/** A replica: prepares operations, and delivers those of others in causal order. */
export class Site<State extends Crdt<Operation>, Operation> {
  readonly writer: Writer
  readonly state: CausalState<State, Operation>
  readonly clock: VectorClock = new VectorClock()

  readonly #listener: Listener<State> | undefined
  #told = 0

  constructor(type: CrdtType<State, Operation>, number: number, listener?: Listener<State>) {
    this.writer = writer(number)
    this.state = new CausalState(type)
    this.#listener = listener
  }

  get value(): State {
    return this.state.value
  }

  write(operation: Operation): Sent<Operation> {
    const dot = { writer: this.writer, number: this.clock.at(this.writer) + 1 }
    const sent = { operation, dot, follows: this.clock.copy() }
    this.deliver(sent)
    return sent
  }

  canTake({ dot, follows }: Sent<Operation>): boolean {
    return !this.clock.has(dot) && this.clock.covers(follows)
  }

  deliver({ operation, dot }: Sent<Operation>): void {
    this.#tell(this.state.apply(operation, dot))
    this.clock.advance(dot)
  }

  /** Delivers all that is missing, in a random causal order. */
  catchUp(
    random: SeededRandom,
    all: readonly Sent<Operation>[],
    taken: (sent: Sent<Operation>) => void = () => undefined,
  ): void {
    let missing = all.filter(({ dot }) => !this.clock.has(dot))
    while (missing.length > 0) {
      const next = random.pick(missing.filter((sent) => this.canTake(sent)))
      this.deliver(next)
      taken(next)
      missing = missing.filter((sent) => sent !== next)
    }
  }

  merge(other: Site<State, Operation>): void {
    this.#tell(this.state.merge(other.state))
    this.clock.merge(other.clock)
  }

  #tell(changes: readonly Change[]): void {
    for (const change of changes) this.#listener?.hear(change)
    this.#told += 1
    // Now and then: it takes longer than all else.
    if (this.#told % 5 === 0) this.checkListener()
  }

  checkListener(): void {
    this.#listener?.check(this.value)
  }
}

export interface History<State extends Crdt<Operation>, Operation> {
  readonly all: readonly Sent<Operation>[]
  readonly deltas: readonly CausalState<State, Operation>[]
  readonly sites: readonly Site<State, Operation>[]
}

/**
 * Replicas that work, hear of each other late and out of order, and now and then take over a whole state; then all hear of all. Throws
 * when one of them, or one that takes operations, states or deltas only, ends with another state than the others.
 */
export function runHistory<State extends Crdt<Operation>, Operation>(
  random: SeededRandom,
  use: Use<State, Operation>,
): History<State, Operation> {
  const { type } = use
  const count = random.integer(3, 8)
  const sites = Array.from({ length: count }, (_none, index) => new Site(type, index + 1, use.listen?.()))
  const all: Sent<Operation>[] = []
  const deltas: CausalState<State, Operation>[] = []
  const snapshots: CausalState<State, Operation>[] = []
  for (let left = random.integer(4, 30); left > 0; left -= 1) {
    const site = random.pick(sites)
    for (let tries = random.integer(0, 6); tries > 0 && all.length > 0; tries -= 1) {
      const sent = random.pick(all)
      if (site.canTake(sent)) site.deliver(sent)
    }
    if (random.chance(0.1)) site.merge(random.pick(sites))
    if (random.chance(0.1)) snapshots.push(CausalState.decode(type, site.state.encode()))
    const operation = decodeOperation(type, encodeOperation(type, use.prepare(random, site.value, site.writer)))
    const sent = site.write(operation)
    if (!isFounded(type, operation, sent.follows)) throw new Error('an operation that names what it has not seen')
    all.push(sent)
    deltas.push(site.state.delta(operation, sent.dot))
  }
  for (const site of sites) {
    site.catchUp(random, all)
    site.checkListener()
  }
  compare(sites[0] as Site<State, Operation>, [
    ...sites.map(({ state }) => state),
    ofOperations(random, type, all),
    ofStates(random, type, [...snapshots, ...sites.map(({ state }) => state)]),
    ofDeltas(random, type, deltas),
  ])
  use.check?.((sites[0] as Site<State, Operation>).value, all)
  return { all, deltas, sites }
}

function compare<State extends Crdt<Operation>, Operation>(
  { state }: Site<State, Operation>,
  others: readonly CausalState<State, Operation>[],
): void {
  const expected = encodeHex(state.encode())
  for (const [index, other] of others.entries()) {
    const found = encodeHex(other.encode())
    if (found !== expected) throw new Error(`state ${index} is\n${found}, not\n${expected}`)
    if (encodeHex(CausalState.decode(state.type, other.encode()).encode()) !== expected)
      throw new Error('a state that is written otherwise when it was read')
  }
}

function ofOperations<State extends Crdt<Operation>, Operation>(
  random: SeededRandom,
  type: CrdtType<State, Operation>,
  all: readonly Sent<Operation>[],
): CausalState<State, Operation> {
  const observer = new Site(type, 99)
  const rows = new Rows<State, Operation>()
  observer.catchUp(random, all, (sent) => rows.take(observer.value, sent))
  rows.check(observer.value)
  for (const { operation, dot } of random.shuffle(all).slice(0, 5)) observer.state.apply(operation, dot)
  return observer.state
}

function ofStates<State extends Crdt<Operation>, Operation>(
  random: SeededRandom,
  type: CrdtType<State, Operation>,
  states: readonly CausalState<State, Operation>[],
): CausalState<State, Operation> {
  const merged = new CausalState(type)
  for (const state of random.shuffle([...states, ...states.slice(0, 2)])) merged.merge(state)
  return merged
}

/** What a view on disk would have: only the cells that operations have touched are written. */
class Rows<State extends Crdt<Operation>, Operation> {
  readonly #writers = new Writers([], { grows: true })
  readonly #valuesByKey = new Map<string, string>()

  take(value: State, { operation, dot }: Sent<Operation>): void {
    for (const { prefix, cells } of value.touched(operation, dot, this.#writers)) {
      const start = encodeHex(prefix)
      for (const key of this.#valuesByKey.keys()) if (key.startsWith(start)) this.#valuesByKey.delete(key)
      for (const cell of cells) this.#valuesByKey.set(encodeHex(cell.key), encodeHex(cell.value))
    }
  }

  check(value: State): void {
    const cells = Array.from(value.cells(this.#writers), (cell) => `${encodeHex(cell.key)} ${encodeHex(cell.value)}`)
    const rows = Array.from(this.#valuesByKey, ([key, row]) => `${key} ${row}`)
    if (rows.sort().join() !== cells.sort().join())
      throw new Error(`rows\n${rows.join('\n')}\nnot\n${cells.join('\n')}`)
  }
}

/** Deltas in any order, some of them twice, some of them merged into each other first. */
function ofDeltas<State extends Crdt<Operation>, Operation>(
  random: SeededRandom,
  type: CrdtType<State, Operation>,
  deltas: readonly CausalState<State, Operation>[],
): CausalState<State, Operation> {
  const merged = new CausalState(type)
  let group = new CausalState(type)
  for (const delta of random.shuffle([...deltas, ...deltas.slice(0, 3)])) {
    group.merge(CausalState.decode(type, delta.encode()))
    if (random.chance(0.5)) continue
    merged.merge(group)
    group = new CausalState(type)
  }
  merged.merge(group)
  return merged
}

/** Whether `later` follows `earlier`. */
export function follows(later: Sent<unknown>, earlier: Sent<unknown>): boolean {
  return later.follows.has(earlier.dot)
}
