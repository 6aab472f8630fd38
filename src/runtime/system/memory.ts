/**
 * Memory with whatever it held before. To clear 16 MiB takes tens of ms on some machines, before one byte of what was announced has
 * come; like this its pages cost something only as they are filled.
 */
export function allocateUncleared(bytes: number): Uint8Array {
  const { buffer, byteOffset } = Buffer.allocUnsafeSlow(bytes)
  return new Uint8Array(buffer, byteOffset, bytes)
}
