import { expect, test } from 'vitest'
import { sampleOf } from '../harness/sample-fixture.ts'
import type { FeedSample } from './feed-sample.ts'
import { feedReasonsVoid } from './feed-validity.ts'

const setting = { isInMemory: false, pinned: 'hypercore 11.37.1' }

function sample(workload: string, peer: string, rate: number, changes: Partial<FeedSample> = {}): FeedSample {
  const version = peer === 'hypercore' ? 'hypercore 11.37.1, rocksdb-native 1.0.0' : 'v'
  const { measures } = sampleOf(workload, peer, { rate })
  return { workload, peer, repeat: 0, measures, version, settings: '', versions: [version], profiles: {}, ...changes }
}

const links = { serve: [{ own: 'a', remote: 'b' }], fetch: [{ own: 'b', remote: 'a' }] }

test('a run on a disk, between ends that know each other, holds', () => {
  const samples = [
    sample('A1-awaited', 'file', 100),
    sample('A1-awaited', 'plait', 300),
    sample('R1', 'hypercore', 1, { links, relayed: { bytes: 10, payloadBytes: 10 } }),
    sample('R1', 'plait', 1, { links, relayed: { bytes: 10, payloadBytes: 10 } }),
    sample('R1', 'tls', 1, { links: { serve: [], fetch: [] } }),
  ]
  expect(feedReasonsVoid(samples, setting)).toEqual([])
})

test('a folder in memory makes the run void', () => {
  expect(feedReasonsVoid([], { ...setting, isInMemory: true }).join()).toContain('in memory')
})

test('single appends that are far ahead of a synced file make the run void', () => {
  const samples = [sample('A1-awaited', 'file', 100), sample('A1-awaited', 'plait', 301)]
  expect(feedReasonsVoid(samples, setting).join()).toContain('not synced')
})

test('another version than the pinned one, or two of them, make the run void', () => {
  const other = sample('D1', 'hypercore', 1, { versions: ['hypercore 11.39.5, rocksdb-native 1.0.0'] })
  expect(feedReasonsVoid([other], setting).join()).toContain('instead of hypercore 11.37.1')
  const [one, two] = [sample('D1', 'plait', 1), sample('R1', 'plait', 1, { versions: ['v', 'w'] })]
  expect(feedReasonsVoid([one, two], setting).join()).toContain('changed while it was measured: v; w')
})

test.for<[string, FeedSample['links']]>([
  ['no connection', { serve: [], fetch: [] }],
  ['a stranger', { serve: [{ own: 'a', remote: 'c' }], fetch: links.fetch }],
  ['no keys', { serve: [{ own: '', remote: '' }], fetch: [{ own: '', remote: '' }] }],
  ['one more connection', { serve: [...links.serve, { own: 'a', remote: 'd' }], fetch: links.fetch }],
])('an end that shows %s makes the run void', ([, shown]) => {
  const reasons = feedReasonsVoid([sample('R1', 'plait', 1, shown === undefined ? {} : { links: shown })], setting)
  expect(reasons.join()).toContain('name')
})

test('a relay that has seen less than the blocks makes the run void', () => {
  const samples = [sample('R3', 'plait', 1, { links, relayed: { bytes: 9, payloadBytes: 10 } })]
  expect(feedReasonsVoid(samples, setting).join()).toContain('less than the blocks')
})
