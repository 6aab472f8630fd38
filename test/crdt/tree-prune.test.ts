import { expect, it } from 'vitest'
import { encodeHex } from '../../src/base/bytes.ts'
import { encodeStanding } from '../../src/crdt/causal-state.ts'
import type { CellRange } from '../../src/crdt/cell.ts'
import { isFounded } from '../../src/crdt/crdt-type.ts'
import type { Dot, Writer } from '../../src/crdt/dot.ts'
import { VectorClock } from '../../src/crdt/vector-clock.ts'
import { Writers } from '../../src/crdt/writers.ts'
import { SeededRandom } from '../../src/runtime/simulated/random.ts'
import { Reader } from '../../src/wire/reader.ts'
import { writer } from './history.ts'
import type { Sent } from './history.ts'
import { idsOf, useTree } from './use-tree.ts'
import type { Files, FilesOperation } from './use-tree.ts'

const { type } = useTree
const histories = 150
const steps = 120

/** A replica that forgets, next to one that has the same operations and forgets nothing. */
class ForgetfulSite {
  readonly writer: Writer
  readonly clock = new VectorClock()
  value: Files = type.create()
  readonly whole: Files = type.create()
  readonly #rows = new Map<string, readonly [key: Uint8Array, value: Uint8Array]>()
  readonly #writers = new Writers([], { grows: true })
  /** What each writer has seen, as far as it is known here. */
  readonly #seen = new Map<Writer, VectorClock>()
  readonly counts = { forgotten: 0, refused: 0 }

  constructor(number: number, writers: readonly Writer[]) {
    this.writer = writer(number)
    for (const one of writers) this.#seen.set(one, new VectorClock())
  }

  canTake({ dot, follows }: Sent<FilesOperation>): boolean {
    return !this.clock.has(dot) && this.clock.covers(follows)
  }

  write(operation: FilesOperation): Sent<FilesOperation> {
    const dot = { writer: this.writer, number: this.clock.at(this.writer) + 1 }
    const sent = { operation, dot, follows: this.clock.copy() }
    this.deliver(sent)
    return sent
  }

  deliver({ operation, dot, follows }: Sent<FilesOperation>): void {
    const taken = [this.value, this.whole].map(
      (files) => isFounded(type, operation, follows) && files.isTimely(operation, dot, follows),
    )
    if (taken[0] !== taken[1]) throw new Error('refused by one of two')
    const seen = follows.copy()
    seen.advance(dot)
    this.clock.advance(dot)
    this.#seen.set(dot.writer, seen)
    if (taken[0] === false) {
      this.counts.refused += 1
      return
    }
    this.value.apply(operation, dot)
    this.whole.apply(operation, dot)
    this.#write(this.value.touched(operation, dot, this.#writers))
  }

  prune(): void {
    const stable = this.clock.copy()
    const least = new VectorClock(
      [...stable].map(([one]) => [
        one,
        Math.min(...Array.from(this.#seen, ([from, seen]) => (from === this.writer ? stable : seen).at(one))),
      ]),
    )
    const ranges = this.value.prune(least, this.#writers)
    this.counts.forgotten += ranges.length
    this.#write(ranges)
  }

  restart(): void {
    this.value = type.create()
    for (const [key, value] of this.#rows.values())
      this.value.readCell(new Reader(key), new Reader(value), this.#writers)
    this.value.settle()
  }

  /** What is seen of both trees, and what is kept and ought to be: alike. */
  sights(): { readonly found: readonly string[]; readonly wanted: readonly string[] } {
    const { value, whole } = this
    const cells = Array.from(value.cells(this.#writers), (cell) => `${encodeHex(cell.key)} ${encodeHex(cell.value)}`)
    const rows = Array.from(this.#rows.values(), ([key, row]) => `${encodeHex(key)} ${encodeHex(row)}`)
    return {
      found: [outline(value), encodeHex(encodeStanding(value)), ...rows.sort()],
      wanted: [outline(whole), encodeHex(encodeStanding(whole)), ...cells.sort()],
    }
  }

  #write(ranges: readonly CellRange[]): void {
    for (const { prefix, cells } of ranges) {
      const start = encodeHex(prefix)
      for (const key of this.#rows.keys()) if (key.startsWith(start)) this.#rows.delete(key)
      for (const { key, value } of cells) this.#rows.set(encodeHex(key), [key, value])
    }
  }
}

function outline(files: Files, parent?: Dot): string {
  const entries = [...files.view.children(parent)].map(
    ([name, { id, isAlive }]) => `${name}${isAlive ? '' : '†'}(${outline(files, id)})`,
  )
  return entries.join(' ')
}

/** What no replica prepares: of entries that were removed, below such, or under a time that is over. */
function hostile(
  random: SeededRandom,
  { value, clock }: ForgetfulSite,
  all: readonly Sent<FilesOperation>[],
): FilesOperation {
  const ids = all.filter(({ dot, operation }) => clock.has(dot) && !('id' in operation)).map(({ dot }) => dot)
  const [id, parent] = [random.pick(ids), random.chance(0.3) ? undefined : random.pick(ids)]
  const { time } = value.create(undefined, 'x') as { readonly time: number }
  const past = random.chance(0.5) ? time : random.integer(1, time)
  const lot = random.integer(0, 3)
  if (lot === 0) return { kind: 'create', parent, name: 'x', time: past }
  if (lot === 1) return { kind: 'move', id, parent, name: 'x', time: past, dots: [] }
  const alive = idsOf(value)
  if (alive.length === 0) return { kind: 'create', parent: undefined, name: 'x', time }
  const edit = value.edit(random.pick(alive), (content) => content.set('y')) as {
    readonly kind: 'edit'
  } & FilesOperation
  return { ...edit, id }
}

it('a tree that forgets is the tree that does not, whoever writes', () => {
  const check = (site: ForgetfulSite): void => {
    const { found, wanted } = site.sights()
    expect(found).toEqual(wanted)
  }
  const totals = { forgotten: 0, refused: 0 }
  for (let seed = 0; seed < histories; seed += 1) {
    const random = new SeededRandom(`tree that forgets/${seed}`)
    const writers = [1, 2, 3].map(writer)
    const sites = [1, 2, 3].map((number) => new ForgetfulSite(number, writers))
    const all: Sent<FilesOperation>[] = []
    for (let step = 0; step < steps; step += 1) {
      const site = random.pick(sites)
      for (const sent of all) if (site.canTake(sent) && random.chance(0.7)) site.deliver(sent)
      const isHostile = all.length > 0 && random.chance(0.1)
      const hasAny = isHostile && all.some(({ dot, operation }) => site.clock.has(dot) && !('id' in operation))
      const { refused } = site.counts
      all.push(site.write(hasAny ? hostile(random, site, all) : useTree.prepare(random, site.value, site.writer)))
      if (!hasAny) expect(site.counts.refused, `seed ${seed}: what was prepared is refused`).toBe(refused)
      if (random.chance(0.3)) site.prune()
      if (random.chance(0.05)) site.restart()
      if (random.chance(0.1)) check(site)
    }
    for (const site of sites) {
      while (all.some(({ dot }) => !site.clock.has(dot)))
        for (const sent of all) if (site.canTake(sent)) site.deliver(sent)
      site.prune()
      check(site)
      totals.forgotten += site.counts.forgotten
      totals.refused += site.counts.refused
    }
    const [first, ...others] = sites.map(({ value }) => encodeHex(encodeStanding(value)))
    for (const other of others) expect(other, `seed ${seed}`).toBe(first)
  }
  expect(totals.forgotten).toBeGreaterThan(4_000)
  expect(totals.refused).toBeGreaterThan(200)
})
