import { expect, it } from 'vitest'
import { SimulatedDisk } from '../../../src/runtime/simulated/disk.ts'
import { batchOf, copyName, openLog } from './crash-play.ts'

it('blocks that are on their way to the disk when a feed is given up are not taken for those of its new fork', async () => {
  const log = await openLog(new SimulatedDisk(), {})
  const copy = await log.add(copyName)
  const seen: [string, boolean, number][] = []
  const all = [
    new Promise<void>((resolve) => {
      copy.store(batchOf(0, 0, [1, 2, 3]), (isStored) => {
        seen.push(['stored', isStored, copy.have.count])
        resolve()
      })
    }),
    new Promise<void>((resolve) => {
      copy.reset(1, (isReset) => {
        seen.push(['reset', isReset, copy.have.count])
        resolve()
      })
    }),
    new Promise<void>((resolve) => {
      copy.store(batchOf(1, 0, [4, 5]), (isStored) => {
        seen.push(['stored', isStored, copy.have.count])
        resolve()
      })
    }),
  ]
  await Promise.all(all)
  expect(seen).toEqual([
    ['stored', false, 0],
    ['reset', true, 0],
    ['stored', true, 2],
  ])
  await log.close()
})
