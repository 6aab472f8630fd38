import fc from 'fast-check'
import { expect, it } from 'vitest'
import { encodeBase32 } from '../base/bytes.ts'
import { PlaitError } from '../base/error.ts'
import { formatDriveLink, parseDriveLink } from '../drive/drive-link.ts'
import { createIdentity } from '../identity/identity.ts'
import { formatFeedId } from './feed-id.ts'
import { formatFeedLink, parseFeedLink, type FeedLink } from './feed-link.ts'

const { id: nodeId } = createIdentity()
const { publicKey } = createIdentity()
const written = formatFeedId({ name: publicKey, isSealed: false })
const link: FeedLink = {
  nodeId,
  addresses: [
    { host: '192.168.1.5', port: 7001 },
    { host: '::1', port: 7001 },
  ],
  feedId: written,
}
const text = formatFeedLink(link)
const shared = formatDriveLink({
  ...link,
  driveId: nodeId,
  role: 'read',
  secret: publicKey,
})

function problemOf(candidate: string): unknown {
  try {
    parseFeedLink(candidate)
    return 'none'
  } catch (error) {
    if (!PlaitError.is(error) || error.code !== 'INVALID_LINK') throw error
    return error.facts['problem']
  }
}

it('reads back what it writes, of feeds that are written and of sealed ones', () => {
  expect(text).toMatch(/^plait:\/\/[a-z2-7]{52}@192\.168\.1\.5:7001,\[::1\]:7001\/f#feed\.[a-z2-7]{52}\.[a-z2-7]{7}$/)
  expect(parseFeedLink(` ${text}\n`)).toEqual(link)
  const sealed = fc.uint8Array({ minLength: 32, maxLength: 32 })
  fc.assert(
    fc.property(sealed, fc.domain(), fc.integer({ min: 1, max: 65_535 }), (name, host, port) => {
      const sample = { nodeId, addresses: [{ host, port }], feedId: formatFeedId({ name, isSealed: true }) }
      expect(parseFeedLink(formatFeedLink(sample))).toEqual(sample)
    }),
  )
})

it('refuses every mistyped character, swap of neighbours, and character left out or typed twice', () => {
  for (let index = 0; index < text.length; index += 1) {
    const [before, first, second, after] = [text.slice(0, index), text.charAt(index), text.charAt(index + 1), index + 1]
    for (const character of 'abcxyz279AZ01-._:/@#,[] ')
      if (character !== first && !(character === ' ' && index === 0))
        expect(problemOf(before + character + text.slice(after)), `${character} at ${index}`).not.toBe('none')
    if (second !== '' && first !== second)
      expect(problemOf(before + second + first + text.slice(after + 1))).not.toBe('none')
    expect(problemOf(before + text.slice(after))).not.toBe('none')
    expect(problemOf(before + first + text.slice(index))).not.toBe('none')
  }
})

it('says that a link is cut off, wherever it is cut', () => {
  for (let length = 'plait://'.length; length < text.length; length += 1)
    expect(problemOf(text.slice(0, length)), `${length}`).toBe('cut-off')
})

it('tells links to feeds from links to folders, from ids, and from what cannot be', () => {
  for (const other of ['', './log', 'https://example.org/', written, shared]) expect(problemOf(other)).toBe('foreign')
  expect(() => parseDriveLink(text)).toThrow(/this is not a link to a shared folder/)
  expect(() => parseFeedLink(shared)).toThrow(/this is not a link to a feed; ask for the one that `plait feed serve`/)
  const smallOrder = formatFeedId({ name: new Uint8Array(32), isSealed: false })
  for (const feedId of [smallOrder, written.replace('feed', 'forest') as typeof written])
    expect(problemOf(formatFeedLink({ ...link, feedId }))).toBe('foreign')
  expect(problemOf(formatFeedLink({ ...link, addresses: [] }))).toBe('foreign')
  expect(problemOf(`${text}x`)).toBe('mistyped')
})

it('tells of no name in its errors', () => {
  for (const broken of [text.slice(0, -1), `${text}x`, text.replace('/f#', '/e#')]) {
    const message = expect.not.stringContaining(encodeBase32(publicKey)) as string
    expect(() => parseFeedLink(broken)).toThrow(expect.objectContaining({ message }) as Error)
  }
})
