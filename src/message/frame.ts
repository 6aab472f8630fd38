import { PlaitError } from '../base/error.ts'

/** What a message is. Those from `request` on belong to an exchange. */
export const kinds = {
  /** Wants no answer. `op`: the message type. */
  post: 0,
  /** Wants one answer; its sender says no more than it, but for a reset. `op`: the message type. */
  request: 1,
  /** The answer to a request, and the end of that exchange. */
  response: 2,
  /** Begins a stream, with its first message. `op`: the message type. */
  open: 3,
  /** One more message of a stream. */
  data: 4,
  /** Its sender says no more on this stream. `op` 1: and reads no more. */
  end: 5,
  /** Its sender says no more, and wants to hear no more. Its payload: an error. */
  reset: 6,
  /** `op`: so many more bytes of a stream may be sent. */
  credit: 7,
} as const

export type Kind = (typeof kinds)[keyof typeof kinds]

/** How a payload is packed. */
export const encodings = { identity: 0, gzip: 1, brotli: 2, zstd: 3 } as const

export type EncodingName = Exclude<keyof typeof encodings, 'identity'>
export type Encoding = (typeof encodings)[keyof typeof encodings]

/** The largest number of an exchange; numbers are never used twice. */
export const largestNumber: number = 2 ** 37 - 1

/** What the field `part` of a fragment says of a message. */
export interface MessageHeader {
  readonly kind: Kind
  /** The exchange was begun by who sends this. */
  readonly initiator: boolean
  readonly encoding: Encoding
  /** Which codec has written the payload, 0 to 255. */
  readonly content: number
  readonly number: number
}

const initiatorBit = 0x10
const contentUnit = 2 ** 8
const numberUnit = 2 ** 16
const kindsMax = 7

/** Bits 0-3 kind, 4 initiator, 5-6 encoding, 8-15 content, 16-52 number. */
export function packHeader(
  kind: Kind,
  initiator: boolean,
  number: number,
  content: number,
  encoding: Encoding = 0,
): number {
  return number * numberUnit + content * contentUnit + (encoding << 5) + (initiator ? initiatorBit : 0) + kind
}

/** Throws `PROTOCOL` for what no sender of this version writes. */
export function unpackHeader(part: number): MessageHeader {
  const low = part % numberUnit
  const kind = low & 0x0f
  if (part < 0 || kind > kindsMax || (low & 0x80) !== 0) {
    throw new PlaitError('PROTOCOL', `the other side sent a message with an unknown header ${part}`)
  }
  return {
    kind: kind as Kind,
    initiator: (low & initiatorBit) !== 0,
    encoding: ((low >> 5) & 3) as Encoding,
    content: low >> 8,
    number: (part - low) / numberUnit,
  }
}
