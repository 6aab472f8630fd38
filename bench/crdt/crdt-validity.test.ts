import { expect, test } from 'vitest'
import { sampleOf } from '../harness/sample-fixture.ts'
import { crdtVerdictsOf } from './crdt-aims.ts'
import { crdtRowsOf, type CrdtSample } from './crdt-sample.ts'
import { crdtReasonsVoid } from './crdt-validity.ts'

const pinned = new Map([['yjs', 'yjs 13.6.33']])

function sample(workload: string, peer: string, changes: Partial<CrdtSample> = {}): CrdtSample {
  const version = peer === 'yjs' ? 'yjs 13.6.33, lib0 0.2.120' : 'v'
  const { measures, repeat } = sampleOf(workload, peer, { merge: peer === 'yjs' ? 4 : 2 })
  const facts = { version, settings: '', before: 'b', after: 'a', profile: [] }
  return { workload, peer, repeat, measures, ...facts, ...changes }
}

test('a run in which all began and ended with the same elements holds', () => {
  expect(crdtReasonsVoid([sample('S-merge-1M', 'plait'), sample('S-merge-1M', 'yjs')], pinned)).toEqual([])
})

test('other elements before the clock started, or after a merge, make the run void', () => {
  const plait = sample('S-merge-1M', 'plait')
  const before = crdtReasonsVoid([plait, sample('S-merge-1M', 'yjs', { before: 'c' })], pinned)
  expect(before.join()).toContain('began with other elements')
  const after = crdtReasonsVoid([plait, sample('S-merge-1M', 'yjs', { after: 'c' })], pinned)
  expect(after.join()).toContain('other elements came of it')
})

test('a tool may be given fewer operations than another one, but always as many', () => {
  const [one, other] = [sample('S-local-1M', 'plait'), sample('S-local-1M', 'yjs', { after: 'c' })]
  expect(crdtReasonsVoid([one, other], pinned)).toEqual([])
  expect(crdtReasonsVoid([one, sample('S-local-1M', 'plait', { after: 'c' })], pinned)).toHaveLength(1)
})

test('another version than the pinned one, or two of them, make the run void', () => {
  const reasons = crdtReasonsVoid([sample('S-merge-1M', 'yjs', { version: 'yjs 13.6.330' })], pinned)
  expect(reasons.join()).toContain('instead of yjs 13.6.33')
  const two = [sample('S-merge-1M', 'plait'), sample('S-merge-1M', 'plait', { version: 'w' })]
  expect(crdtReasonsVoid(two, pinned).join()).toContain('changed while it was measured: v; w')
})

test('a row of plait has its ratio to each rival that ran', () => {
  const [row] = crdtRowsOf([sample('S-merge-1M', 'plait'), sample('S-merge-1M', 'yjs')], 1)
  expect(row).toMatchObject({ column: 'plait', median: 2, ratios: { yjs: { median: 0.5, min: 0.5, max: 0.5 } } })
  expect(row?.ratios).not.toHaveProperty('automerge')
})

test('the aim is about members who write in turn', () => {
  const figures = (mean: number): Partial<CrdtSample> => ({ measures: [{ metric: 'mean', unit: 'B', value: mean }] })
  const verdicts = crdtVerdictsOf([
    sample('M-turns', '3 members', figures(25)),
    sample('M-turns-by-chance', '1000 members', figures(25.1)),
    sample('M-tenth', '3 members', figures(100)),
  ])
  expect(verdicts.map(({ workload, holds }) => [workload, holds])).toEqual([
    ['M-turns', true],
    ['M-turns-by-chance', false],
  ])
})
