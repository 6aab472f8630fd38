import { expect, test } from 'vitest'
import type { NodeId } from '../identity/node-id.ts'
import type { GreetingPhase, Word } from './greeting.ts'
import { judge, outlived } from './rivals.ts'
import type { Candidate, Present } from './rivals.ts'

interface LinkFacts {
  readonly epoch?: number
  readonly chair?: boolean
  readonly remoteId?: string
  readonly word?: Word
}

const link = (phase: GreetingPhase, facts: LinkFacts = {}): Candidate => ({
  remoteId: (facts.remoteId ?? 'other') as NodeId,
  phase,
  chair: facts.chair ?? true,
  epoch: Uint8Array.of(facts.epoch ?? 1),
  word: facts.word,
})

const session = (linked: boolean, epoch = 1): Present => ({
  epoch: Uint8Array.of(epoch),
  sessionId: Uint8Array.of(7),
  linked,
})
const claims = (id: number): Word => ({ sessionId: Uint8Array.of(id), receivedFrames: 0 })

test('the chair confirms the first link on which both have greeted', () => {
  const candidate = link('greeted')
  const harmless = [link('greeting'), link('greeted'), link('ended'), link('confirmed', { remoteId: 'another' })]
  expect(judge(candidate, [...harmless, candidate], undefined)).toBe('confirm')
})

test('the chair refuses a second one while the first is being confirmed', () => {
  expect(judge(link('greeted'), [link('confirmed')], undefined)).toBe('refuse')
})

test('where there is a session the chair waits for what the other side has', () => {
  for (const linked of [true, false]) expect(judge(link('greeted'), [], session(linked))).toBe('wait')
})

test('the other side that asks for the session gets it over the newer link, whether or not the older one was missed here', () => {
  for (const linked of [true, false]) {
    expect(judge(link('greeted', { word: claims(7) }), [], session(linked))).toBe('resume')
  }
})

test('a session that the other side does not know is dead without a link, and has to show that it lives with one', () => {
  for (const word of ['none', claims(8)] as const) {
    expect(judge(link('greeted', { word }), [], session(true))).toBe('challenge')
    expect(judge(link('greeted', { word }), [], session(false))).toBe('forgotten')
  }
})

test('another epoch ends what was before', () => {
  for (const chair of [true, false]) {
    expect(judge(link('greeted', { epoch: 2, chair }), [], session(true, 1))).toBe('restarted')
  }
  const [old, other] = [link('confirmed', { epoch: 1 }), link('confirmed', { epoch: 1, remoteId: 'another' })]
  const candidate = link('greeted', { epoch: 2 })
  expect(outlived(candidate, [old, other, candidate, link('greeted')])).toEqual([old])
  expect(judge(candidate, [old], undefined)).toBe('confirm')
})

test('who does not chair says on every link what it has', () => {
  expect(judge(link('greeted', { chair: false }), [link('confirmed', { chair: false })], undefined)).toBe('confirm')
  expect(judge(link('greeted', { chair: false }), [], session(true))).toBe('resume')
})
