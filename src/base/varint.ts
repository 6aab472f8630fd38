/**
 * LEB128 (DWARF 5, section 7.6), little end first, seven bits a byte, shortest form only. Numbers are whole, 0 .. 2^53 - 1; whoever
 * writes has checked that. Reading is `wire/reader.ts`.
 */

/** Bytes of the longest varint, and of the longest zigzag one. */
export const varintBytesMax = 8

/** Bytes that `writeVarint` writes for `value`. */
export function varintLength(value: number): number {
  let length = 1
  for (let bound = 128; value >= bound; bound *= 128) length += 1
  return length
}

/** Writes `value` at `offset` and returns the offset behind it. */
export function writeVarint(out: Uint8Array, offset: number, value: number): number {
  let rest = value
  let at = offset
  // Bit operations know 32 bits only; what is above is divided down.
  while (rest > 0x7fff_ffff) {
    out[at] = (rest % 128) | 0x80
    at += 1
    rest = Math.floor(rest / 128)
  }
  while (rest > 127) {
    out[at] = (rest & 127) | 128
    at += 1
    rest >>>= 7
  }
  out[at] = rest
  return at + 1
}

/** Bytes that `writeZigzag` writes for `value`. */
export function zigzagLength(value: number): number {
  const size = value < 0 ? -value - 1 : value
  return size < 64 ? 1 : 1 + varintLength(Math.floor(size / 64))
}

/**
 * Writes a signed safe integer: the LEB128 of 2n for n >= 0, of -2n - 1 below, computed without leaving the safe integers. Returns
 * the offset behind it.
 */
export function writeZigzag(out: Uint8Array, offset: number, value: number): number {
  const sign = value < 0 ? 1 : 0
  const size = value < 0 ? -value - 1 : value
  const first = (size % 64) * 2 + sign
  if (size < 64) {
    out[offset] = first
    return offset + 1
  }
  out[offset] = first | 128
  return writeVarint(out, offset + 1, Math.floor(size / 64))
}
