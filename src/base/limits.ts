const KiB = 1024
const MiB = 1024 * KiB

/** Every bound of the system with its unit, enforced where the header is read, before anything is allocated. */
export interface Limits {
  /** Body of one frame after ready. */
  readonly framePayloadBytes: number
  /** Body of one frame before ready, and all bytes of a link before ready. */
  readonly earlyFrameBytes: number
  readonly earlyTotalBytes: number
  /** From accept to ready, absolute. */
  readonly handshakeTimeoutMs: number
  readonly pendingHandshakes: number
  readonly pendingHandshakesPerAddress: number
  readonly sessions: number
  readonly sessionsPerAddress: number
  readonly circuitsPerSession: number
  readonly unacceptedPerSession: number
  readonly acceptTimeoutMs: number
  /** Resets by the opener before acceptance. */
  readonly earlyResetsPerSecond: number
  /** Credit of one circuit, in bytes of whole frames: the smallest, what the first circuits start with, the largest. */
  readonly windowBytesMin: number
  readonly windowBytesInitial: number
  readonly windowBytesMax: number
  /** How many live circuits of a session start with `windowBytesInitial`; later ones start with `windowBytesMin`. */
  readonly widestCircuits: number
  /** What the application may queue on one circuit: the mark at which `send` says false, and the limit at which it throws. */
  readonly sendBufferMarkBytes: number
  readonly sendBufferBytes: number
  readonly unacknowledgedBytes: number
  readonly unacknowledgedControlBytes: number
  readonly fragmentBytes: number
  readonly fragmentPieces: number
  readonly reservedBytesPerSession: number
  readonly reassemblyTimeoutMs: number
  readonly argCount: number
  readonly argKeyBytes: number
  readonly argValueBytes: number
  readonly argsBytes: number
  readonly subjectBytes: number
  readonly errorMessageBytes: number
  readonly errorFactsBytes: number
  /** Service names, peer ids and other names. */
  readonly nameBytes: number
  readonly noProgressFrames: number
  readonly pingsPerSecond: number
  readonly accountBytes: number
  /** Circuits of a session that give way to its full account; one more, and the session does. */
  readonly budgetResetsPerSecond: number
  readonly budgetBytes: number
  readonly heartbeatMs: number
  readonly idleHeartbeatMs: number
  /** Silent heartbeats after which a link is suspect, and lost. */
  readonly suspectBeats: number
  readonly lostBeats: number
  readonly closeTimeoutMs: number
  readonly unreadErrors: number
  /** Exchanges of messages that live at once on a circuit, for each side; and those that wait at the sender to be begun. */
  readonly requestsInFlight: number
  readonly requestsWaiting: number
  /** Posts of a circuit whose handlers run at once. */
  readonly postsAtOnce: number
  /** What a compressed message may become. */
  readonly inflatedBytes: number
  /** One block of a feed, and how many blocks a feed has at most. */
  readonly feedBlockBytes: number
  readonly feedBlocks: number
  /** Nodes of one proof. */
  readonly proofNodes: number
  /** Ranges of blocks in one message that says what is there, and in one request. */
  readonly feedRuns: number
  readonly requestRuns: number
  /** Feeds that two nodes share over one circuit. */
  readonly sharedFeeds: number
  /** Requests for blocks of one peer that wait to be answered. */
  readonly servedRequests: number
  /** Blocks of one request, however small they are, and bytes of one answer, whatever was asked for. */
  readonly requestBlocks: number
  readonly answerBytes: number
  /** Chunks of one request for chunks. */
  readonly requestChunks: number
  /** Bytes of chunks that come packed together, as they are when they are unpacked. */
  readonly packedChunksBytes: number
  /** What is sent at once to who follows a feed, without being asked for. */
  readonly pushBytes: number
  /** What one peer may send that is of no use, beyond what it has sent that was. */
  readonly uselessBytes: number
  /** Messages of extensions from one peer that are handed on; more are dropped. */
  readonly extensionsPerSecond: number
  /** Places that one peer makes us remember of one feed: what it has, and what it wants to know of. */
  readonly feedExtents: number
  /** Entries of one feed of a group that wait for what they follow. */
  readonly causalPendingBytes: number
  /** Of a group, without those who were removed. */
  readonly groupMembers: number
  /** What is published in one turn, in one batch; a message is no larger. */
  readonly broadcastBodyBytes: number
  /** Members that a batch passes through, one behind the other. */
  readonly broadcastHops: number
  /** Of whom it is remembered what was seen of them, and how many of their last batches are told apart. */
  readonly broadcastAuthors: number
  readonly broadcastWindow: number
  /** Members of which one message tells. */
  readonly broadcastMembersTold: number
  readonly pathBytes: number
  readonly pathComponentBytes: number
  readonly pathDepth: number
}

export const defaultLimits: Limits = Object.freeze({
  framePayloadBytes: 64 * KiB,
  earlyFrameBytes: 4 * KiB,
  earlyTotalBytes: 16 * KiB,
  handshakeTimeoutMs: 5_000,
  pendingHandshakes: 1_024,
  pendingHandshakesPerAddress: 64,
  sessions: 512,
  sessionsPerAddress: 256,
  circuitsPerSession: 16_384,
  unacceptedPerSession: 256,
  acceptTimeoutMs: 10_000,
  earlyResetsPerSecond: 2_000,
  windowBytesMin: 16 * KiB,
  windowBytesInitial: 256 * KiB,
  windowBytesMax: 8 * MiB,
  widestCircuits: 64,
  sendBufferMarkBytes: 1 * MiB,
  sendBufferBytes: 16 * MiB,
  unacknowledgedBytes: 16 * MiB,
  unacknowledgedControlBytes: 256 * KiB,
  fragmentBytes: 16 * MiB,
  fragmentPieces: 4_096,
  reservedBytesPerSession: 32 * MiB,
  reassemblyTimeoutMs: 30_000,
  argCount: 64,
  argKeyBytes: 128,
  argValueBytes: 4 * KiB,
  argsBytes: 16 * KiB,
  subjectBytes: 1 * KiB,
  errorMessageBytes: 1 * KiB,
  errorFactsBytes: 1 * KiB,
  nameBytes: 255,
  noProgressFrames: 100,
  pingsPerSecond: 10,
  accountBytes: 64 * MiB,
  budgetResetsPerSecond: 10,
  budgetBytes: 512 * MiB,
  heartbeatMs: 1_000,
  idleHeartbeatMs: 15_000,
  suspectBeats: 2,
  lostBeats: 3,
  closeTimeoutMs: 30_000,
  unreadErrors: 64,
  requestsInFlight: 4_096,
  requestsWaiting: 65_536,
  postsAtOnce: 4_096,
  inflatedBytes: 4 * MiB,
  feedBlockBytes: 1 * MiB,
  feedBlocks: 2 ** 48,
  proofNodes: 128,
  feedRuns: 4_096,
  requestRuns: 64,
  sharedFeeds: 16_384,
  servedRequests: 64,
  requestBlocks: 65_536,
  answerBytes: 8 * MiB,
  requestChunks: 1_024,
  packedChunksBytes: 256 * 1_024,
  pushBytes: 256 * KiB,
  uselessBytes: 32 * MiB,
  extensionsPerSecond: 1_000,
  feedExtents: 16_384,
  causalPendingBytes: 8 * MiB,
  groupMembers: 1_024,
  broadcastBodyBytes: 64 * KiB,
  broadcastHops: 16,
  broadcastAuthors: 10_000,
  broadcastWindow: 4_096,
  broadcastMembersTold: 256,
  pathBytes: 1_024,
  pathComponentBytes: 255,
  pathDepth: 64,
} satisfies Limits)
