import { concatBytes } from '../../src/base/bytes.ts'
import { PlaitError } from '../../src/base/error.ts'
import type { Limits } from '../../src/base/limits.ts'
import { writeVarint } from '../../src/base/varint.ts'
import type { MessageName, RelayMessage } from '../../src/broadcast/messages.ts'
import { encodeMessage } from '../../src/broadcast/messages.ts'
import { nodeId } from '../../src/broadcast/field-schemas.ts'
import { signMember } from '../../src/broadcast/membership/member.ts'
import type { Identity } from '../../src/identity/identity.ts'
import { array, bool, encode, struct, text, varint } from '../../src/wire/schema.ts'
import { keyedIdentity } from '../broadcast/keyed.ts'
import { batchOf, LoneMember, networkName } from '../broadcast/lone-member.ts'
import { capping, closing } from './row.ts'
import type { Outcome, Row } from './row.ts'

const identity = keyedIdentity('lone')
const [author, other] = [keyedIdentity('author'), keyedIdentity('other')]

/** What comes of bytes that a member receives; a circuit that brings what is refused is closed. Others are heard as before. */
function receives(name: MessageName, payload: Uint8Array): Outcome {
  const lone = new LoneMember({ identity, others: [author, other] })
  let outcome: Outcome = { closed: 'nothing' }
  try {
    lone.hearBytes(author, name, payload)
  } catch (error) {
    if (!PlaitError.is(error)) throw error
    outcome = { closed: 'circuit', code: error.code }
  }
  const { length } = lone.delivered
  lone.hear(other, 'batch', { batch: batchOf(other, 1).bytes })
  if (lone.delivered.length !== length + 1) throw new Error('nothing is heard from others any more')
  return outcome
}

/** Laid out as a batch, without its bounds. */
const boundless = struct({
  author: nodeId,
  epoch: varint,
  counter: varint,
  isDirect: bool,
  topics: array(text({ max: 255 }), { max: 1 }),
  posts: array(struct({ topic: varint, bytes: varint }), { max: 1 }),
})

/** One message of so many bytes. */
function batchBytes(amount: number): Uint8Array {
  const posts = [{ topic: 0, bytes: amount }]
  const head = encode(boundless, { author: author.id, epoch: 1, counter: 1, isDirect: false, topics: ['news'], posts })
  return concatBytes([head, new Uint8Array(amount + 64)])
}

/** News of so many members. */
function newsBytes(amount: number): Uint8Array {
  const facts = { id: other.id, incarnation: 0, status: 'alive', addresses: [] } as const
  const member = signMember(facts, { network: networkName, sign: (statement) => other.sign(statement) })
  const one = encodeMessage('news', { members: [member] }).subarray(1)
  const count = new Uint8Array(8)
  const end = writeVarint(count, 0, amount)
  return concatBytes([count.subarray(0, end), ...Array.from({ length: amount }, () => one)])
}

/** Members each of which knows only the next one, so many of them: how many get a message that the first one publishes. */
function passes(amount: number): Outcome {
  const sorted = Array.from({ length: amount + 1 }, (_, index) => keyedIdentity(`in a row ${index}`)).sort(
    (one, next) => (one.id < next.id ? -1 : 1),
  )
  const [publisher, ...row] = sorted as [Identity, ...Identity[]]
  const region = { from: publisher.id, to: publisher.id }
  const { bytes: batch } = batchOf(publisher, 1)
  let message: RelayMessage = { ticket: 1, region, hops: 1, isAgain: false, skipped: [], batch }
  let [kept, from] = [0, publisher]
  for (const [index, member] of row.entries()) {
    const next = row[index + 1]
    const lone = new LoneMember({ identity: member, others: next === undefined ? [] : [next], isWhole: false })
    lone.hear(from, 'relay', message)
    kept += lone.delivered.length
    const [handed] = lone.take('relay')
    if (handed?.value.region === undefined) break
    message = handed.value
    from = member
  }
  return { closed: 'nothing', kept }
}

/** So many authors publish something. */
function hears(amount: number, limits: Partial<Limits>): Outcome {
  const lone = new LoneMember({ identity, others: [author], limits })
  for (let index = 0; index < amount; index += 1) {
    const one = keyedIdentity(`author ${index}`)
    lone.hear(one, 'batch', { batch: batchOf(one, 1).bytes })
  }
  if (lone.delivered.length !== amount) throw new Error(`${amount - lone.delivered.length} are not heard`)
  return { closed: 'nothing', kept: lone.broadcaster.held.authors }
}

/** The last of so many batches of one author comes first: how many of them are still taken for new. */
function tellsApart(amount: number, limits: Partial<Limits>): Outcome {
  const lone = new LoneMember({ identity, others: [author], limits })
  for (let counter = amount; counter > 0; counter -= 1)
    lone.hear(author, 'batch', { batch: batchOf(author, counter).bytes })
  return { closed: 'nothing', kept: lone.delivered.length }
}

const few = 64

/** Topics: what one batch may be, and what is remembered of those that were. */
export const broadcastRows: readonly Row[] = [
  {
    limit: 'broadcastBodyBytes',
    attempt: (amount) => receives('batch', batchBytes(amount)),
    ...closing('circuit', 'LIMIT'),
  },
  { limit: 'broadcastHops', attempt: passes, ...capping },
  { limit: 'broadcastAuthors', limits: { broadcastAuthors: few }, attempt: hears, ...capping },
  { limit: 'broadcastWindow', limits: { broadcastWindow: few }, attempt: tellsApart, ...capping },
  {
    limit: 'broadcastMembersTold',
    attempt: (amount) => receives('news', newsBytes(amount)),
    ...closing('circuit', 'LIMIT'),
  },
]
