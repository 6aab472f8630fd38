import { bytesEqual } from '../base/bytes.ts'
import { PlaitError } from '../base/error.ts'
import type { Identity } from '../identity/identity.ts'
import type { Verify } from '../identity/signature.ts'
import { encode, fixed, hash, struct, u64, type Schema } from '../wire/schema.ts'
import { lengthMax } from './numbering.ts'

/** What a writer says of its feed: all blocks up to `length`, and with them their number, their bytes and their order. */
export interface Head {
  /** The writer's Ed25519 key, which names the feed. */
  readonly key: Uint8Array
  /** Counts how often the writer has truncated its feed, which is the only way to take a block back. */
  readonly fork: number
  /** In blocks. */
  readonly length: number
  /** Of all blocks together. */
  readonly bytes: number
  /** Of the tree over all blocks. */
  readonly root: Uint8Array
}

/** A head and the writer's signature over it, 64 bytes. */
export interface SignedHead extends Head {
  readonly signature: Uint8Array
}

/** What is signed: so that no signature for another purpose is one for a head, it begins with what it is for. */
export const signedHeadSchema: Schema<Head & { readonly context: Uint8Array }> = struct({
  context: fixed(16),
  key: fixed(32),
  fork: u64,
  length: u64,
  bytes: u64,
  root: hash,
})

/** "plait feed head" and the version of what follows. */
export const headContext: Uint8Array = Uint8Array.from([...new TextEncoder().encode('plait feed head'), 1])

/** Signs a head with the key of its feed. The blocks must be on the disk by then. */
export function signHead(writer: Pick<Identity, 'publicKey' | 'sign'>, head: Omit<Head, 'key'>): SignedHead {
  const { fork, length, bytes, root } = head
  const whole: Head = { key: writer.publicKey, fork, length, bytes, root }
  return { ...whole, signature: writer.sign(signedBytes(whole)) }
}

/**
 * Throws `PROTOCOL` for a head that cannot be, and `CORRUPT` for one that the holder of its key has not signed. Nothing that a head
 * says may be used before.
 */
export function checkHead(verify: Verify, head: SignedHead): void {
  if (head.length > lengthMax) {
    throw new PlaitError('PROTOCOL', `a feed of ${head.length} blocks is longer than any may be`, { traced: false })
  }
  if (!verify(head.key, signedBytes(head), head.signature)) {
    throw new PlaitError('CORRUPT', 'a head that the writer of the feed has not signed', { traced: false })
  }
}

/** Whether the writer has signed two heads of one length and fork that differ: it has forked, and both together prove it. */
export function headsConflict(one: Head, other: Head): boolean {
  return (
    bytesEqual(one.key, other.key) &&
    one.fork === other.fork &&
    one.length === other.length &&
    !(one.bytes === other.bytes && bytesEqual(one.root, other.root))
  )
}

/** Whether a head comes after another one, or there is none yet: on a larger fork, or longer on the same. */
export function isLaterHead(
  one: Pick<Head, 'fork' | 'length'>,
  than: Pick<Head, 'fork' | 'length'> | undefined,
): boolean {
  return than === undefined || one.fork > than.fork || (one.fork === than.fork && one.length > than.length)
}

function signedBytes({ key, fork, length, bytes, root }: Head): Uint8Array {
  return encode(signedHeadSchema, { context: headContext, key, fork, length, bytes, root })
}
