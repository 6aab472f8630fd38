import { describe, expect, it } from 'vitest'
import { chunksOf, feed, keeper, namesOf, Shelf, Taker, wanting } from '../../../test/feed/chunk-world.ts'
import { SyncWorld } from '../../../test/feed/sync-world.ts'
import { encodeFeedMessage, feedOps } from '../messages.ts'

const MiB = 1024 * 1024

describe('an answer', () => {
  const [chunk = { hash: feed, bytes: feed }, other = chunk] = chunksOf(2, 100)

  it.each([
    ['with another length', 'PROTOCOL', false, [chunk.bytes.subarray(1)]],
    ['with more chunks', 'PROTOCOL', false, [chunk.bytes, other.bytes, chunk.bytes]],
    ['with the bytes of another chunk', 'CORRUPT', false, [other.bytes]],
    ['with another chunk of any length', 'CORRUPT', true, [new Uint8Array(5)]],
    ['with more bytes than it takes', 'LIMIT', true, [new Uint8Array(MiB), new Uint8Array(1)]],
  ] as const)('%s than was asked for is a lie', (_what, code, isOfAnyLength, answer) => {
    const world = new SyncWorld()
    // The first of the last case is right: what is too much is what comes behind it.
    const chunks = code === 'LIMIT' ? [...chunksOf(1, MiB, 0), other] : [chunk, other]
    const { node, replica } = wanting(world)
    const hung = keeper(world, 'liar', new Shelf(chunks, () => {}))
    world.connect(hung, node)
    const names = isOfAnyLength ? chunks.map(({ hash }) => ({ hash })) : namesOf(chunks)
    const taker = new Taker(world, node, replica, names)
    world.run(50)
    const [peer] = node.synchronizer.peers
    if (peer === undefined) throw new Error('not connected')
    const payload = encodeFeedMessage('chunks', { feed: 0, request: 1, last: false, chunks: answer })
    node.synchronizer.receive(peer, feedOps.chunks, payload, world.now)
    expect(node.ended.map(({ code: ended }) => ended)).toEqual([code])
    expect([peer.owedBytes, taker.isDone]).toEqual([0, false])
    taker.take()
    expect(taker.came.every(({ hash }) => chunks.some((one) => one.hash === hash))).toBe(true)
  })

  it('of nobody is borne for a while', () => {
    const world = new SyncWorld()
    const { node } = wanting(world)
    world.connect(keeper(world, 'source', new Shelf([])), node)
    world.run(50)
    const [peer] = node.synchronizer.peers
    if (peer === undefined) throw new Error('not connected')
    const payload = encodeFeedMessage('chunks', { feed: 0, request: 9, last: true, chunks: [new Uint8Array(MiB)] })
    for (let turn = 0; turn < 31; turn += 1) node.synchronizer.receive(peer, feedOps.chunks, payload, world.now)
    expect(node.ended).toEqual([])
    node.synchronizer.receive(peer, feedOps.chunks, payload, world.now)
    expect(node.ended.map(({ code }) => code)).toEqual(['LIMIT'])
  })

  it('has no chunk of another length than was asked for, and that is nobody to blame for', () => {
    const world = new SyncWorld()
    const { node, replica } = wanting(world)
    const source = keeper(world, 'source', new Shelf([chunk, other]))
    world.connect(source, node)
    const wrong = [{ hash: chunk.hash, length: 99 }, { hash: other.hash }]
    const taker = new Taker(world, node, replica, wrong)
    world.run(1_000)
    expect(taker.hasExactly([other])).toBe(true)
    expect([...source.ended, ...node.ended]).toEqual([])
  })
})
