import { PlaitError } from '../base/error.ts'
import { encode, hash, struct, u64, u8, type Schema } from '../wire/schema.ts'
import { sealPrefix, type TreeHash } from './hash.ts'
import { lengthMax } from './numbering.ts'

/** What is fixed in a sealed feed. */
export interface Seal {
  /** In blocks. */
  readonly length: number
  /** Of all blocks together. */
  readonly bytes: number
  readonly root: Uint8Array
}

/** What is hashed to make a name of it. */
export const sealSchema: Schema<Seal & { readonly prefix: number }> = struct({
  prefix: u8,
  length: u64,
  bytes: u64,
  root: hash,
})

/** The name of a sealed feed: 32 bytes, fresh. */
export function sealedName(treeHash: TreeHash, { length, bytes, root }: Seal): Uint8Array {
  return treeHash.digest(encode(sealSchema, { prefix: sealPrefix, length, bytes, root }))
}

/** Throws `PROTOCOL` for a seal that cannot be and `CORRUPT` for one of another name. Nothing that a seal says may be used before. */
export function checkSeal(treeHash: TreeHash, name: Uint8Array, seal: Seal): void {
  if (seal.length > lengthMax) {
    throw new PlaitError('PROTOCOL', `a feed of ${seal.length} blocks is longer than any may be`, { traced: false })
  }
  const actual = sealedName(treeHash, seal)
  if (name.length !== actual.length || !actual.every((byte, index) => byte === name[index])) {
    throw new PlaitError('CORRUPT', 'counts and root that do not belong to the name of the feed', { traced: false })
  }
}
