import { encodeBatch } from '../../src/broadcast/batch.ts'
import { signMember } from '../../src/broadcast/membership/member.ts'
import { encodeMessage } from '../../src/broadcast/messages.ts'
import { identityFromPrivateKey, privateKeyFromSeed } from '../../src/identity/identity.ts'

const author = identityFromPrivateKey(privateKeyFromSeed(new Uint8Array(32).fill(1)))
const other = identityFromPrivateKey(privateKeyFromSeed(new Uint8Array(32).fill(2)))
const network = 'main'
const sign = (statement: Uint8Array): Uint8Array => author.sign(statement)

/** What the page has as vectors of topics, as the code makes it. */
export function topicVectors(): ReadonlyMap<string, Uint8Array> {
  const posts = [
    { topic: 'news', payload: Uint8Array.of(0x61, 0x62, 0x63) },
    { topic: 'log', payload: new Uint8Array(0) },
    { topic: 'news', payload: Uint8Array.of(1, 2) },
  ]
  const id = { author: author.id, epoch: 1_000, counter: 7 }
  const { bytes: batch } = encodeBatch({ ...id, isDirect: false, posts }, { network, sign })
  const member = signMember(
    { id: author.id, incarnation: 3, status: 'alive', addresses: ['192.0.2.1:7001'] },
    { network, sign },
  )
  const hand = { ticket: 5, hops: 1, isAgain: false, skipped: [] }
  const region = { from: other.id, to: author.id }
  const runs = [{ first: 7, count: 2 }]
  return new Map([
    ['batch 7 of epoch 1000: abc to news, nothing to log, 0102 to news', batch],
    [
      'PING 9 with what is known of the author',
      encodeMessage('ping', { number: 9, members: [{ ...member, status: 'suspect' }] }),
    ],
    ['RELAY of the batch alone', encodeMessage('relay', { ...hand, region: undefined, batch })],
    [
      'OFFER of it with a region',
      encodeMessage('offer', { ...hand, region, isAgain: true, skipped: [author.id], ...id }),
    ],
    ['TAKEN 5', encodeMessage('taken', { ticket: 5 })],
    ['DONE 5, 2 reached, 1 not', encodeMessage('done', { ticket: 5, reached: 2, missing: 1, unreached: [other.id] })],
    ['PAST 1000', encodeMessage('past', { epoch: 1_000 })],
    ['HAVE 7 and 8', encodeMessage('have', { offers: [{ author: author.id, epoch: 1_000, runs }] })],
    ['SYNC of nobody else', encodeMessage('sync', { hash: 1, isWhole: true, members: [member] })],
  ])
}
