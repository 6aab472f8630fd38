import { expect, test } from 'vitest'
import { lossesIn, type Memory } from './lost.ts'

function memory(own: Record<string, string>, written: readonly string[], replaced: readonly string[] = []): Memory {
  return { own: new Map(Object.entries(own)), written: new Set(written), replaced: new Set(replaced) }
}

const near = memory({ 'near/a': 'near-1' }, ['near-0', 'near-1', 'near-2'], ['near-0'])
const far = memory({}, ['far-0'], ['near-2'])

test('what is there under its name, or was seen by who replaced it, is not lost', () => {
  const marks = new Map([
    ['near/a', 'near-1'],
    ['both/b', 'far-0'],
  ])
  expect(lossesIn(marks, [near, far])).toEqual([])
})

test.for<[string, Record<string, string | undefined>, string]>([
  [
    'an older version',
    { 'near/a': 'near-0', 'both/b': 'far-0', 'both/c': 'near-1' },
    'near/a is near-0 instead of near-1',
  ],
  ['a file that is gone', { 'both/b': 'far-0', 'both/c': 'near-1' }, 'near/a is not there instead of near-1'],
  ['a version that nobody has replaced', { 'near/a': 'near-1' }, 'far-0 is nowhere, and nobody has replaced it'],
  ['a torn file', { 'near/a': 'near-1', 'both/b': 'far-0', 'both/c': undefined }, 'both/c is torn'],
])('%s is told', ([, tree, loss]) => {
  expect(lossesIn(new Map(Object.entries(tree)), [near, far])).toEqual([loss])
})
