import { concatBytes } from '../base/bytes.ts'
import type { TreeHash } from './hash.ts'

/** Bytes of a tag. */
export const feedTagBytes = 32

/** Who shows a tag: the two ends of a channel never show the same one, so that none proves anything by sending back what it got. */
export type TagRole = 'chair' | 'guest'

/**
 * The proof that one knows a feed, without telling which to who does not: HMAC-SHA-256 under the feed's name (the writer's key, or the
 * name of a sealed feed) of what only this channel has. It is another one on every channel and for either end, so that who sees tags
 * cannot tell whether two of them are of one feed. The channel's binding has at least 16 bytes.
 */
export function feedTag(hash: TreeHash, name: Uint8Array, binding: Uint8Array, role: TagRole): Uint8Array {
  return hash.keyed(name, concatBytes([context, Uint8Array.of(role === 'chair' ? 1 : 2), binding]))
}

const context = new TextEncoder().encode('plait feed tag 1')
