import { PlaitError } from '../base/error.ts'

/** Turns values into bytes and back. The other side must use the same one: its number travels with each message. */
export interface Codec<Value> {
  /** 0 to 3 are bytes, utf8, json and cbor; from 128 up to 255 the application's own; the others are reserved. */
  readonly content: number
  /** The bytes belong to the caller, and must not change afterwards. Throws when the value cannot be written. */
  encode(value: Value): Uint8Array
  /** `bytes` are lent until the call returns. Throws when they are not what `encode` writes. */
  decode(bytes: Uint8Array): Value
}

export const contents = { bytes: 0, utf8: 1, json: 2, cbor: 3 } as const

/** From here up the numbers of codecs are the application's. */
export const applicationContentMin = 128
export const contentMax = 255

/** How many lists and objects JSON and CBOR may nest, in both directions, so that whoever goes through them finds no end of the stack. */
export const depthMax = 128

/** Somebody sent what nests deeper. */
export function deepError(): PlaitError {
  return new PlaitError('INVALID_MESSAGE', `a message with more than ${depthMax} levels`, {
    facts: { limit: depthMax },
  })
}
