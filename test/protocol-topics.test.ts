import { expect, test } from 'vitest'
import { decodeHex, encodeHex } from '../src/base/bytes.ts'
import { isSigned, postsOf, readBatch } from '../src/broadcast/batch.ts'
import { isMemberSigned } from '../src/broadcast/membership/member.ts'
import { broadcastOps, decodeMessage, encodeMessage, type MessageName } from '../src/broadcast/messages.ts'
import { verify } from '../src/identity/signature.ts'
import { topicVectors } from './broadcast/vectors.ts'
import { tableOf } from './protocol/page.ts'

const page = new Map(tableOf('topics', 'hex').map(([what = '', hex = '']) => [what, hex.replaceAll('`', '')]))

function bytesOf(beginning: string): Uint8Array {
  const found = [...page].find(([what]) => what.startsWith(beginning))
  return decodeHex(found?.[1] ?? '') ?? expect.fail(`no vector ${beginning}`)
}

test('topics are signed and written as the vectors say', () => {
  expect([...page]).toEqual([...topicVectors()].map(([what, bytes]) => [what, encodeHex(bytes)]))
})

test('the vectors of messages are read, and written again as they were', () => {
  const messages = [...page].flatMap(([what, hex]) => {
    const [first = ''] = what.split(' ')
    const name = first.toLowerCase()
    const known = Object.keys(broadcastOps).find((one): one is MessageName => one === name)
    return first === first.toUpperCase() && known !== undefined ? [[what, known, hex] as const] : []
  })
  expect(messages).toHaveLength(8)
  for (const [what, name, hex] of messages) {
    const { value } = decodeMessage(broadcastOps[name], decodeHex(hex) as Uint8Array)
    expect([what, encodeHex(encodeMessage(name, value))]).toEqual([what, hex])
  }
})

test('the signatures of the page are over what the page says is signed', () => {
  const batch = readBatch(bytesOf('batch 7'))
  expect(isSigned(batch, 'main', verify)).toBe(true)
  expect(isSigned(batch, 'other', verify)).toBe(false)
  expect(postsOf(batch).map(({ topic, payload }) => `${topic} ${encodeHex(payload)}`)).toEqual([
    'news 616263',
    'log ',
    'news 0102',
  ])
  const sync = decodeMessage(broadcastOps.sync, bytesOf('SYNC'))
  const [member] = sync.name === 'sync' ? sync.value.members : []
  expect(member !== undefined && isMemberSigned(member, 'main', verify)).toBe(true)
})
