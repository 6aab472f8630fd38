/**
 * The gear table: for each byte 32 bits, by which the place of a cut follows from the bytes before it. It is made by a rule, so that
 * nobody has to trust or copy 256 numbers: `gear[b]` is the finalizer of MurmurHash3 of (b + 1) × 0x9e3779b9, all modulo 2^32. With another
 * table equal files would have other chunks, so that it never changes.
 */
export const gear: Int32Array = Int32Array.from({ length: 256 }, (_none, byte) => mixed(byte))

/** The rule, for any number: also what the bytes of the samples in PROTOCOL.md are made by. */
export function mixed(index: number): number {
  const seed = Math.imul(index + 1, 0x9e37_79b9)
  let bits = Math.imul(seed ^ (seed >>> 16), 0x85eb_ca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2_ae35)
  return bits ^ (bits >>> 16)
}
