import { PlaitError } from '../../base/error.ts'
import { contents } from '../codec.ts'
import type { Codec } from '../codec.ts'
import { decodeText, encodeText } from './utf8.ts'

/** `JSON.parse` knows no limit, and whoever goes through what it gives would find the end of the stack. */
const depthMax = 512

const codec: Codec<unknown> = { content: contents.json, encode, decode }

/** What JSON can say. Nothing checks that what arrives is a `Value`: see `validated`. */
export function json<Value>(): Codec<Value> {
  return codec as Codec<Value>
}

function encode(value: unknown): Uint8Array {
  let text: string | undefined
  try {
    text = JSON.stringify(value) as string | undefined
  } catch (error) {
    throw new PlaitError('INVALID_ARGUMENT', 'a value that JSON cannot say', { cause: error })
  }
  if (text === undefined) throw new PlaitError('INVALID_ARGUMENT', `JSON has no ${typeof value}`)
  return encodeText(text)
}

function decode(bytes: Uint8Array): unknown {
  if (bytes.length >= 2 * depthMax && isDeep(bytes))
    throw new PlaitError('INVALID_MESSAGE', `a message with more than ${depthMax} levels`, {
      facts: { limit: depthMax },
    })
  try {
    return JSON.parse(decodeText(bytes))
  } catch (error) {
    if (PlaitError.is(error)) throw error
    throw new PlaitError('INVALID_MESSAGE', 'a message that is not JSON', { cause: error })
  }
}

/** Whether brackets outside of texts open more than `depthMax` levels. */
function isDeep(bytes: Uint8Array): boolean {
  let depth = 0
  let inText = false
  for (let index = 0; index < bytes.length; index += 1) {
    const byte = bytes[index]
    if (inText) {
      if (byte === 0x5c) index += 1
      else if (byte === 0x22) inText = false
    } else if (byte === 0x22) inText = true
    else if (byte === 0x5b || byte === 0x7b) {
      depth += 1
      if (depth > depthMax) return true
    } else if (byte === 0x5d || byte === 0x7d) depth -= 1
  }
  return false
}
