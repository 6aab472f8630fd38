import { expect, it } from 'vitest'
import type { TreeEntry } from './entry.ts'
import { ListingOrder } from './listing-order.ts'

const facts = { mode: 0o644, mtimeNs: 0n }
const file = (path: string): TreeEntry => ({ kind: 'file', path, ...facts, size: 1 })
const directory = (path: string): TreeEntry => ({ kind: 'directory', path, ...facts })
const link = (path: string, target: string): TreeEntry => ({ kind: 'symlink', path, ...facts, target })

function problems(entries: readonly TreeEntry[]): readonly (string | undefined)[] {
  const order = new ListingOrder()
  return entries.map((entry) => order.problem(entry))
}

it('takes a listing in order', () => {
  const entries = [
    directory(''),
    file('.x'),
    directory('a'),
    directory('a/b'),
    file('a/b/c'),
    file('a/c'),
    link('a/d', '../b'),
    directory('b'),
    file('c'),
  ]
  expect(problems(entries)).toEqual(entries.map(() => undefined))
})

it('refuses duplicates, and takes what follows', () => {
  expect(problems([directory(''), file('a'), file('a'), file('b')])).toEqual([
    undefined,
    undefined,
    'comes twice or out of order',
    undefined,
  ])
  expect(problems([directory('a'), directory('a'), file('a/b')])).toEqual([
    undefined,
    'comes twice or out of order',
    undefined,
  ])
})

it('refuses what is in a file, in a link, or in a directory that was not listed', () => {
  const homeless = 'is in a directory that the listing does not have'
  expect(problems([file('a'), file('a/b')])).toEqual([undefined, homeless])
  expect(problems([link('a', 'b'), file('a/b')])).toEqual([undefined, homeless])
  expect(problems([file('a/b')])).toEqual([homeless])
  expect(problems([directory('a'), file('a/b/c')])).toEqual([undefined, homeless])
  expect(problems([directory('a'), directory('b'), file('a/x')])).toEqual([
    undefined,
    undefined,
    'comes twice or out of order',
  ])
})

it('refuses a directory and a file of one name', () => {
  expect(problems([directory('a'), file('a/b'), file('a')])).toEqual([
    undefined,
    undefined,
    'comes twice or out of order',
  ])
})

it('refuses bad paths and targets, one by one', () => {
  expect(problems([file('../x'), file('/x'), file('.plait/x'), link('l', '/etc'), file('m')])).toEqual([
    'has `..` in it',
    'is absolute',
    'has the reserved name `.plait` in it',
    'is a symbolic link to an absolute path',
    undefined,
  ])
})

it('refuses a root that is no directory or comes late', () => {
  expect(problems([file(''), directory(''), directory('')])).toEqual([
    'is the folder itself, and not a directory',
    undefined,
    'is the folder itself, and not the first entry',
  ])
  expect(problems([file('a'), directory('')])[1]).toBe('is the folder itself, and not the first entry')
})

it('treats names of objects as plain names', () => {
  const names = ['__proto__', 'constructor', 'hasOwnProperty', 'toString']
  const entries = names.flatMap((name) => [directory(name), file(`${name}/__proto__`)])
  expect(problems(entries)).toEqual(entries.map(() => undefined))
})
