import type { WireErrorCode } from '../../src/base/error.ts'
import type { FeedMessageName } from '../../src/feed/messages.ts'

// What the fields mean, in words; the tables themselves follow from the schemas. A field without words is an error, and so are
// words without a field.

type Meanings = Readonly<Record<string, string>>

export const helloMeanings: Meanings = {
  version: 'the versions of this page that are spoken',
  'version.min': 'the lowest one',
  'version.max': 'the highest one',
  epoch: 'which run of the program this is: random, new with each start',
  agent: 'which implementation speaks; for people',
  application: 'what the application calls itself; for people',
  'application.name': '',
  'application.version': '',
  limits: 'what this side takes',
  'limits.frameBytes': 'the largest body of a frame; at least 16384',
  'limits.windowBytes':
    'the credit of each channel that the other side opens, until CREDIT or ACCEPT says more; at least 16384',
  'limits.fragmentBytes': 'the largest payload of a fragment',
  'limits.circuits': 'how many live channels a session may have, whoever has opened them',
  features: 'what is spoken beyond that; unknown names are skipped, and version 1 demands none',
  addresses: 'where this node can be dialled, as HOST:PORT; a hint',
  network: 'the proof of a private network; absent when the sender is in none',
}

export const readyMeanings: Meanings = {
  role: '1 when the sender has dialled this link, 2 when it has not',
  binding: 'the binding of this link',
}

export const resumeMeanings: Meanings = {
  proof: 'role and binding, as in READY: those of this link',
  sessionId: 'which session: the first 16 bytes of the binding of the link on which it began',
  epoch: "the sender's, the same as in its HELLO",
  remoteEpoch: "the receiver's, as the sender knows it",
  receivedFrames: 'how many numbered frames of this session the sender has taken',
}

export const openMeanings: Meanings = {
  grant: 'how many bytes of frames the acceptor may send in all',
  kind: '0: a circuit; 1: only a new instance of the service, no circuit',
  service: 'the service that is asked for',
  peerId: 'which instance; empty: the running one, else a new one',
  version: 'the version of the service that is asked for; 0: any',
  sourceService: 'the name of the peer that asks; empty when there is none',
  sourcePeerId: 'its id; empty when there is none',
}

export const acceptMeanings: Meanings = {
  grant: 'how many bytes of frames the opener may send in all, those before ACCEPT among them',
  service: 'the name of the peer that has taken the circuit',
  peerId: 'its id',
}

export const closeMeanings: Meanings = {
  code: "the application's reason; 0 and no message: none was given",
  message: '',
}

const feedNumber = 'the number that the sender has given the feed'

export const feedMeanings: { readonly [Name in FeedMessageName]: Meanings } = {
  open: { feed: 'the number that the sender gives the feed from now on', tag: 'shows that the sender knows the feed' },
  close: { feed: feedNumber },
  head: {
    feed: feedNumber,
    fork: 'how often the writer has truncated the feed; 0 for a sealed one',
    length: 'in blocks',
    bytes: 'of all blocks together',
    root: 'of the tree over them',
    signature: "the writer's, over the head; absent for a sealed feed",
    known: 'the length of the receiver from which the nodes lead to this one',
    nodes: 'a proof without ranges from there; absent when they follow with the next PROOF',
  },
  info: {
    feed: feedNumber,
    fork: 'the one that the sender is on',
    length: 'up to which the sender can verify what it gets',
    first: 'the first block that it keeps; those before it are not wanted any more',
    contiguous: 'up to which it has all blocks from there on',
    flags: 'the sum of 1, it answers requests, and 2, it follows: new blocks are to be sent unasked',
  },
  have: { feed: feedNumber, runs: 'blocks that the sender has, within what the receiver wants to know of' },
  unhave: { feed: feedNumber, runs: 'blocks that it has no longer' },
  want: { feed: feedNumber, start: 'the first block that the sender wants to know of', end: 'the one behind the last' },
  unwant: {
    feed: feedNumber,
    start: 'the first block of which nothing more is to be said',
    end: 'the one behind the last',
  },
  request: {
    feed: feedNumber,
    request: "counts the sender's requests for this feed, from 1 up",
    fork: 'the one that the sender is on',
    known: 'the length whose peaks the sender knows',
    runs: 'the blocks that it asks for',
    bytes: 'how many bytes of blocks it takes; one block is answered at least',
  },
  cancel: { feed: feedNumber, request: 'the request of the sender that needs no answer any more' },
  refuse: {
    feed: feedNumber,
    request: 'the request of the receiver that gets no further answer',
    reason: '1: the blocks or chunks are not here; 2: too much is asked; 3: the receiver may not have them',
  },
  proof: {
    feed: feedNumber,
    request: 'the request that it answers; 0: none, the receiver follows the feed',
    fork: 'the one of the blocks',
    length: 'the length of the tree in which they are proven',
    known: 'the length known to the receiver that the proof begins with: that of its request, or 0',
    runs: 'the blocks that follow, in order; none: only what leads to the length',
    groupLevel: 'the highest level of the nodes within the runs; absent: those are not in the proof',
    nodes: 'in their order',
    last: 'nothing more is answered to the request behind these blocks',
  },
  data: {
    feed: feedNumber,
    request: 'the request that it answers, or 0',
    blocks: 'the next blocks of the last PROOF of that request',
  },
  fork: {
    feed: feedNumber,
    fork: 'that both heads are on',
    shorterLength: 'of the shorter head, or of either when they are equally long',
    shorterBytes: '',
    shorterRoot: '',
    shorterSignature: '',
    longerLength: 'of the longer one',
    longerBytes: '',
    longerRoot: '',
    longerSignature: '',
    nodes: 'the nodes that make up the longer one, cut at the shorter length',
  },
  summary: { prints: '8 bytes for each bucket, as below' },
  fetch: {
    feed: feedNumber,
    request: "counts on with the sender's REQUESTs for this feed",
    bytes: 'how many bytes of chunks it takes; one chunk is answered at least',
    packings: '1: the answer may be PACKED',
    chunks: 'those that it asks for: SHA-256 of their bytes, and their lengths, as far as it knows them',
  },
  chunks: {
    feed: feedNumber,
    request: 'the request that it answers',
    last: 'nothing more is answered to the request',
    chunks: 'the next ones of those that were asked for, in their order; absent ones among them',
  },
  packed: {
    feed: feedNumber,
    request: 'the request that it answers',
    last: 'nothing more is answered to the request',
    lengths: 'of the next ones of those that were asked for, in their order, unpacked; absent ones among them',
    packed: 'the bytes of all of them, one after the other, in one frame of Zstandard (RFC 8878)',
  },
  extension: { feed: feedNumber, name: 'of the extension; who does not know it drops the message', payload: '' },
}

export const signedHeadMeanings: Meanings = {
  context: '"plait feed head" in ASCII and the byte 1',
  key: "the writer's Ed25519 key",
  fork: '',
  length: 'in blocks',
  bytes: 'of all blocks together',
  root: 'of the tree over them',
}

export const sealMeanings: Meanings = {
  prefix: '2',
  length: 'in blocks',
  bytes: 'of all blocks together',
  root: 'of the tree over them',
}

export const errorMeanings: Meanings = {
  code: 'what went wrong',
  message: 'a sentence for people; a longer one is cut between characters by its sender',
  facts: 'details for programs; no bytes when there are none, else canonical CBOR, as below',
}

export const wireErrorMeanings: Readonly<Record<WireErrorCode, string>> = {
  PROTOCOL: 'the other side sent what this page does not allow',
  VERSION_MISMATCH: 'no common version of the protocol, a service or a codec',
  LIMIT: 'a length, count or rate beyond its limit; the facts say which',
  LINK_LOST: 'the link is gone, and the session with it: no other one came in time, or the other side no longer has it',
  PEER_RESTARTED: 'the other process is a new one',
  WRONG_KEY: 'another node answered than the one that was dialled, or it speaks on another channel',
  WRONG_NETWORK: 'the other side is not in this private network, or this one is not in its',
  HANDSHAKE_TIMEOUT: 'the other side was not ready in time',
  TOO_MANY_SESSIONS: 'this node takes no more sessions now',
  BUDGET: 'the memory for what the other side sent is used up',
  GOING_AWAY: 'this node is closing, or the dialler has given up',
  SELF_DIAL: 'a node dialled itself',
  DUPLICATE: 'these two nodes have chosen another link',
  UNKNOWN_SERVICE: 'no service of this name is registered',
  FORBIDDEN: 'the service does not allow it to this node',
  BUSY: 'too many circuits wait to be accepted, or are open',
  NOT_ACCEPTED: 'nobody took the circuit in time',
  UNKNOWN_PEER: 'no such peer runs here',
  CLOSE_TIMEOUT: 'the rest of a closing circuit could not be sent in time',
  ABORTED: 'the other side gave up at once',
  SERVICE_FAILED: "the service's function threw",
  REASSEMBLY_TIMEOUT: 'the pieces of a large fragment stopped coming',
  NO_HANDLER: 'nobody handles messages of this type here',
  CANCELLED: 'the other side wants no more of this exchange',
  TIMEOUT: 'the deadline of an exchange has passed',
  HANDLER_FAILED: 'the handler of a message has thrown',
  INVALID_MESSAGE: 'a message that its codec cannot read or its schema does not accept',
  UNKNOWN_CODEC: 'a message by another codec, or packed in another way, than this side reads',
}
