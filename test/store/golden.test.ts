import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { SimulatedDisk } from '../../src/runtime/simulated/disk.ts'
import { SeededRandom } from '../../src/runtime/simulated/random.ts'
import { readCheckpoint, writeCheckpoint } from '../../src/store/checkpoint.ts'
import { appendAll, idOf, idsOf, LogPlace, payloadOf, range } from './log-place.ts'

// The bytes of format 1. When this fails the format has changed: stores that people have would be damaged. Then raise `formatVersion`,
// read the old one too, and keep these files. `PLAIT_WRITE_GOLDEN=1` writes those of a new format.

const folder = fileURLToPath(new URL('./golden/', import.meta.url))
const names = ['0000000000000000.seg', '0000000000001232.seg', '0000000000002486.seg', 'checkpoint'] as const
const limits = { segmentBytes: 1_000 }

/** Two compacted segments and a plain one, closed in order, and a checkpoint. */
async function writeStore(): Promise<Map<string, Uint8Array>> {
  const disk = new SimulatedDisk()
  const log = await new LogPlace(disk, { limits, random: new SeededRandom('golden') }).open()
  for (let id = 1; id <= 40; id += 4) await appendAll(log, range(id, id + 3))
  log.append(70_000, 2 ** 40, [payloadOf(41), new Uint8Array(0), Uint8Array.of(1, 2, 3)])
  await log.commit()
  await log.compact((record) => idOf(record) % 4 === 0)
  await writeCheckpoint(disk, 'store', { logId: log.id, position: log.safe, payload: payloadOf(7) })
  await appendAll(log, [42])
  await log.close()
  return new Map([...disk.files()].map(([path, bytes]) => [path.split('/').at(-1) ?? path, bytes]))
}

describe('the format of the store', () => {
  it('is what it was, byte for byte', async () => {
    const files = await writeStore()
    if (process.env['PLAIT_WRITE_GOLDEN'] === '1') {
      mkdirSync(folder, { recursive: true })
      for (const [name, bytes] of files) writeFileSync(folder + name, bytes)
    }
    expect([...files.keys()].sort()).toEqual([...names].sort())
    for (const name of names) expect(files.get(name), name).toEqual(new Uint8Array(readFileSync(folder + name)))
  })

  it('is read as it was', async () => {
    const disk = new SimulatedDisk()
    await disk.makeDirectory('store/log')
    for (const name of names) {
      const file = await disk.open(name === 'checkpoint' ? `store/${name}` : `store/log/${name}`, { create: true })
      await file.write(0, new Uint8Array(readFileSync(folder + name)))
    }
    const place = new LogPlace(disk, { limits })
    const log = await place.open()
    expect(log.report).toMatchObject({ isClean: true, rot: [], torn: undefined })
    expect(log.segmentCount).toBe(3)
    expect(idsOf(place.seen)).toEqual([...range(1, 8).map((id) => id * 4), ...range(33, 42)])
    expect(place.seen.at(-2)).toMatchObject({ kind: 70_000, feed: 2 ** 40 })
    for (const record of place.seen.slice(0, 10)) expect(record.payload).toEqual(payloadOf(idOf(record)))
    const checkpoint = await readCheckpoint(disk, 'store')
    expect(checkpoint?.payload).toEqual(payloadOf(7))
    expect(checkpoint?.logId).toEqual(log.id)
    expect(checkpoint?.position).toBe(place.seen.at(-1)?.position ?? 0)
  })
})
