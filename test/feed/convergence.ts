import { bytesEqual } from '../../src/base/bytes.ts'
import { feedOps } from '../../src/feed/messages.ts'
import { SeededRandom } from '../../src/runtime/simulated/random.ts'
import { MemoryStore } from '../../src/feed/sync/memory-store.ts'
import { Replica } from '../../src/feed/sync/replica.ts'
import { SlowStore } from './slow-store.ts'
import { blocksOf, lose, SyncWorld, Writer, type LinkOptions, type SyncNode, type WriterCopy } from './sync-world.ts'

/** What one world came to. */
export interface Convergence {
  /** What must never be, in words; empty when all is well. */
  readonly violations: readonly string[]
  readonly messages: number
  readonly ended: number
  /** How often a writer has truncated its feed, and blocks were lost. */
  readonly truncated: number
  readonly lost: number
  /** How often a writer was restored from an older copy. */
  readonly restored: number
}

const nothing = Uint8Array.of(255)

interface Copy {
  readonly node: SyncNode
  readonly writer: Writer
  readonly copy: { readonly replica: Replica; readonly store: MemoryStore }
}

/**
 * A world of some nodes, writers among them, full, sparse and live readers, peers that lie or stall, links that come and go. At last the
 * honest ones are joined and left alone, and everybody has to have what it wants.
 */
export function converge(seed: number): Convergence {
  const random = new SeededRandom(`feeds ${seed}`)
  const below = (bound: number): number => random.uint32() % bound
  const world = new SyncWorld()
  const honest = Array.from({ length: 3 + below(4) }, (_, index) => world.node(`honest ${index}`))
  const bad = Array.from({ length: below(3) }, (_, index) => world.node(`bad ${index}`))
  const writers = Array.from(
    { length: 1 + below(2) },
    (_, index) =>
      new Writer(index + 1, blocksOf(below(400), 1 + below(900), index), (memory) =>
        below(2) === 0 ? memory : new SlowStore(memory, world, random, below(2)),
      ),
  )
  const copies: Copy[] = []
  writers.forEach((writer, index) => honest[index]?.synchronizer.add(writer.replica, 0))
  for (const [index, node] of [...honest, ...bad].entries()) {
    for (const writer of writers) {
      if (honest[writers.indexOf(writer)] === node) continue
      const mode = index < honest.length && below(3) === 0 ? 'sparse' : 'full'
      const order = below(2) === 0 ? 'next' : 'rarest'
      const memory = new MemoryStore()
      const store = below(2) === 0 ? memory : new SlowStore(memory, world, random, below(3))
      const isLive = mode === 'full' && below(2) === 0
      const copy = { replica: new Replica({ name: writer.replica.name, store, mode, order, isLive }), store: memory }
      node.synchronizer.add(copy.replica, 0)
      copies.push({ node, writer, copy })
    }
  }
  const link = (one: SyncNode, other: SyncNode): (() => void) => {
    const speed = { delayMs: below(40), bytesPerMs: 100 + below(20_000) }
    return world.connect(one, other, { ...speed, tamper: tamperOf(below(3)) })
  }
  const nodes = [...honest, ...bad]
  const open: (() => void)[] = []
  const saved = new Map<Writer, WriterCopy>()
  let [truncated, lost, restored] = [0, 0, 0]
  for (let turn = 0; turn < 30; turn += 1) {
    const [one, other] = [nodes[below(nodes.length)], nodes[below(nodes.length)]] as [SyncNode, SyncNode]
    if (one !== other) open.push(link(one, other))
    if (below(3) === 0) open.splice(below(open.length + 1), 1)[0]?.()
    const writer = writers[below(writers.length)] as Writer
    const home = honest[writers.indexOf(writer)] as SyncNode
    if (below(4) === 0 && writer.isCurrent) saved.set(writer, writer.save())
    const backup = saved.get(writer)
    const holders = copies.filter((other) => other.writer === writer && honest.includes(other.node))
    if (below(12) === 0 && backup !== undefined && holders.some(isWhole)) {
      writer.restore(home, backup, world.now)
      restored += 1
    }
    if (below(2) === 0 && writer.isCurrent)
      writer.append(home, blocksOf(1 + below(30), 1 + below(900), turn), world.now)
    const { copy, node } = copies[below(copies.length)] as Copy
    const start = below(writer.replica.length + 1)
    if (below(8) === 0 && hasEverything(writer)) {
      writer.truncate(home, start, world.now)
      truncated += 1
    }
    if (below(3) === 0) lost += rot(world, writer, home, holders, start, 1 + below(20))
    if (copy.replica.mode === 'sparse') node.synchronizer.want(copy.replica, start, start + below(40), world.now)
    world.run(below(300))
  }
  for (const part of open) part()
  // Whoever was ended for a lie of its link is left alone for some time.
  world.run(70_000)
  honest.forEach((node, index) => {
    for (const other of honest.slice(index + 1)) world.connect(node, other)
  })
  const ended = nodes.reduce((sum, node) => sum + node.ended.length, 0)
  const kept = copies.filter(({ node }) => honest.includes(node))
  world.run(20_000, () => kept.every(isDone))
  world.run(1_000)
  return {
    violations: [
      ...nodes.flatMap(({ endedIds }) =>
        endedIds.filter((id) => id.startsWith('honest')).map((id) => `${id} was ended`),
      ),
      ...violationsOf(writers, kept, honest, nodes.reduce((sum, node) => sum + node.ended.length, 0) - ended),
    ],
    truncated,
    lost,
    restored,
    messages: world.messages,
    ended,
  }
}

/** Who truncates a feed takes from all others what they have of it: what only they have would be gone. */
function hasEverything(writer: Writer): boolean {
  return writer.isCurrent && writer.replica.have.count === writer.replica.length
}

/** Whether nothing is gone when the writer is restored from an older copy. */
function isWhole({ writer, copy: { replica } }: Copy): boolean {
  const { length, have, fork } = replica
  return writer.isCurrent && fork === writer.replica.fork && length === writer.replica.length && have.count === length
}

/** Some blocks rot at the writer, if others have them, or at the others, if the writer does: none is gone for ever. */
function rot(
  world: SyncWorld,
  writer: Writer,
  home: SyncNode,
  theirs: readonly Copy[],
  start: number,
  count: number,
): number {
  const { replica } = writer
  const end = Math.min(replica.length, start + count)
  const current = theirs.filter(({ copy }) => copy.replica.fork === replica.fork)
  const before = replica.have.count + current.reduce((sum, { copy }) => sum + copy.replica.have.count, 0)
  const isSafe = current.some(({ copy }) => copy.replica.have.nextHole(start) >= end)
  if (isSafe && count % 2 === 0) lose(home, writer, start, end, world.now)
  else if (replica.have.nextHole(start) >= end)
    for (const { node, copy } of current) lose(node, copy, start, end, world.now)
  return before - replica.have.count - current.reduce((sum, { copy }) => sum + copy.replica.have.count, 0)
}

/** Whether a replica has all that it is to have. */
function isDone({ writer, copy }: Copy): boolean {
  const { have, wanted, mode } = copy.replica
  if (copy.replica.fork !== writer.replica.fork || !hasEverything(writer)) return false
  if (mode === 'full') return have.count === writer.replica.length
  const runs = wanted.runs(0, writer.replica.length, Infinity)
  return runs.every((start, at) => at % 2 !== 0 || have.nextHole(start) >= (runs[at + 1] as number))
}

function violationsOf(
  writers: readonly Writer[],
  kept: readonly Copy[],
  honest: readonly SyncNode[],
  endedLate: number,
): readonly string[] {
  const violations: string[] = []
  if (endedLate > 0) violations.push(`${endedLate} honest peers were ended`)
  for (const writer of writers)
    if (!hasEverything(writer)) violations.push(`writer: ${writer.replica.have.count} of ${writer.blocks.length}`)
  for (const { node, writer, copy } of kept) {
    const { replica, store } = copy
    const what = `${node.name}, ${replica.mode}`
    if (!isDone({ node, writer, copy })) violations.push(`${what}: ${replica.have.count} of ${writer.replica.length}`)
    if (store.repeated > 0) violations.push(`${what}: ${store.repeated} blocks stored twice`)
    for (const [index, block] of store.blocks)
      if (!bytesEqual(writer.blocks[index] ?? nothing, block)) violations.push(`${what}: block ${index} is another`)
    if (store.blocks.size !== replica.have.count) violations.push(`${what}: the bitmap is not what is stored`)
    if (replica.inFlight.count > 0) violations.push(`${what}: ${replica.inFlight.count} blocks are still asked for`)
    if (replica.isFrozen) violations.push(`${what}: frozen`)
  }
  for (const { name, synchronizer } of honest)
    for (const { owedBytes } of synchronizer.peers)
      if (owedBytes !== 0) violations.push(`${name}: ${owedBytes} bytes are owed`)
  return violations
}

/** Nothing, a lie now and then by the nodes that are bad, or silence. */
function tamperOf(kind: number): NonNullable<LinkOptions['tamper']> {
  let count = 0
  return (from, op, payload) => {
    if (!from.startsWith('bad') || (op !== feedOps.data && op !== feedOps.proof)) return payload
    count += 1
    if (kind === 1 && count % 3 === 0) return payload.map((byte, at) => (at === payload.length - 2 ? byte ^ 4 : byte))
    if (kind === 2 && count > 2) return undefined
    return payload
  }
}
