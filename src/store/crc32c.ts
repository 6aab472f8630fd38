/**
 * CRC-32C (Castagnoli, RFC 3720 appendix B.4), eight bytes at a step: "slicing by 8" of M. E. Kounavis and F. L. Berry, 2005.
 *
 * `before` is the CRC of what stands before `bytes[start] .. bytes[end - 1]`, so that parts give the CRC of the whole.
 */
export function crc32c(bytes: Uint8Array, start: number = 0, end: number = bytes.length, before: number = 0): number {
  const table = tables
  let crc = ~before
  let at = start
  for (const last = end - 7; at < last; at += 8) {
    crc ^=
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)
    crc =
      (table[1792 + (crc & 255)] as number) ^
      (table[1536 + ((crc >>> 8) & 255)] as number) ^
      (table[1280 + ((crc >>> 16) & 255)] as number) ^
      (table[1024 + (crc >>> 24)] as number) ^
      (table[768 + (bytes[at + 4] as number)] as number) ^
      (table[512 + (bytes[at + 5] as number)] as number) ^
      (table[256 + (bytes[at + 6] as number)] as number) ^
      (table[bytes[at + 7] as number] as number)
  }
  for (; at < end; at += 1) crc = (table[(crc ^ (bytes[at] as number)) & 255] as number) ^ (crc >>> 8)
  return ~crc >>> 0
}

const reversedPolynomial = 0x82f63b78

/** Eight tables of 256: what a byte does to the CRC when 0 .. 7 bytes follow it. */
const tables: Int32Array = makeTables()

function makeTables(): Int32Array {
  const made = new Int32Array(8 * 256)
  for (let byte = 0; byte < 256; byte += 1) {
    let crc = byte
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (-(crc & 1) & reversedPolynomial)
    made[byte] = crc
  }
  for (let index = 256; index < made.length; index += 1) {
    const shorter = made[index - 256] as number
    made[index] = (made[shorter & 255] as number) ^ (shorter >>> 8)
  }
  return made
}
