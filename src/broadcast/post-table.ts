import { defaultLimits } from '../base/limits.ts'
import { varintLength, writeVarint } from '../base/varint.ts'
import { refuse } from '../wire/field-path.ts'
import { beyond, malformed } from '../wire/reader.ts'
import { array, struct, upTo, type Schema } from '../wire/schema.ts'

const { broadcastBodyBytes } = defaultLimits

/** Of one batch. */
export const postsMax = 4_096
export const topicsMax = 256

/** Which of the topics of its batch a post is for, and the length of its payload. */
export interface PostEntry {
  readonly topic: number
  readonly bytes: number
}

const records = array(struct({ topic: upTo(topicsMax - 1), bytes: upTo(broadcastBodyBytes) }), { max: postsMax })

/**
 * The posts of a batch: their count, and for each the number of its topic and its length. Every member reads those of every message, which
 * by records of fields would cost more than all the rest that is done for it.
 */
export const postTable: Schema<readonly PostEntry[]> = {
  ...records,
  measure(entries) {
    if (entries.length > postsMax) refuse(`${entries.length} posts are more than ${postsMax}`)
    let length = varintLength(entries.length)
    for (const { topic, bytes } of entries) {
      if (topic >= topicsMax || bytes > broadcastBodyBytes) refuse(`a post of ${bytes} bytes for topic ${topic}`)
      length += varintLength(topic) + varintLength(bytes)
    }
    return length
  },
  write(entries, out, offset) {
    let end = writeVarint(out, offset, entries.length)
    for (const { topic, bytes } of entries) end = writeVarint(out, writeVarint(out, end, topic), bytes)
    return end
  },
  read(reader) {
    const count = reader.varint()
    if (count > postsMax) throw beyond(count, postsMax)
    if (count * 2 > reader.remaining) throw malformed(`${count} posts in ${reader.remaining} bytes`)
    const entries: PostEntry[] = []
    for (let index = 0; index < count; index += 1) {
      const topic = reader.varint()
      if (topic >= topicsMax) throw beyond(topic, topicsMax - 1)
      const bytes = reader.varint()
      if (bytes > broadcastBodyBytes) throw beyond(bytes, broadcastBodyBytes)
      entries.push({ topic, bytes })
    }
    return entries
  },
}
