import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { feedRecords } from '../../../src/feed/storage/feed-record.ts'
import type { FeedLog } from '../../../src/feed/storage/feed-log.ts'
import { sealBlocks } from '../../../src/feed/storage/sealing.ts'
import { SimulatedDisk } from '../../../src/runtime/simulated/disk.ts'
import { SeededRandom } from '../../../src/runtime/simulated/random.ts'
import { readCheckpoint } from '../../../src/store/checkpoint.ts'
import { silentProbe } from '../../../src/runtime/probe.ts'
import { RecordLog } from '../../../src/store/record-log.ts'
import { batchOf, copyName, openLog, ownName, writerOf } from './crash-play.ts'
import { blockOf } from './feed-place.ts'

// The bytes of format 1 of feeds, as FORMAT.md tells them. When this fails the format has changed: then read the old one too, and keep
// these files. `PLAIT_WRITE_GOLDEN=1` writes those of a new format.

const folder = fileURLToPath(new URL('./golden/', import.meta.url))
const paths = {
  log: 'log/0000000000000000.seg',
  checkpoint: 'checkpoint',
  '1.places': 'feeds/1.places',
  '1.nodes': 'feeds/1.nodes',
  '2.places': 'feeds/2.places',
  '2.nodes': 'feeds/2.nodes',
} as const
const names = Object.keys(paths) as readonly (keyof typeof paths)[]

/** A store in which each kind of record is. */
async function writeStore(): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk()
  const log = await openLog(disk, {})
  const own = await log.add(ownName)
  const writer = writerOf(own)
  for (let id = 1; id <= 9; id += 3) await writer.append([blockOf(id), blockOf(id + 1), blockOf(id + 2)], 1)
  await writer.truncate(5)
  await writer.append([blockOf(10)], 1)
  const copy = await log.add(copyName)
  const store = (ids: readonly number[], start: number, fork: number): Promise<boolean> =>
    new Promise((resolve) => copy.store(batchOf(fork, start, ids), resolve))
  await store([1, 2, 3, 4], 0, 0)
  await new Promise((resolve) => copy.reset(1, resolve))
  await store([5, 6], 0, 1)
  await store([5, 6, 7], 2, 1)
  copy.applyCleared([1, 2])
  await copy.clear([1, 2])
  if (copy.head !== undefined)
    await copy.freeze({ one: copy.head, other: { ...copy.head, bytes: 1 }, nodes: new Uint8Array(32).fill(7) })
  await sealBlocks(log, [blockOf(1), blockOf(2)])
  await log.remove(await log.addDraft())
  await log.close()
  return disk
}

async function check(log: FeedLog): Promise<void> {
  const own = log.find(ownName)
  expect(own?.tip).toMatchObject({ fork: 1, length: 6 })
  expect(await own?.blocks(0, 6, 10_000)).toEqual([1, 2, 3, 4, 5, 10].map((id) => blockOf(id)))
  const copy = log.find(copyName)
  expect(copy).toMatchObject({ tip: { fork: 1, length: 3 }, have: { count: 2 } })
  expect(copy?.conflict?.other).toMatchObject({ bytes: 1 })
  expect(copy?.conflict?.nodes).toEqual(new Uint8Array(32).fill(7))
  expect(await copy?.blocks(2, 3, 1)).toEqual([blockOf(7)])
  expect(log.feeds.filter(({ isSealed, head }) => isSealed && head?.length === 2).length).toBe(1)
  expect(log.feeds.length).toBe(3)
}

describe('the format of feeds', () => {
  it('is what it was, byte for byte, and has a record of each kind', async () => {
    const disk = await writeStore()
    const files = disk.files()
    if (process.env['PLAIT_WRITE_GOLDEN'] === '1') {
      mkdirSync(folder, { recursive: true })
      for (const name of names) writeFileSync(folder + name, files.get(paths[name]) ?? new Uint8Array(0))
    }
    for (const name of names) expect(files.get(paths[name]), name).toEqual(new Uint8Array(readFileSync(folder + name)))
    const kinds = new Set<number>()
    const visit = ({ kind }: { readonly kind: number }): void => void kinds.add(kind)
    await RecordLog.open({ disk, directory: '', random: new SeededRandom(1), probe: silentProbe, visit })
    expect([...kinds].sort((one, other) => one - other)).toEqual(
      Object.values(feedRecords).sort((one, other) => one - other),
    )
  })

  it.each(['with its checkpoint', 'from the log alone'])('is read as it was, %s', async (how) => {
    const disk = new SimulatedDisk()
    for (const directory of ['log', 'feeds']) await disk.makeDirectory(directory)
    const read = how === 'with its checkpoint' ? names : (['log'] as const)
    for (const name of read) {
      const file = await disk.open(paths[name], { create: true })
      await file.write(0, new Uint8Array(readFileSync(folder + name)))
    }
    if (how === 'with its checkpoint') expect(await readCheckpoint(disk, '')).toBeDefined()
    const log = await openLog(disk, {})
    expect(log.report).toMatchObject({ isClean: true, rot: [], torn: undefined })
    await check(log)
  })
})
