import { feedOps } from '../../src/feed/messages.ts'
import { zstd } from '../../src/feed/node/zstd.ts'
import type { ChunkPacker } from '../../src/feed/sync/chunk-packer.ts'
import { SeededRandom } from '../../src/runtime/simulated/random.ts'
import { chunksOf, keeper, Shelf, Taker, wanting } from './chunk-world.ts'
import { SyncWorld, type LinkOptions } from './sync-world.ts'

/**
 * A world in which several want chunks, of holders that have some of them or get them later, that lie, stall, are slow, come and go, and
 * one who changes its mind. Returns what must never be, in words.
 */
export function convergeChunks(seed: number): readonly string[] {
  const random = new SeededRandom(`chunks ${seed}`)
  const below = (bound: number): number => random.integer(0, bound - 1)
  const world = new SyncWorld()
  const sizes = [1, 1_000, 20_000, 200_000]
  const chunks = Array.from({ length: 1 + below(4) }, (_, salt) =>
    chunksOf(1 + below(60), 5 + below(random.pick(sizes)), salt + 1),
  ).flat()
  const later = (run: () => void): void => (random.chance(0.5) ? run() : world.later(below(30), run))
  const shelves = Array.from(
    { length: 1 + below(4) },
    () =>
      new Shelf(
        chunks.filter(() => random.chance(0.5)),
        later,
      ),
  )
  const packer = (): ChunkPacker | undefined => (random.chance(0.5) ? zstd : undefined)
  const holders = shelves.map((shelf, index) => keeper(world, `honest ${index}`, shelf, packer()))
  const bad = Array.from({ length: below(3) }, (_, index) =>
    keeper(world, `bad ${index}`, new Shelf(chunks, later), packer()),
  )
  const wants = Array.from({ length: 1 + below(2) }, () => wanting(world, packer()))
  const names = chunks.map(({ hash, bytes }) => (random.chance(0.7) ? { hash, length: bytes.length } : { hash }))
  const open = new Set<() => void>()
  const tamper: LinkOptions['tamper'] = (from, op, payload) => {
    const isAnswer = op === feedOps.chunks || op === feedOps.packed
    if (!from.startsWith('bad') || !isAnswer || random.chance(0.3)) return payload
    if (from.endsWith('0')) return payload.map((byte, at) => (at === payload.length - 1 ? byte ^ 1 : byte))
    return undefined
  }
  const join = (): void => {
    const options = { delayMs: below(30), bytesPerMs: 500 + below(50_000), tamper }
    open.add(world.connect(random.pick([...holders, ...bad]), random.pick(wants).node, options))
  }
  const takers = wants.flatMap(({ node, replica }) =>
    [names, names.filter(() => random.chance(0.5))].map((some) => new Taker(world, node, replica, some)),
  )
  for (let turn = 0; turn < 12; turn += 1) {
    if (random.chance(0.7)) join()
    const [part] = open
    if (part !== undefined && random.chance(0.3)) {
      open.delete(part)
      part()
    }
    if (random.chance(0.3)) random.pick(shelves).put(chunks.filter(() => random.chance(0.2)))
    if (random.chance(0.1)) takers.at(-1)?.end()
    world.run(below(400))
  }
  for (const part of open) part()
  shelves[0]?.put(chunks)
  for (const { node } of wants) for (const holder of holders) world.connect(holder, node)
  world.run(300_000, () => takers.slice(0, -1).every(({ isDone }) => isDone))
  takers.at(-1)?.end()
  const violations = takers.slice(0, -1).flatMap((taker, index) => {
    const wanted = new Set(taker.fetch.names.map(({ hash }) => hash.join()))
    return taker.hasExactly(chunks.filter(({ hash }) => wanted.has(hash.join()))) ? [] : [`${index} has others`]
  })
  world.run(100)
  for (const { node } of wants) {
    for (const id of node.endedIds) if (!id.startsWith('bad')) violations.push(`${id} was ended`)
    for (const { owedBytes, openRequests } of node.synchronizer.peers)
      if (owedBytes !== 0 || openRequests !== 0)
        violations.push(`${owedBytes} bytes, ${openRequests} requests are left`)
  }
  for (const holder of holders)
    if (holder.ended.length > 0) violations.push(`a holder has ended ${holder.endedIds.join()}`)
  for (const shelf of shelves) if (shelf.open > 0) violations.push(`${shelf.open} reads are left`)
  return violations
}
