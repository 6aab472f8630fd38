import { defaultLimits } from '../../base/limits.ts'
import type { Reader } from '../../wire/reader.ts'
import { array, encode, fixed, struct, text, varint, type Schema } from '../../wire/schema.ts'
import { nodeId, oneOf } from '../field-schemas.ts'
import { addressesMax, memberStatuses, type Member } from './member.ts'

const plain: Schema<Member> = struct({
  id: nodeId,
  incarnation: varint,
  status: oneOf(memberStatuses),
  addresses: array(text({ max: defaultLimits.nameBytes }), { max: addressesMax }),
  signature: fixed(64),
})

/** Of so many members the last record is kept. */
const keptMax = 16_384

interface Kept {
  readonly member: Member
  readonly bytes: Uint8Array
}

/** By the first bytes of the key. */
const keptByKey = new Map<number, Kept>()
const bytesByMember = new WeakMap<Member, Uint8Array>()

/**
 * What is said of a member. The same records come again and again, a dozen in a message: each is read and written once, and is the same
 * object wherever it comes from.
 */
export const memberSchema: Schema<Member> = {
  ...plain,
  measure: (member) => bytesByMember.get(member)?.length ?? plain.measure(member),
  write(member, out, offset) {
    let bytes = bytesByMember.get(member)
    if (bytes === undefined) bytesByMember.set(member, (bytes = encode(plain, member)))
    out.set(bytes, offset)
    return offset + bytes.length
  },
  read(reader) {
    const { source, position } = reader
    const key = keyAt(reader)
    const kept = keptByKey.get(key)
    if (kept !== undefined && isNext(reader, kept.bytes)) {
      reader.position += kept.bytes.length
      return kept.member
    }
    const member = plain.read(reader)
    const bytes = source.slice(position, reader.position)
    bytesByMember.set(member, bytes)
    if (keptByKey.size >= keptMax) keptByKey.clear()
    keptByKey.set(key, { member, bytes })
    return member
  },
}

function keyAt({ source, position }: Reader): number {
  return ((source[position] ?? 0) << 16) | ((source[position + 1] ?? 0) << 8) | (source[position + 2] ?? 0)
}

function isNext({ source, position, end }: Reader, bytes: Uint8Array): boolean {
  if (bytes.length > end - position) return false
  for (let index = 0; index < bytes.length; index += 1) if (source[position + index] !== bytes[index]) return false
  return true
}
