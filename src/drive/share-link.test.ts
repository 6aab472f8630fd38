import fc from 'fast-check'
import { expect, it } from 'vitest'
import { encodeBase32 } from '../base/bytes.ts'
import { PlaitError } from '../base/error.ts'
import { createIdentity } from '../identity/identity.ts'
import { formatShareLink, isDriveId, parseShareLink, type ShareLink } from './share-link.ts'

const { id: nodeId } = createIdentity()
const bytes = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length })
const address = fc.record({
  host: fc.oneof(
    fc.ipV4(),
    fc.domain().filter((name) => name.length < 100),
    fc.constantFrom('::1', 'fd00::2', '2001:db8::5:1'),
  ),
  port: fc.integer({ min: 0, max: 65_535 }),
})
const links: fc.Arbitrary<ShareLink> = fc.record({
  nodeId: fc.constant(nodeId),
  addresses: fc.array(address, { minLength: 1, maxLength: 8 }),
  driveId: bytes(16).map(encodeBase32),
  role: fc.constant('read' as const),
  secret: bytes(32),
})
const link: ShareLink = {
  nodeId,
  addresses: [
    { host: '192.168.1.5', port: 7001 },
    { host: '::1', port: 7001 },
  ],
  driveId: encodeBase32(new Uint8Array(16).fill(9)),
  role: 'read',
  secret: new Uint8Array(32).fill(200),
}
const text = formatShareLink(link)

function problemOf(candidate: string): unknown {
  try {
    parseShareLink(candidate)
    return 'none'
  } catch (error) {
    if (!PlaitError.is(error) || error.code !== 'INVALID_LINK') throw error
    return error.facts['problem']
  }
}

it('reads back what it writes', () => {
  expect(text).toMatch(
    /^plait:\/\/[a-z2-7]{52}@192\.168\.1\.5:7001,\[::1\]:7001\/d\/[a-z2-7]{26}#r\.[a-z2-7]{52}\.[a-z2-7]{7}$/,
  )
  fc.assert(
    fc.property(links, (sample) => {
      expect(parseShareLink(`  ${formatShareLink(sample)}\n`)).toEqual(sample)
    }),
  )
})

it('refuses every single mistyped character', () => {
  const alphabet = 'abcxyz279AZ0189-._~:/@#,[]% é\u{1f600}'
  let mutants = 0
  for (let index = 0; index < text.length; index += 1) {
    for (const character of alphabet) {
      if (character === text[index] || (character === ' ' && (index === 0 || index === text.length - 1))) continue
      mutants += 1
      expect(problemOf(text.slice(0, index) + character + text.slice(index + 1)), `${character} at ${index}`).not.toBe(
        'none',
      )
    }
  }
  expect(mutants).toBeGreaterThan(text.length * 28)
})

it('refuses every swap of neighbours, and every character left out or typed twice', () => {
  for (let index = 0; index < text.length; index += 1) {
    const [first, second] = [text.charAt(index), text.charAt(index + 1)]
    const swapped = text.slice(0, index) + second + first + text.slice(index + 2)
    if (second !== '' && first !== second) expect(problemOf(swapped)).not.toBe('none')
    expect(problemOf(text.slice(0, index) + text.slice(index + 1))).not.toBe('none')
    expect(problemOf(text.slice(0, index) + first + text.slice(index))).not.toBe('none')
  }
})

it('says that a link is cut off, wherever it is cut', () => {
  for (let length = 'plait://'.length; length < text.length; length += 1)
    expect(problemOf(text.slice(0, length)), `${length}`).toBe('cut-off')
})

it('says that something else is not a share link', () => {
  for (const other of [
    '',
    'hello',
    'https://example.org/',
    './photos',
    'plait:/',
    `PLAIT${text.slice(5)}`,
    'x'.repeat(5_000),
  ])
    expect(problemOf(other)).toBe('foreign')
  expect(problemOf(`plait://${'a'.repeat(10_000)}`)).toBe('foreign')
  expect(problemOf(text.slice(0, -1) + (text.endsWith('a') ? 'b' : 'a'))).toBe('mistyped')
  expect(problemOf(`${text}x`)).toBe('mistyped')
})

it('says that a role is of a later version', () => {
  const later = formatShareLink({ ...link, role: 'wxyz' as 'read' })
  expect(problemOf(later)).toBe('role')
})

it('tells of no secret in its errors', () => {
  const secret = encodeBase32(link.secret)
  for (const broken of [text.slice(0, -1), `${text}x`, text.replace('/d/', '/e/')]) {
    expect(() => parseShareLink(broken)).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining(secret) as string }) as Error,
    )
  }
})

it('knows drive ids', () => {
  expect(isDriveId(link.driveId)).toBe(true)
  for (const other of [
    '',
    'a',
    '__proto__',
    link.driveId.toUpperCase(),
    `${link.driveId}a`,
    `${link.driveId.slice(0, -1)}b`,
  ])
    expect(isDriveId(other)).toBe(false)
})
