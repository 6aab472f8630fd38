import { expect, test } from 'vitest'
import { sampleOf } from '../harness/sample-fixture.ts'
import { folderRowsOf, type FolderSample } from './folder-sample.ts'
import { folderTableOf } from './folder-table.ts'

function sample(peer: string, figures: Readonly<Record<string, number>>, repeat = 0): FolderSample {
  const { workload, measures } = sampleOf('D1-first', peer, figures)
  return { workload, peer, repeat, measures, version: 'v', settings: 's', profiles: {} }
}

test('a line for each metric, a column for each tool, and what plait is of the rsync daemon in the same repeats', () => {
  const samples = [
    sample('rsync', { wall: 1, orphans: 0 }),
    sample('plait', { wall: 1.5, orphans: 0 }),
    sample('rsync', { wall: 2, orphans: 0 }, 1),
    sample('plait', { wall: 4, orphans: 0 }, 1),
    sample('unison', { wall: 9 }),
  ]
  expect(folderTableOf(folderRowsOf(samples, 1)).split('\n')).toEqual([
    '             rsync  plait  unison  plait/rsync',
    '  wall u     1.50   2.75   9.00    1.75 (1.50-2.00)',
    '  orphans u  0      0      -       -',
  ])
})

test('where the daemon did not run there is no ratio', () => {
  const rows = folderRowsOf([sample('plait', { wall: 1 })], 0.1)
  expect(rows).toMatchObject([{ ratioToRsync: null, ratioMin: null, scale: 0.1, repeats: 1 }])
  expect(folderTableOf(rows).split('\n')).toEqual(['          plait', '  wall u  1.00'])
})
