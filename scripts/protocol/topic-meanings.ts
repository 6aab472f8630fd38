import type { MessageName } from '../../src/broadcast/messages.ts'

type Meanings = Readonly<Record<string, string>>

export const batchMeanings: Meanings = {
  author: 'who has published it',
  epoch: 'larger than in any earlier life of the author: ms since 1970 when it began',
  counter: 'counts the batches of this epoch, from 1 up',
  isDirect: 'for the receiver alone: it is not handed on, not offered, and taken from its author only',
  topics: 'those of its messages',
  posts: 'of each message the place of its topic among those, and its length',
}

export const signedBatchMeanings: Meanings = {
  context: '"plait broadcast" in ASCII and the byte 1',
  network: 'the name of the network',
}

export const signedMemberMeanings: Meanings = {
  context: '"plait member" in ASCII and the bytes 0, 0, 0, 1',
  network: 'the name of the network',
  id: 'the key of the member',
  incarnation: '',
  isLeaving: 'it goes, and is not to be looked for',
  addresses: 'HOST:PORT, the best first',
}

export const memberMeanings: Meanings = {
  id: '',
  incarnation: 'by which a member contradicts what is said of an earlier one',
  status: 'what the sender believes; suspect and dead need no signature of their own',
  addresses: '',
  signature: 'of the member, over what it has said of itself',
}

const members = 'what the sender has heard of members'
const ticket = 'the one of the RELAY or OFFER that it answers'
const hand: Meanings = {
  ticket: 'a number of the sender, for the answers; in another life it begins elsewhere',
  region: 'the part of the ring that the receiver sees to, strictly between two members; nobody when absent',
  hops: 'through how many members it has come',
  isAgain: 'some of the part may have it: they are sent an OFFER instead',
  skipped: 'members of the part whom the sender sees to',
}
const offers = 'by author and epoch; runs of counters, ascending'

export const topicMeanings: { readonly [Name in MessageName]: Meanings } = {
  ping: { number: 'comes back in the PONG', members },
  pong: { number: 'of the PING, or of the PROBE on whose behalf another member was asked', members },
  probe: { number: 'for the PONG', target: 'the member to be asked' },
  news: { members: 'what has changed' },
  sync: {
    hash: 'FNV-1a of the id, incarnation and status of all that are alive or suspect, in the order of their ids; 0 in an overlay',
    isWhole: 'the sender has not had to forget anybody of late',
    members: 'the sender itself; in an overlay those, too, whom the receiver would keep',
  },
  table: { isWhole: 'as in SYNC', members: 'all that are known; in an overlay those whom the receiver would keep' },
  relay: { ...hand, batch: '' },
  offer: { ...hand, author: '', epoch: '', counter: 'of the batch that is offered' },
  taken: { ticket },
  done: {
    ticket,
    reached: 'how many others of the part have it',
    missing: 'how many have not',
    unreached: 'who they are, as far as there is room; the sender itself when it does not take the batch',
  },
  past: { epoch: 'the last one of the receiver that the sender knows' },
  have: { offers },
  want: { offers },
  batch: { batch: '' },
}
