import { expect, it } from 'vitest'
import { nodeIdFromPublicKey } from '../../identity/node-id.ts'
import { decode, encode } from '../../wire/schema.ts'
import type { Member } from './member.ts'
import { memberSchema } from './member-schema.ts'

const member: Member = {
  id: nodeIdFromPublicKey(new Uint8Array(32).fill(9)),
  incarnation: 300,
  status: 'alive',
  addresses: ['127.0.0.1:1'],
  signature: new Uint8Array(64).fill(5),
}

it('reads a record that comes again as the same object, and each other one as it is', () => {
  const bytes = encode(memberSchema, member)
  const first = decode(memberSchema, bytes)
  expect(first).toEqual(member)
  expect(decode(memberSchema, bytes.slice())).toBe(first)
  const others = [
    { status: 'suspect' },
    { incarnation: 301 },
    { addresses: [] },
    { signature: new Uint8Array(64) },
  ] as const
  for (const change of others) {
    const other = { ...first, ...change }
    expect(decode(memberSchema, encode(memberSchema, other))).toEqual(other)
    expect(decode(memberSchema, bytes)).toEqual(member)
  }
})

it('keeps nothing of the bytes in which a record came', () => {
  const bytes = encode(memberSchema, member)
  const first = decode(memberSchema, bytes)
  bytes.fill(0)
  expect(first).toEqual(member)
  expect(encode(memberSchema, first)).toEqual(encode(memberSchema, { ...member }))
})

it('refuses a record that is cut short, also one that has come before', () => {
  const bytes = encode(memberSchema, member)
  decode(memberSchema, bytes)
  for (const end of [0, 2, 32, bytes.length - 1])
    expect(() => decode(memberSchema, bytes, 0, end)).toThrow(expect.objectContaining({ code: 'PROTOCOL' }))
})
