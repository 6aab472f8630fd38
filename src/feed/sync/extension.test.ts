import { expect, it } from 'vitest'
import { blocksOf, reader, SyncWorld, Writer } from '../../../test/feed/sync-world.ts'
import { PlaitError } from '../../base/error.ts'
import { sha256 } from '../node/sha256.ts'
import { simulatedVerify } from '../../identity/simulated.ts'
import { Synchronizer, type SynchronizerEvents } from './synchronizer.ts'

function three(extension: NonNullable<SynchronizerEvents['extension']>): {
  readonly world: SyncWorld
  readonly writer: Writer
  readonly synchronizer: Synchronizer
  readonly ended: PlaitError[]
} {
  const world = new SyncWorld()
  const writer = new Writer(1, blocksOf(3, 10))
  const source = world.node('source')
  source.synchronizer.add(writer.replica, 0)
  const ended: PlaitError[] = []
  const other = new Writer(2, blocksOf(3, 10))
  for (const name of ['one', 'two', 'stranger']) {
    const events = { extension, ended: (_peer: unknown, error: PlaitError) => void ended.push(error) }
    const synchronizer = new Synchronizer({ hash: sha256, verify: simulatedVerify, events })
    synchronizer.add(reader((name === 'stranger' ? other : writer).replica.name).replica, 0)
    world.connect(source, { ...world.node(name), synchronizer })
  }
  world.run(100)
  return { world, writer, synchronizer: source.synchronizer, ended }
}

it('an extension hears what its other end says of a feed, at all peers that share it or at one', () => {
  const heard: unknown[] = []
  const { world, writer, synchronizer } = three((replica, peer, name, payload) => {
    heard.push([replica.name, peer.options.id, name, ...payload])
  })
  const { name } = writer.replica
  expect(synchronizer.extend(writer.replica, undefined, 'typing', Uint8Array.of(1, 2))).toBe(2)
  world.run(100)
  expect(heard).toEqual([
    [name, 'source', 'typing', 1, 2],
    [name, 'source', 'typing', 1, 2],
  ])
  const [peer, , stranger] = synchronizer.peers
  expect(synchronizer.extend(writer.replica, peer, 'x', new Uint8Array(0))).toBe(1)
  expect(synchronizer.extend(writer.replica, stranger, 'x', new Uint8Array(0))).toBe(0)
  world.run(100)
  expect(heard.length).toBe(3)
  expect(() => synchronizer.extend(writer.replica, peer, 'x'.repeat(65), new Uint8Array(0))).toThrow('65')
  // Whoever takes nothing now is not sent what might wait for ever.
  if (peer !== undefined) peer.isWritable = false
  expect(synchronizer.extend(writer.replica, undefined, 'x', new Uint8Array(0))).toBe(1)
})

it('an extension is not flooded, and hears again a moment later', () => {
  let heard = 0
  const { world, writer, synchronizer, ended } = three(() => (heard += 1))
  const [peer] = synchronizer.peers
  for (let turn = 0; turn < 3_000; turn += 1) synchronizer.extend(writer.replica, peer, 'x', new Uint8Array(0))
  world.run(100)
  expect(heard).toBeGreaterThanOrEqual(1_000)
  expect(heard).toBeLessThan(1_100)
  const before = heard
  world.run(1_000)
  for (let turn = 0; turn < 500; turn += 1) synchronizer.extend(writer.replica, peer, 'x', new Uint8Array(0))
  world.run(100)
  expect([heard - before, ended.length]).toEqual([500, 0])
})

it('a peer that says to an extension what it cannot read is ended', () => {
  const { world, writer, synchronizer, ended } = three(() => {
    throw new PlaitError('PROTOCOL', 'no sense')
  })
  synchronizer.extend(writer.replica, undefined, 'x', new Uint8Array(0))
  world.run(100)
  expect(ended.map(({ code }) => code)).toEqual(['PROTOCOL', 'PROTOCOL'])
})
