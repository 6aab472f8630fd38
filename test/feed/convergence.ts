import { bytesEqual } from '../../src/base/bytes.ts'
import { feedOps } from '../../src/feed/messages.ts'
import { SeededRandom } from '../../src/runtime/simulated/random.ts'
import { MemoryStore } from '../../src/feed/sync/memory-store.ts'
import { Replica } from '../../src/feed/sync/replica.ts'
import { SlowStore } from './slow-store.ts'
import { blocksOf, SyncWorld, Writer, type LinkOptions, type SyncNode } from './sync-world.ts'

/** What one world came to. */
export interface Convergence {
  /** What must never be, in words; empty when all is well. */
  readonly violations: readonly string[]
  readonly messages: number
  readonly ended: number
}

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
    (_, index) => new Writer(index + 1, blocksOf(below(400), 1 + below(900), index)),
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
  for (let turn = 0; turn < 30; turn += 1) {
    const [one, other] = [nodes[below(nodes.length)], nodes[below(nodes.length)]] as [SyncNode, SyncNode]
    if (one !== other) open.push(link(one, other))
    if (below(3) === 0) open.splice(below(open.length + 1), 1)[0]?.()
    const writer = writers[below(writers.length)] as Writer
    const home = honest[writers.indexOf(writer)] as SyncNode
    if (below(2) === 0) writer.append(home, blocksOf(1 + below(30), 1 + below(900), turn), world.now)
    const { copy, node } = copies[below(copies.length)] as Copy
    const start = below(writer.replica.length + 1)
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
    violations: violationsOf(kept, honest, nodes.reduce((sum, node) => sum + node.ended.length, 0) - ended),
    messages: world.messages,
    ended,
  }
}

/** Whether a replica has all that it is to have. */
function isDone({ writer, copy }: Copy): boolean {
  const { have, wanted, mode } = copy.replica
  if (mode === 'full') return have.count === writer.replica.length
  const runs = wanted.runs(0, writer.replica.length, Infinity)
  return runs.every((start, at) => at % 2 !== 0 || have.nextHole(start) >= (runs[at + 1] as number))
}

function violationsOf(kept: readonly Copy[], honest: readonly SyncNode[], endedLate: number): readonly string[] {
  const violations: string[] = []
  if (endedLate > 0) violations.push(`${endedLate} honest peers were ended`)
  for (const { node, writer, copy } of kept) {
    const { replica, store } = copy
    const what = `${node.name}, ${replica.mode}`
    if (!isDone({ node, writer, copy })) violations.push(`${what}: ${replica.have.count} of ${writer.replica.length}`)
    if (store.repeated > 0) violations.push(`${what}: ${store.repeated} blocks stored twice`)
    for (const [index, block] of store.blocks)
      if (!bytesEqual(writer.store.blocks.get(index) ?? new Uint8Array(0), block))
        violations.push(`${what}: block ${index} is another`)
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
