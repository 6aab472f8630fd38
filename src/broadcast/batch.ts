import { concatBytes } from '../base/bytes.ts'
import { defaultLimits } from '../base/limits.ts'
import type { NodeId } from '../identity/node-id.ts'
import { publicKeyFromNodeId } from '../identity/node-id.ts'
import type { Verify } from '../identity/signature.ts'
import { malformed, Reader } from '../wire/reader.ts'
import { array, bool, encode, fixed, struct, text, varint, type Schema } from '../wire/schema.ts'
import { nodeId } from './field-schemas.ts'
import { postTable, topicsMax, type PostEntry } from './post-table.ts'

const { broadcastBodyBytes, nameBytes } = defaultLimits

/** By which a batch is known everywhere. */
export interface BatchId {
  readonly author: NodeId
  /** Rises with each start of the author. */
  readonly epoch: number
  /** Counts up from 1 in an epoch. */
  readonly counter: number
}

/** One message of a batch. */
export interface Post {
  readonly topic: string
  /** A view of the batch. */
  readonly payload: Uint8Array
}

/** What an author has published in one turn, or sent to some: it travels, is acknowledged and is offered as one. */
export interface Batch extends BatchId {
  /** For those only to whom the author gives it itself. */
  readonly isDirect: boolean
  /** All of it, as it travels. */
  readonly bytes: Uint8Array
  readonly postCount: number
}

interface BatchFields extends BatchId {
  readonly isDirect: boolean
  readonly topics: readonly string[]
  readonly posts: readonly PostEntry[]
}

const signatureBytes = 64

/** What stands before the payloads of the posts, which follow one behind the other; the author's signature is the end. */
export const batchSchema: Schema<BatchFields> = struct({
  author: nodeId,
  epoch: varint,
  counter: varint,
  isDirect: bool,
  topics: array(text({ max: nameBytes }), { max: topicsMax }),
  posts: postTable,
})

/** What is signed: so that no signature for another purpose is one for a batch, it begins with what it is for, and for whom. */
export const signedBatchSchema: Schema<{ readonly context: Uint8Array; readonly network: string }> = struct({
  context: fixed(16),
  network: text({ max: nameBytes }),
})

/** "plait broadcast" and the version of what follows. */
export const batchContext: Uint8Array = Uint8Array.from([...new TextEncoder().encode('plait broadcast'), 1])

export interface BatchContent extends BatchId {
  readonly isDirect: boolean
  readonly posts: readonly Post[]
}

/** The bytes of a batch, signed for one network. The payloads are copied. */
export function encodeBatch(
  content: BatchContent,
  { network, sign }: { readonly network: string; readonly sign: (statement: Uint8Array) => Uint8Array },
): Batch {
  const { author, epoch, counter, isDirect, posts } = content
  const numberByTopic = new Map<string, number>()
  for (const { topic } of posts) if (!numberByTopic.has(topic)) numberByTopic.set(topic, numberByTopic.size)
  const head = encode(batchSchema, {
    ...{ author, epoch, counter, isDirect },
    topics: [...numberByTopic.keys()],
    posts: posts.map(({ topic, payload }) => ({ topic: numberByTopic.get(topic) ?? 0, bytes: payload.length })),
  })
  const body = concatBytes([head, ...posts.map(({ payload }) => payload)])
  const bytes = concatBytes([body, sign(statementOf(network, body))])
  return { author, epoch, counter, isDirect, bytes, postCount: posts.length }
}

/** Room that posts take in a batch, at most, beside their payloads. */
export function overheadOf(topic: string): number {
  return 8 + topic.length * 3
}

/**
 * Reads what stands in a batch and holds it against the limits, without its signature: see `isSigned`. The bytes are kept, not copied.
 * Throws `PROTOCOL` or `LIMIT`.
 */
export function readBatch(bytes: Uint8Array): Batch {
  const { author, epoch, counter, isDirect, posts } = read(bytes).fields
  return { author, epoch, counter, isDirect, bytes, postCount: posts.length }
}

/** The posts of a batch that `readBatch` has accepted, in the order in which they were published; those for some topics, or all. */
export function postsOf({ bytes }: Batch, isWanted?: (topic: string) => boolean): readonly Post[] {
  const { fields, start } = read(bytes)
  const wanted = fields.topics.map((topic) => isWanted?.(topic) ?? true)
  const posts: Post[] = []
  let at = bytes.byteOffset + start
  for (const { topic, bytes: length } of fields.posts) {
    // Not `subarray`, which costs more.
    if (wanted[topic] === true)
      posts.push({ topic: fields.topics[topic] as string, payload: new Uint8Array(bytes.buffer, at, length) })
    at += length
  }
  return posts
}

/** Whether its author has signed it, for this network. */
export function isSigned({ author, bytes }: Batch, network: string, verify: Verify): boolean {
  const end = bytes.length - signatureBytes
  return verify(publicKeyFromNodeId(author), statementOf(network, bytes.subarray(0, end)), bytes.subarray(end))
}

function read(bytes: Uint8Array): { readonly fields: BatchFields; readonly start: number } {
  const end = bytes.length - signatureBytes
  if (end < 0) throw malformed('a batch without a signature')
  if (bytes.length > batchBytesMax) throw malformed(`a batch of ${bytes.length} bytes`)
  const reader = new Reader(bytes, 0, end)
  const fields = batchSchema.read(reader)
  const length = fields.posts.reduce((sum, post) => sum + post.bytes, 0)
  if (length !== reader.remaining) throw malformed(`posts of ${length} bytes in ${reader.remaining}`)
  if (fields.posts.some(({ topic }) => topic >= fields.topics.length)) throw malformed('a post without a topic')
  if (fields.counter === 0) throw malformed('a batch without a number')
  return { fields, start: end - reader.remaining }
}

function statementOf(network: string, body: Uint8Array): Uint8Array {
  return concatBytes([encode(signedBatchSchema, { context: batchContext, network }), body])
}

/** A body of the largest size, with all that stands around it. */
export const batchBytesMax: number = broadcastBodyBytes + 16 * 1024
