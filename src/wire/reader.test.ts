import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeHex, utf8Length, utf8Write } from '../base/bytes.ts'
import { varintLength, writeVarint, writeZigzag, zigzagLength } from '../base/varint.ts'
import { Reader } from './reader.ts'

test('numbers come back as they were written', () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), (value) => {
      const size = Math.abs(value)
      const out = new Uint8Array(varintLength(size) + zigzagLength(value) + 16)
      const end = writeZigzag(out, writeVarint(out, 0, size), value)
      const view = new DataView(out.buffer)
      view.setBigUint64(end, BigInt(size), true)
      view.setBigInt64(end + 8, BigInt(value), true)
      const reader = new Reader(out)
      expect([reader.varint(), reader.zigzag(), reader.u64(), reader.i64()]).toEqual([size, value, size, value])
      reader.finish()
    }),
  )
})

test('fixed numbers are little-endian', () => {
  const reader = new Reader(Uint8Array.of(1, 2, 3, 0xff, 0xff, 0xff, 0xff))
  expect([reader.u8(), reader.u16(), reader.u32()]).toEqual([1, 0x0302, 0xffff_ffff])
})

test('texts come back, and a view is of the same memory', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
      const length = utf8Length(text)
      const out = new Uint8Array(varintLength(length) + length)
      utf8Write(text, out, writeVarint(out, 0, length))
      expect(new Reader(out).text(1_000)).toBe(text)
    }),
  )
  const bytes = Uint8Array.of(1, 2, 3)
  expect(new Reader(bytes, 1, 3).bytes(2).buffer).toBe(bytes.buffer)
})

test.each([
  '80',
  '8000',
  'ff00',
  '8080',
  'ffffffffffffff10',
  'ffffffffffffffff01',
  '80808080808080808001',
  '80'.repeat(100),
])('%s is no varint', (hex) => {
  expect(() => new Reader(decodeHex(hex) as Uint8Array).varint()).toThrow(expect.objectContaining({ code: 'PROTOCOL' }))
})

test.each(['8000', 'ffffffffffffff1f', 'feffffffffffff20', 'feffffffffffffff01'])('%s is no signed varint', (hex) => {
  expect(() => new Reader(decodeHex(hex) as Uint8Array).zigzag()).toThrow(expect.objectContaining({ code: 'PROTOCOL' }))
})

test.each(['0000000000002000', 'ffffffffffffffff', '0000000000000080'])('%s is no safe u64', (hex) => {
  expect(() => new Reader(decodeHex(hex) as Uint8Array).u64()).toThrow(expect.objectContaining({ code: 'PROTOCOL' }))
})

test.each(['0000000000002000', '000000000000e0ff', '0000000000000080'])('%s is no safe i64', (hex) => {
  expect(() => new Reader(decodeHex(hex) as Uint8Array).i64()).toThrow(expect.objectContaining({ code: 'PROTOCOL' }))
})

test('nothing is read beyond the end, even where the memory goes on', () => {
  const memory = new Uint8Array(100)
  const reads: ((reader: Reader) => unknown)[] = [
    (reader) => reader.u16(),
    (reader) => reader.u32(),
    (reader) => reader.u64(),
    (reader) => reader.i64(),
    (reader) => reader.bytes(2),
  ]
  for (const read of reads) {
    expect(() => read(new Reader(memory, 10, 11))).toThrow(expect.objectContaining({ code: 'PROTOCOL' }))
  }
  expect(() => new Reader(memory, 10, 10).u8()).toThrow(expect.objectContaining({ code: 'PROTOCOL' }))
})

test('a length is held against its limit, then against what is there', () => {
  const claim = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f)
  expect(() => new Reader(claim).text(1_000)).toThrow(
    expect.objectContaining({ code: 'LIMIT', facts: { limit: 1_000, claimed: 0xffff_ffff } }),
  )
  expect(() => new Reader(claim).text(Number.MAX_SAFE_INTEGER)).toThrow(expect.objectContaining({ code: 'PROTOCOL' }))
})
