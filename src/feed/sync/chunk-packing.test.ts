import { describe, expect, it } from 'vitest'
import { chunksOf, keeper, namesOf, Shelf, Taker, wanting } from '../../../test/feed/chunk-world.ts'
import { SyncWorld } from '../../../test/feed/sync-world.ts'
import { SeededRandom } from '../../runtime/simulated/random.ts'
import type { Chunk } from '../chunk-api.ts'
import { encodeFeedMessage, feedOps } from '../messages.ts'
import { sha256 } from '../node/sha256.ts'
import { zstd } from '../node/zstd.ts'
import type { ChunkPacker } from './chunk-packer.ts'

const KiB = 1024

/** Chunks that no packer makes shorter. */
function noise(count: number, bytes: number): readonly Chunk[] {
  const random = new SeededRandom('noise')
  return Array.from({ length: count }, () => {
    const chunk = random.bytes(bytes)
    return { hash: sha256.digest(chunk), bytes: chunk }
  })
}

/** Brings chunks from one node to another; which answers came, and how many bytes. */
function bring(chunks: readonly Chunk[], source?: ChunkPacker, taker?: ChunkPacker) {
  const world = new SyncWorld()
  const { node, replica } = wanting(world, taker)
  const ops: number[] = []
  world.connect(keeper(world, 'source', new Shelf(chunks), source), node, {
    tamper: (from, op, payload) => {
      if (from === 'source' && (op === feedOps.chunks || op === feedOps.packed)) ops.push(op)
      return payload
    },
  })
  const took = new Taker(world, node, replica, namesOf(chunks))
  world.run(2_000)
  expect([took.hasExactly(chunks), node.ended]).toEqual([true, []])
  return { ops, bytes: node.receivedBytes }
}

describe('chunks', () => {
  it('go packed where both sides can, and that saves something', () => {
    const chunks = chunksOf(200, 4 * KiB)
    const { ops, bytes } = bring(chunks, zstd, zstd)
    expect(new Set(ops)).toEqual(new Set([feedOps.packed]))
    expect(bytes).toBeLessThan((200 * 4 * KiB) / 10)
  })

  it.each([
    ['who gives them', undefined, zstd],
    ['who takes them', zstd, undefined],
  ])('go as they are where %s does not pack', (_who, source, taker) => {
    expect(new Set(bring(chunksOf(100, 4 * KiB), source, taker).ops)).toEqual(new Set([feedOps.chunks]))
  })

  it('that cannot be packed are tried now and then, and go as they are', () => {
    let packs = 0
    const counting: ChunkPacker = { ...zstd, pack: (bytes) => ((packs += 1), zstd.pack(bytes)) }
    const { ops } = bring(noise(512, 16 * KiB), counting, zstd)
    expect(new Set(ops)).toEqual(new Set([feedOps.chunks]))
    expect(ops.length).toBeGreaterThanOrEqual(64)
    expect(packs).toBe(Math.ceil(ops.length / 16))
  })

  it('of a few bytes are not worth it', () => {
    expect(bring(chunksOf(1, 500), zstd, zstd).ops).toEqual([feedOps.chunks])
  })
})

describe('a packed answer', () => {
  const [chunk = { hash: new Uint8Array(32), bytes: new Uint8Array(0) }, other = chunk] = chunksOf(2, 2 * KiB)
  const pack = (bytes: Uint8Array): Uint8Array => zstd.pack(bytes) ?? bytes

  it.each([
    ['is no frame', 'CORRUPT', zstd, [2 * KiB], new Uint8Array(20)],
    ['becomes more than it says', 'CORRUPT', zstd, [KiB], pack(chunk.bytes)],
    ['becomes less than it says', 'CORRUPT', zstd, [2 * KiB, 2 * KiB], pack(chunk.bytes)],
    ['holds nothing', 'CORRUPT', zstd, [undefined], pack(chunk.bytes)],
    ['holds another chunk', 'CORRUPT', zstd, [2 * KiB], pack(other.bytes)],
    ['was not asked for', 'PROTOCOL', undefined, [2 * KiB], pack(chunk.bytes)],
  ] as const)('that %s is a lie', (_what, code, packer, lengths, packed) => {
    const world = new SyncWorld()
    const { node, replica } = wanting(world, packer)
    world.connect(keeper(world, 'liar', new Shelf([chunk, other], () => {}), zstd), node)
    const taker = new Taker(world, node, replica, namesOf([chunk, other]))
    world.run(50)
    const [peer] = node.synchronizer.peers
    if (peer === undefined) throw new Error('not connected')
    const payload = encodeFeedMessage('packed', { feed: 0, request: 1, last: false, lengths, packed })
    node.synchronizer.receive(peer, feedOps.packed, payload, world.now)
    expect([node.ended.map(({ code: ended }) => ended), taker.came]).toEqual([[code], []])
  })

  it('that nobody waits for is not unpacked', () => {
    const world = new SyncWorld()
    const unpacked: number[] = []
    const counting: ChunkPacker = { ...zstd, unpack: (packed) => (unpacked.push(packed.length), undefined) }
    const { node } = wanting(world, counting)
    world.connect(keeper(world, 'source', new Shelf([]), zstd), node)
    world.run(50)
    const [peer] = node.synchronizer.peers
    if (peer === undefined) throw new Error('not connected')
    const packed = pack(chunk.bytes)
    const payload = encodeFeedMessage('packed', { feed: 0, request: 9, last: true, lengths: [2 * KiB], packed })
    node.synchronizer.receive(peer, feedOps.packed, payload, world.now)
    expect([unpacked, node.ended]).toEqual([[], []])
  })
})
