import { describe, expect, it } from 'vitest'
import { encodeBase32 } from '../base/bytes.ts'
import { createIdentity } from './identity.ts'
import { nodeIdFromPublicKey, parseNodeId, publicKeyFromNodeId } from './node-id.ts'

const refused = expect.objectContaining({ code: 'INVALID_KEY' })

describe('node id', () => {
  it('is the key in 52 characters, and the key again', () => {
    const { id, publicKey } = createIdentity()
    expect(id).toMatch(/^[a-z2-7]{52}$/)
    expect(parseNodeId(id)).toBe(id)
    expect(nodeIdFromPublicKey(publicKey)).toBe(id)
    expect(publicKeyFromNodeId(id)).toEqual(publicKey)
  })

  it('has one spelling', () => {
    const { id } = createIdentity()
    const lastUp =
      id.slice(0, -1) + 'abcdefghijklmnopqrstuvwxyz234567'['abcdefghijklmnopqrstuvwxyz234567'.indexOf(id.at(-1)!) + 1]
    for (const text of [
      id.toUpperCase(),
      `${id}=`,
      id.slice(1),
      `${id}a`,
      ` ${id.slice(1)}`,
      id.replace(/.$/, '1'),
      lastUp,
      '',
      'ä'.repeat(52),
    ]) {
      expect(() => parseNodeId(text), text).toThrow(refused)
    }
  })

  it('refuses a value that is no string', () => {
    for (const value of [undefined, null, 7, {}, new Uint8Array(52)])
      expect(() => parseNodeId(value as string)).toThrow(refused)
  })

  it('refuses the points of small order, with either sign', () => {
    for (const hex of [
      '0100000000000000000000000000000000000000000000000000000000000000',
      'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
      '0000000000000000000000000000000000000000000000000000000000000000',
      '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
      'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
    ]) {
      const key = Uint8Array.from(Buffer.from(hex, 'hex'))
      expect(() => nodeIdFromPublicKey(key), hex).toThrow(refused)
      key[31]! |= 0x80
      expect(() => nodeIdFromPublicKey(key), hex).toThrow(refused)
      expect(() => parseNodeId(encodeBase32(key)), hex).toThrow(refused)
    }
  })

  it('refuses y from the prime up, and takes the largest below it that is usable', () => {
    const key = new Uint8Array(32).fill(0xff)
    for (let first = 0xed; first <= 0xff; first += 1) {
      for (const last of [0x7f, 0xff]) {
        key[0] = first
        key[31] = last
        expect(() => nodeIdFromPublicKey(key)).toThrow(refused)
      }
    }
    key[0] = 0xeb
    expect(publicKeyFromNodeId(nodeIdFromPublicKey(key))).toEqual(key)
  })

  it('refuses keys of another length', () => {
    for (const length of [0, 31, 33, 44])
      expect(() => nodeIdFromPublicKey(new Uint8Array(length).fill(9))).toThrow(refused)
  })
})
