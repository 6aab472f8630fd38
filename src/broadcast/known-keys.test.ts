import { expect, it } from 'vitest'
import { encodeBase32 } from '../base/bytes.ts'
import type { NodeId } from '../identity/node-id.ts'
import { idOf, putKey } from './known-keys.ts'

/** All with the same first bytes, so that they take each other's place. */
function keyOf(last: number): Uint8Array {
  const key = new Uint8Array(32).fill(9)
  key[31] = last
  return key
}

it('gives the id of a key, and the key of an id, whatever came before', () => {
  const out = new Uint8Array(40)
  for (const last of [1, 2, 1, 1, 3, 2]) {
    const key = keyOf(last)
    const id = idOf(key)
    expect(id).toBe(encodeBase32(key))
    expect(putKey(idOf(keyOf(4)), out, 0)).toBe(true)
    expect(putKey(id, out, 4)).toBe(true)
    expect(out.subarray(4, 36)).toEqual(key)
  }
})

it('keeps nothing of the bytes in which a key came', () => {
  const key = keyOf(5)
  const id = idOf(key)
  key[31] = 6
  expect(idOf(keyOf(5))).toBe(id)
  expect(idOf(key)).not.toBe(id)
})

it('refuses what is no key, and what is no id', () => {
  expect(() => idOf(new Uint8Array(32))).toThrow(expect.objectContaining({ code: 'INVALID_KEY' }))
  const out = new Uint8Array(32)
  for (const text of ['', 'a', '1'.repeat(52), idOf(keyOf(1)).slice(1)])
    expect(putKey(text as NodeId, out, 0)).toBe(false)
})
