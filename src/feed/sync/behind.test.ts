import { expect, it } from 'vitest'
import { blocksOf, hasAll, holder, reader, SyncWorld, Writer, type SyncNode } from '../../../test/feed/sync-world.ts'
import type { FeedHead } from './feed-store.ts'

/** A writer that was restored from a copy of its first 30 blocks, and somebody who has all 40. */
function restored(): {
  readonly world: SyncWorld
  readonly source: SyncNode
  readonly other: SyncNode
  readonly writer: Writer
  readonly whole: Writer
} {
  const world = new SyncWorld()
  const [source, other] = [world.node('source'), world.node('other')]
  const blocks = blocksOf(40, 100)
  const [writer, whole] = [new Writer(1, blocks.slice(0, 30)), new Writer(1, blocks)]
  return { world, source, other, writer, whole }
}

it('F5 a writer restored from a copy hears that it is behind, catches up, and goes on with the next number', () => {
  const { world, source, other, writer, whole } = restored()
  const copy = holder(whole)
  source.synchronizer.add(writer.replica, 0)
  other.synchronizer.add(copy, 0)
  expect([writer.replica.isBehind, writer.replica.heardLength]).toEqual([false, 30])
  world.connect(source, other)
  world.connect(source, other)
  world.run(1_000, () => source.behind.length > 0)
  expect([writer.replica.isBehind, writer.replica.heardLength]).toEqual([true, 40])
  world.run(1_000)
  expect(source.behind.map(({ length }) => length)).toEqual([40])
  expect([writer.replica.isBehind, writer.replica.length, writer.replica.have.count]).toEqual([false, 40, 40])
  writer.resume()
  writer.append(source, blocksOf(1, 100, 9), world.now)
  world.run(1_000)
  expect([copy.length, copy.have.count]).toEqual([41, 41])
  expect([source, other].flatMap(({ ended, forked }) => [...ended, ...forked])).toEqual([])
})

it('F5 one that has truncated since begins anew on the fork that it had forgotten', () => {
  const { world, source, other, writer, whole } = restored()
  const [home, copy] = [world.node('home'), reader(whole.replica.name)]
  home.synchronizer.add(whole.replica, 0)
  other.synchronizer.add(copy.replica, 0)
  world.connect(home, other)
  world.run(100)
  whole.truncate(home, 35, world.now)
  world.run(100)
  source.synchronizer.add(writer.replica, world.now)
  world.connect(source, other)
  world.run(1_000)
  expect(source.behind.map(({ fork, length }) => [fork, length])).toEqual([[1, 35]])
  expect([writer.replica.isBehind, writer.replica.fork, writer.replica.have.count]).toEqual([false, 1, 35])
  writer.resume()
  writer.append(source, blocksOf(1, 100, 9), world.now)
  world.run(1_000)
  expect([copy.replica.fork, copy.replica.have.count, hasAll(writer, copy.store)]).toEqual([1, 36, true])
  expect([source, other].flatMap(({ ended, forked }) => [...ended, ...forked])).toEqual([])
})

it.each(['before', 'while', 'after'])('F5 one that writes %s it hears so is proven to have forked, at both', (when) => {
  const { world, source, other, writer, whole } = restored()
  const copy = holder(whole)
  source.synchronizer.add(writer.replica, 0)
  other.synchronizer.add(copy, 0)
  const stale = new Writer(1, [...blocksOf(40, 100).slice(0, 30), ...blocksOf(3, 100, 9)]).replica
  const write = (): void => {
    if (when !== 'after') return writer.append(source, blocksOf(3, 100, 9), world.now)
    source.synchronizer.appended(writer.replica, stale.head as FeedHead, stale.peaks, world.now)
  }
  if (when === 'before') write()
  world.connect(source, other)
  if (when === 'while') world.run(1_000, () => source.behind.length > 0)
  if (when === 'after') world.run(1_000)
  if (when !== 'before') write()
  world.run(1_000)
  expect([source.forked.length, other.forked.length]).toEqual([1, 1])
  expect([writer.replica.isFrozen, copy.isFrozen]).toEqual([true, true])
  expect([...source.ended, ...other.ended]).toEqual([])
})
