/** Bytes of SHA-256, of a node of a tree, of a root. */
export const hashBytes = 32

/** What stands before a block, before a pair of nodes, and before the counts and the root of a sealed feed when they are hashed. */
export const leafPrefix = 0x00
export const nodePrefix = 0x01
export const sealPrefix = 0x02

/**
 * The door to SHA-256. Results are written where they are to stand, so that a tree of a million nodes is one buffer and not a million
 * objects. Synchronous; keeps nothing of what it is given.
 */
export interface TreeHash {
  /** Writes SHA-256(0x00 | block) to `out` at `at`. */
  leaf(block: Uint8Array, out: Uint8Array, at: number): void
  /**
   * Writes SHA-256(0x01 | left | right) to `out` at `at`. The children are 32 bytes each, from `leftAt` and `rightAt` on; all may
   * overlap.
   */
  node(left: Uint8Array, leftAt: number, right: Uint8Array, rightAt: number, out: Uint8Array, at: number): void
  /** SHA-256 of `bytes`, fresh. */
  digest(bytes: Uint8Array): Uint8Array
  /** HMAC-SHA-256 (RFC 2104) of `message`, fresh. */
  keyed(key: Uint8Array, message: Uint8Array): Uint8Array
}

/** Whether the 32 bytes at `at` and at `otherAt` are the same. */
export function sameHash(bytes: Uint8Array, at: number, other: Uint8Array, otherAt: number): boolean {
  for (let index = 0; index < hashBytes; index += 1) if (bytes[at + index] !== other[otherAt + index]) return false
  return true
}

/** Copies 32 bytes. A loop: for so few, two views cost more than the bytes. */
export function copyHash(from: Uint8Array, fromAt: number, to: Uint8Array, toAt: number): void {
  for (let index = 0; index < hashBytes; index += 1) to[toAt + index] = from[fromAt + index] as number
}
