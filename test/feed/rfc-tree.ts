import { createHash } from 'node:crypto'

// RFC 9162, section 2.1, word for word and without any cleverness, to hold the tree of feeds against.

/** MTH(D[n]), section 2.1.1. */
export function treeHash(entries: readonly Uint8Array[]): Uint8Array {
  if (entries.length === 0) return sha256()
  if (entries.length === 1) return sha256(Uint8Array.of(0), entries[0] as Uint8Array)
  const split = splitOf(entries.length)
  return pairHash(treeHash(entries.slice(0, split)), treeHash(entries.slice(split)))
}

/** PATH(m, D[n]), section 2.1.3.1. */
export function inclusionPath(index: number, entries: readonly Uint8Array[]): readonly Uint8Array[] {
  if (entries.length === 1) return []
  const split = splitOf(entries.length)
  if (index < split) return [...inclusionPath(index, entries.slice(0, split)), treeHash(entries.slice(split))]
  return [...inclusionPath(index - split, entries.slice(split)), treeHash(entries.slice(0, split))]
}

export function pairHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256(Uint8Array.of(1), left, right)
}

/** The largest power of two below `length`. */
export function splitOf(length: number): number {
  let split = 1
  while (split * 2 < length) split *= 2
  return split
}

function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return Uint8Array.from(hash.digest())
}
