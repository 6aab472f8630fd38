import { expect, it } from 'vitest'
import { baseName, childPath, linkTargetProblem, parentPath, pathProblem } from './tree-path.ts'

it.each([
  ['', 'is empty'],
  ['/etc/passwd', 'is absolute'],
  ['..', 'has `..` in it'],
  ['../x', 'has `..` in it'],
  ['a/../../b', 'has `..` in it'],
  ['a/..', 'has `..` in it'],
  ['.', 'has `.` in it'],
  ['a/./b', 'has `.` in it'],
  ['a//b', 'has an empty name in it'],
  ['a/', 'has an empty name in it'],
  ['a\0b', 'contains a NUL character'],
  ['a\\b', 'contains a backslash, which is a separator elsewhere'],
  ['..\\x', 'contains a backslash, which is a separator elsewhere'],
  ['.plait', 'has the reserved name `.plait` in it'],
  ['.plait/drive.json', 'has the reserved name `.plait` in it'],
  ['a/.PlAiT/b', 'has the reserved name `.plait` in it'],
  ['x'.repeat(256), 'has a name longer than 255 bytes in it'],
  ['é'.repeat(128), 'has a name longer than 255 bytes in it'],
  [Array.from({ length: 65 }, () => 'a').join('/'), 'is deeper than 64 levels'],
  [Array.from({ length: 5 }, () => 'x'.repeat(205)).join('/'), 'is longer than 1024 bytes'],
])('refuses %j', (path, problem) => {
  expect(pathProblem(path)).toBe(problem)
})

it.each([
  'a',
  '.hidden',
  '...',
  '..a/b..',
  '.plait2',
  'x.plait',
  'new\nline and \x1b[31m escape',
  '__proto__/constructor/toString',
  'CON',
  'ünï/日本語/\u{1f600}',
  'x'.repeat(255),
  'é'.repeat(127),
  Array.from({ length: 64 }, () => 'a').join('/'),
  `${Array.from({ length: 4 }, () => 'x'.repeat(204)).join('/')}/${'y'.repeat(204)}`,
])('takes %j', (path) => {
  expect(pathProblem(path)).toBeUndefined()
})

it.each([
  ['a', '..', 'is a symbolic link that leads out of the folder'],
  ['a/b', '../..', 'is a symbolic link that leads out of the folder'],
  ['a/b', '../../x', 'is a symbolic link that leads out of the folder'],
  ['a', '/etc/passwd', 'is a symbolic link to an absolute path'],
  ['a', 'b/../../x', 'is a symbolic link whose target goes down and up again'],
  ['a/b/c', 'd/../e', 'is a symbolic link whose target goes down and up again'],
  ['a', '', 'is a symbolic link without a target'],
  ['a', 'x\0y', 'is a symbolic link with a NUL character in its target'],
  ['a', 'x'.repeat(5_000), 'is a symbolic link with a target that is too long'],
])('refuses a link at %j to %j', (path, target, problem) => {
  expect(linkTargetProblem(path, target)).toBe(problem)
})

it.each([
  ['a', 'b'],
  ['a', './b'],
  ['a/b', '..'],
  ['a/b', '../c'],
  ['a/b/c', '../../d/e'],
  ['a', '.'],
  ['a', 'does/not/exist/'],
])('takes a link at %j to %j', (path, target) => {
  expect(linkTargetProblem(path, target)).toBeUndefined()
})

it('takes paths apart and puts them together', () => {
  expect([parentPath('a/b/c'), baseName('a/b/c'), childPath('a/b', 'c')]).toEqual(['a/b', 'c', 'a/b/c'])
  expect([parentPath('a'), baseName('a'), childPath('', 'a')]).toEqual(['', 'a', 'a'])
})
