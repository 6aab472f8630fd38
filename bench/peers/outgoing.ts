import { keptBytes } from './peer.ts'

/**
 * A message for a library that keeps what it is given: short ones are copied, because their sender's buffer is used again. It is a
 * Buffer where the library asks for one, as grpc-js does: workloads make their long messages as such.
 */
export function outgoing(bytes: Uint8Array, start = 0, end: number = bytes.length): Uint8Array {
  const part = start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end)
  if (part.length >= keptBytes) return part
  const copy = Buffer.allocUnsafe(part.length)
  copy.set(part)
  return copy
}
