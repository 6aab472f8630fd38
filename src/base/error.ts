/** What went wrong, as a closed list. Codes are part of the API: each is documented in PROTOCOL.md or ARCHITECTURE.md. */
export type ErrorCode = WireErrorCode | LocalErrorCode

/** Codes that can cross the wire, with their numbers: 0-255 end a session, 256-511 end a circuit. */
export const wireErrorNumbers = {
  PROTOCOL: 1,
  VERSION_MISMATCH: 2,
  LIMIT: 3,
  LINK_LOST: 4,
  PEER_RESTARTED: 5,
  WRONG_KEY: 6,
  WRONG_NETWORK: 7,
  HANDSHAKE_TIMEOUT: 8,
  TOO_MANY_SESSIONS: 9,
  BUDGET: 10,
  GOING_AWAY: 11,
  SELF_DIAL: 12,
  DUPLICATE: 13,
  UNKNOWN_SERVICE: 256,
  FORBIDDEN: 257,
  BUSY: 258,
  NOT_ACCEPTED: 259,
  UNKNOWN_PEER: 260,
  CLOSE_TIMEOUT: 261,
  ABORTED: 262,
  SERVICE_FAILED: 263,
  REASSEMBLY_TIMEOUT: 264,
  NO_HANDLER: 265,
  CANCELLED: 266,
  TIMEOUT: 267,
  HANDLER_FAILED: 268,
  INVALID_MESSAGE: 269,
  UNKNOWN_CODEC: 270,
} as const

export type WireErrorCode = keyof typeof wireErrorNumbers

/** Codes that never leave this process. */
export type LocalErrorCode =
  | 'BUFFER_FULL'
  | 'CIRCUIT_CLOSED'
  | 'CORRUPT'
  | 'FEED_BEHIND'
  | 'FEED_FROZEN'
  | 'FILE_FAILED'
  | 'FRAGMENT_TOO_LARGE'
  | 'INVALID_ADDRESS'
  | 'INVALID_ARGUMENT'
  | 'INVALID_KEY'
  | 'INVALID_LINK'
  | 'KEY_FILE'
  | 'KEY_IN_USE'
  | 'NODE_CLOSED'
  | 'NOT_EMPTY'
  | 'NO_SPACE'
  | 'PATH_REFUSED'
  | 'REMOTE'
  | 'STORE_CLOSED'
  | 'STORE_FAILED'
  | 'STORE_IN_USE'
  | 'SUPERSEDED'
  | 'UNREACHABLE'

/** Small facts that help a program or a person: the limit that was exceeded, both versions, the pid that holds a lock. */
export type ErrorFacts = Readonly<Record<string, string | number | boolean>>

export interface PlaitErrorOptions {
  readonly cause?: unknown
  readonly facts?: ErrorFacts
  /**
   * False for what the other side has caused: where in this process it was noticed helps nobody, and to take the trace costs more than all
   * else that is done with the error, which others can have as many of as they like.
   */
  readonly traced?: boolean
}

const brand = Symbol.for('plait.PlaitError')
const noFacts: ErrorFacts = Object.freeze({})

/** The one error class. `code` says what happened, `facts` carries the details, `cause` keeps what was underneath. */
export class PlaitError extends Error {
  readonly code: ErrorCode
  readonly facts: ErrorFacts

  constructor(code: ErrorCode, message: string, options: PlaitErrorOptions = {}) {
    const { stackTraceLimit } = Error
    if (options.traced === false) Error.stackTraceLimit = 0
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    Error.stackTraceLimit = stackTraceLimit
    this.name = 'PlaitError'
    this.code = code
    this.facts = options.facts ?? noFacts
  }

  static {
    Object.defineProperty(PlaitError.prototype, brand, { value: true })
  }

  /** True for errors of this class, also those of a second copy of the library in the same process. */
  static is(value: unknown): value is PlaitError {
    return typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[brand] === true
  }

  /** The error itself when it is a `PlaitError`, else a new one with `code` that keeps it as its cause. */
  static from(value: unknown, code: ErrorCode): PlaitError {
    if (PlaitError.is(value)) return value
    const message = value instanceof Error ? value.message : String(value)
    return new PlaitError(code, message, { cause: value })
  }
}
