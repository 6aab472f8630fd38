/**
 * Memory of its own that holds whatever it held before: for bytes that are filled at once, and cost twice if zeroed
 * first.
 */
export function freshBytes(length: number): Uint8Array {
  return Buffer.allocUnsafeSlow(length)
}
