import { expect, test } from 'vitest'
import type { NodeProof, SessionProof } from '../peers/peer.ts'
import type { Sample } from './rows.ts'
import { reasonsVoid } from './validity.ts'

const session: SessionProof = {
  remoteId: '',
  state: 'ready',
  features: ['credit'],
  framesAcknowledged: 3,
  circuits: 1,
  windowBytesMin: 1024,
}

function sample(peer: string, rate: number, changes: Partial<SessionProof> = {}): Sample {
  const node = (id: string, remoteId: string): NodeProof => ({ id, sessions: [{ ...session, remoteId, ...changes }] })
  const proof = peer === 'plait' ? { dial: [node('a', 'b')], listen: [node('b', 'a')] } : { dial: [], listen: [] }
  return {
    workload: 'W3',
    peer,
    repeat: 0,
    scale: 1,
    version: '',
    settings: '',
    proof,
    profile: { dial: [], listen: [] },
    measures: [{ metric: 'rate', unit: 'msg/s', value: rate }],
  }
}

test('a run with a fast baseline and proven sessions holds', () => {
  expect(reasonsVoid([sample('tls', 160), sample('tls-unbatched', 100), sample('plait', 90)])).toEqual([])
})

test('a baseline that gains too little by batching makes the run void', () => {
  expect(reasonsVoid([sample('tls', 159), sample('tls-unbatched', 100)])).toEqual([expect.stringContaining('1.59x')])
})

test('a baseline that is not twice corked protomux makes the run void, and only where that ran', () => {
  expect(reasonsVoid([sample('tls', 200), sample('protomux-corked', 100)])).toEqual([])
  expect(reasonsVoid([sample('tls', 199), sample('protomux-corked', 100)])).toEqual([
    expect.stringContaining('1.99x protomux-corked'),
  ])
  expect(reasonsVoid([sample('tls', 1), sample('protomux', 100)])).toEqual([])
})

test.for<[Partial<SessionProof>, string]>([
  [{ remoteId: 'c' }, 'no mutual authentication'],
  [{ state: 'suspect' }, 'suspect'],
  [{ framesAcknowledged: 0 }, 'nothing acknowledged'],
  [{ windowBytesMin: 0 }, 'without credit'],
  [{ circuits: 0, windowBytesMin: Infinity }, 'no circuit'],
])('a session with %o makes the run void', ([changes, reason]) => {
  expect(reasonsVoid([sample('plait', 1, changes)]).join()).toContain(reason)
})

test('a feature that only one end has makes the run void', () => {
  const { proof, ...rest } = sample('plait', 1)
  const dial = [{ id: 'a', sessions: [{ ...session, remoteId: 'b', features: ['credit', 'resume'] }] }]
  expect(reasonsVoid([{ ...rest, proof: { ...proof, dial } }]).join()).toContain('only one end has resume')
})

test('members of one network may have sessions with each other, and with nobody else', () => {
  const member = (id: string, ...others: string[]): NodeProof => ({
    id,
    sessions: others.map((remoteId) => ({ ...session, remoteId })),
  })
  const of = (peer: string, stranger: string): string[] =>
    reasonsVoid([
      {
        ...sample(peer, 1),
        proof: { dial: [member('a', 'b', 'c'), member('c', 'a', stranger)], listen: [member('b', 'a')] },
      },
    ])
  expect(of('plait-topics', 'a')).toEqual([])
  expect(of('plait-topics', 'd').join()).toContain('no mutual authentication')
  expect(of('plait', 'a').join()).toContain('no mutual authentication')
})
