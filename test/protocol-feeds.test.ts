import { expect, test } from 'vitest'
import { decodeHex, encodeHex } from '../src/base/bytes.ts'
import { decodeFeedMessage, encodeFeedMessage, feedOps } from '../src/feed/messages.ts'
import type { FeedMessageName } from '../src/feed/messages.ts'
import { identityFromPrivateKey, privateKeyFromSeed } from '../src/identity/identity.ts'
import { verify } from '../src/identity/signature.ts'
import { feedVectors } from './feed/vectors.ts'
import { tableOf } from './protocol/page.ts'

const page = new Map(tableOf('feed', 'hex').map(([what = '', hex = '']) => [what, hex.replaceAll('`', '')]))

test('feeds are hashed, signed, proven and written as the vectors say', () => {
  const vectors = [...feedVectors()].map(([what, bytes]) => [what, encodeHex(bytes)])
  expect([...page]).toEqual(vectors)
})

test('the vectors of messages are read, and written again as they were', () => {
  const messages = [...page].flatMap(([what, hex]) => {
    const [name = ''] = what.split(' ')
    const message = name.toLowerCase() as FeedMessageName
    return name.toUpperCase() === name ? [[what, message, hex] as const] : []
  })
  expect(messages.length).toBeGreaterThanOrEqual(8)
  for (const [what, name, hex] of messages) {
    const { value } = decodeFeedMessage(feedOps[name], decodeHex(hex) as Uint8Array)
    expect([what, encodeHex(encodeFeedMessage(name, value))]).toEqual([what, hex])
  }
})

test('the signature of the page is one over what the page says is signed', () => {
  const writer = identityFromPrivateKey(privateKeyFromSeed(new Uint8Array(32).fill(1)))
  const [signed, signature] = ['what is signed of the head', 'signature of the head of all, fork 0'].map((what) =>
    decodeHex(page.get(what) ?? ''),
  )
  expect(verify(writer.publicKey, signed as Uint8Array, signature as Uint8Array)).toBe(true)
})
