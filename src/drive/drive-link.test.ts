import fc from 'fast-check'
import { expect, it } from 'vitest'
import { encodeBase32 } from '../base/bytes.ts'
import { PlaitError } from '../base/error.ts'
import { formatGroupLink } from '../causal/group-link.ts'
import { createIdentity } from '../identity/identity.ts'
import { driveLinkOf, formatDriveLink, groupLinkOf, parseDriveLink, type DriveLink } from './drive-link.ts'

const { id: nodeId } = createIdentity()
const { id: driveId } = createIdentity()
const address = fc.record({
  host: fc.oneof(
    fc.ipV4(),
    fc.domain().filter((name) => name.length < 100),
    fc.constantFrom('::1', 'fd00::2', '2001:db8::5:1'),
  ),
  port: fc.integer({ min: 0, max: 65_535 }),
})
const links: fc.Arbitrary<DriveLink> = fc.record({
  nodeId: fc.constant(nodeId),
  addresses: fc.array(address, { minLength: 1, maxLength: 8 }),
  driveId: fc.constant(driveId),
  role: fc.constantFrom('read', 'write', 'admin'),
  secret: fc.uint8Array({ minLength: 32, maxLength: 32 }),
})
const link: DriveLink = {
  nodeId,
  addresses: [
    { host: '192.168.1.5', port: 7001 },
    { host: '::1', port: 7001 },
  ],
  driveId,
  role: 'read',
  secret: new Uint8Array(32).fill(200),
}
const text = formatDriveLink(link)

function problemOf(candidate: string): unknown {
  try {
    parseDriveLink(candidate)
    return 'none'
  } catch (error) {
    if (!PlaitError.is(error) || error.code !== 'INVALID_LINK') throw error
    return error.facts['problem']
  }
}

it('reads back what it writes', () => {
  expect(text).toMatch(
    /^plait:\/\/[a-z2-7]{52}@192\.168\.1\.5:7001,\[::1\]:7001\/d\/[a-z2-7]{52}#read\.[a-z2-7]{52}\.[a-z2-7]{7}$/,
  )
  fc.assert(
    fc.property(links, (sample) => {
      expect(parseDriveLink(`  ${formatDriveLink(sample)}\n`)).toEqual(sample)
    }),
  )
})

it('is the link of the group that the drive is, in other words', () => {
  const { driveId: groupId, ...rest } = link
  expect(groupLinkOf(text)).toBe(formatGroupLink({ ...rest, groupId }))
  expect(driveLinkOf(groupLinkOf(text))).toBe(text)
  expect(problemOf(groupLinkOf(text))).toBe('foreign')
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
  for (const changed of [{ role: 'owner' as 'read' }, { driveId: driveId.slice(1) }, { secret: new Uint8Array(31) }])
    expect(problemOf(formatDriveLink({ ...link, ...changed })), Object.keys(changed)[0] ?? '').toBe('foreign')
})

it('tells of no secret in its errors', () => {
  const secret = encodeBase32(link.secret)
  for (const broken of [text.slice(0, -1), `${text}x`, text.replace('/d/', '/e/')]) {
    expect(() => parseDriveLink(broken)).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining(secret) as string }) as Error,
    )
  }
})
