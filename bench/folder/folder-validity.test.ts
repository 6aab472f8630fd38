import { expect, test } from 'vitest'
import type { FolderSample } from './folder-sample.ts'
import { folderReasonsVoid } from './folder-validity.ts'

const setting = { isInMemory: true }

function sample(changes: Partial<FolderSample> = {}): FolderSample {
  const measures = [{ metric: 'wire', unit: 'MB', value: 1.1 }]
  return {
    workload: 'D1-first',
    peer: 'plait',
    repeat: 0,
    measures,
    version: 'v',
    settings: '',
    profiles: {},
    ...changes,
  }
}

test('a run in memory, in which at least the files went over the cable, holds', () => {
  expect(folderReasonsVoid([sample({ payloadBytes: 1e6 }), sample({ workload: 'D1-idle' })], setting)).toEqual([])
})

test('a folder on a disk makes the run void', () => {
  expect(folderReasonsVoid([], { isInMemory: false }).join()).toContain('not in memory')
})

test('two versions of a tool make the run void', () => {
  const samples = [sample(), sample({ repeat: 1, version: 'w' }), sample({ peer: 'rsync', version: 'x' })]
  expect(folderReasonsVoid(samples, setting)).toEqual(['plait changed while it was measured: v; w'])
})

test('less on the cable than what nobody can pack makes the run void', () => {
  const reasons = folderReasonsVoid([sample({ payloadBytes: 1_200_000 })], setting)
  expect(reasons).toEqual(['D1-first, plait, repeat 0: less than the files went over the cable'])
})
