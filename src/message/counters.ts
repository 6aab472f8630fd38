/** What the messages of a circuit, or of a node, have come to. All of them only grow; live ones are differences. */
export interface MessageCounters {
  postsSent: number
  postsReceived: number
  requestsSent: number
  requestsReceived: number
  responsesSent: number
  responsesReceived: number
  /** Last words that are errors: of handlers to those who asked. */
  errorsSent: number
  errorsReceived: number
  streamsOpened: number
  streamsClosed: number
  /** Messages of streams after the first. */
  itemsSent: number
  itemsReceived: number
  /** Payloads as they cross, packed. */
  bytesSent: number
  bytesReceived: number
  flushes: number
  heartbeatsSent: number
  heartbeatsReceived: number
  /** Deadlines that have passed, at either end. */
  timeouts: number
  /** Exchanges that the other side gave up. */
  cancelled: number
  /** Answers and other messages that came, or were ready, after their exchange was over. */
  late: number
  /** Messages that nobody handles. */
  unhandled: number
  /** Messages that could not be read. */
  invalid: number
  /** Exchanges beyond the limit. */
  refused: number
  /** Messages of a stream that nobody reads any more, and posts that waited when their circuit failed. */
  dropped: number
}

export function createMessageCounters(): MessageCounters {
  return {
    postsSent: 0,
    postsReceived: 0,
    requestsSent: 0,
    requestsReceived: 0,
    responsesSent: 0,
    responsesReceived: 0,
    errorsSent: 0,
    errorsReceived: 0,
    streamsOpened: 0,
    streamsClosed: 0,
    itemsSent: 0,
    itemsReceived: 0,
    bytesSent: 0,
    bytesReceived: 0,
    flushes: 0,
    heartbeatsSent: 0,
    heartbeatsReceived: 0,
    timeouts: 0,
    cancelled: 0,
    late: 0,
    unhandled: 0,
    invalid: 0,
    refused: 0,
    dropped: 0,
  }
}
