/** Numbers of fixed width, little end first. */

export function readUint32(bytes: Uint8Array, offset: number): number {
  return (
    ((bytes[offset] as number) |
      ((bytes[offset + 1] as number) << 8) |
      ((bytes[offset + 2] as number) << 16) |
      ((bytes[offset + 3] as number) << 24)) >>>
    0
  )
}

export function writeUint32(out: Uint8Array, offset: number, value: number): void {
  out[offset] = value
  out[offset + 1] = value >>> 8
  out[offset + 2] = value >>> 16
  out[offset + 3] = value >>> 24
}

/** A whole number in 64 bits; what is beyond 2^53 - 1 loses precision, so whoever reads compares or checks. */
export function readUint64(bytes: Uint8Array, offset: number): number {
  return readUint32(bytes, offset + 4) * 0x1_0000_0000 + readUint32(bytes, offset)
}

/** Writes a whole number, 0 .. 2^53 - 1, in 64 bits. */
export function writeUint64(out: Uint8Array, offset: number, value: number): void {
  writeUint32(out, offset, value % 0x1_0000_0000)
  writeUint32(out, offset + 4, Math.floor(value / 0x1_0000_0000))
}
