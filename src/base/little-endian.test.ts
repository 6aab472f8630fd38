import { expect, it } from 'vitest'
import { readUint32, readUint64, writeUint32, writeUint64 } from './little-endian.ts'

it('reads what it has written, little end first', () => {
  const bytes = new Uint8Array(12)
  writeUint32(bytes, 1, 0x8001_02ff)
  expect([...bytes.subarray(0, 6)]).toEqual([0, 0xff, 2, 1, 0x80, 0])
  expect(readUint32(bytes, 1)).toBe(0x8001_02ff)
  for (const value of [0, 1, 2 ** 32 - 1, 2 ** 32, 2 ** 40 + 7, Number.MAX_SAFE_INTEGER]) {
    writeUint64(bytes, 3, value)
    expect(readUint64(bytes, 3)).toBe(value)
    expect(new DataView(bytes.buffer).getBigUint64(3, true)).toBe(BigInt(value))
  }
})
