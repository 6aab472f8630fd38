import { expect, it } from 'vitest'
import { MemoryStore } from './memory-store.ts'
import { Doubts } from './doubts.ts'
import { Replica } from './replica.ts'
import { blocksOf, hasAll, reader, SyncWorld, Writer } from '../../../test/feed/sync-world.ts'

it('doubts last longer each time, and end for what is said again', () => {
  const doubts = new Doubts()
  expect(doubts.due(0)).toEqual([])
  doubts.note([3, 5, 8, 9], 100)
  expect(doubts.any).toBe(true)
  expect(doubts.due(5_099)).toEqual([])
  doubts.forget(4, 5)
  expect(doubts.due(5_100)).toEqual([3, 4, 8, 9])
  expect(doubts.any).toBe(false)
  doubts.note([3, 4], 5_100)
  expect(doubts.due(15_000)).toEqual([])
  expect(doubts.due(15_100)).toEqual([3, 4])
  for (let count = 0; count < 20; count += 1) doubts.note([1, 2], 20_000)
  expect(doubts.due(180_000)).toEqual([1, 2])
})

it('who could not prove what it has is asked again after a while, and nobody is ended', () => {
  const world = new SyncWorld()
  const source = world.node('source')
  const clone = world.node('clone')
  const writer = new Writer(1, blocksOf(500, 100))
  let isDamaged = true
  const store = new MemoryStore()
  for (const [index, block] of writer.store.blocks) store.blocks.set(index, block)
  store.readNodes = (positions, done): void => {
    if (isDamaged) done()
    else writer.store.readNodes(positions, done)
  }
  const { name, head, peaks, have } = writer.replica
  source.synchronizer.add(new Replica({ name, store, head, peaks, have }), 0)
  const copy = reader(name)
  clone.synchronizer.add(copy.replica, 0)
  world.connect(source, clone)
  world.run(2_000)
  expect(copy.replica.have.count).toBe(0)
  isDamaged = false
  world.run(30_000, () => copy.replica.have.count === 500)
  expect(hasAll(writer, copy.store)).toBe(true)
  expect([source.ended, clone.ended]).toEqual([[], []])
})
