import { PlaitError } from '../../base/error.ts'
import { contents, deepError, depthMax } from '../codec.ts'
import type { Codec } from '../codec.ts'
import { backslash, escapedNamesIn, namesIn, namesOf, withNames } from './json-shape.ts'
import { decodeText, encodeText } from './utf8.ts'

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
  const bytes = encodeText(text)
  // Each level takes two bytes.
  if (bytes.length > 2 * depthMax && namesIn(bytes) < 0)
    throw new PlaitError('INVALID_ARGUMENT', `a value with more than ${depthMax} levels cannot be sent`)
  return bytes
}

function decode(bytes: Uint8Array): unknown {
  const names = namesIn(bytes)
  if (names < 0) throw deepError()
  let value: unknown
  try {
    value = parse(bytes)
  } catch (error) {
    if (PlaitError.is(error)) throw error
    throw new PlaitError('INVALID_MESSAGE', 'a message that is not JSON', { cause: error })
  }
  // The parser keeps the last of two, another one keeps the first: whoever checks a message and whoever acts on it may differ.
  if (names > 0 && namesOf(value) !== names)
    throw new PlaitError('INVALID_MESSAGE', 'a message with the same name twice in one object')
  return value
}

/**
 * The engine's parser takes a name that has an escape in it for another one, once it has read that in the same place of another
 * text (`\"` for `\\`: nodejs/node#63785), which anybody may have sent: such texts are parsed with numbers for names.
 */
function parse(bytes: Uint8Array): unknown {
  const names = bytes.includes(backslash) ? escapedNamesIn(bytes) : undefined
  if (names === undefined) return JSON.parse(decodeText(bytes))
  return withNames(JSON.parse(names.numbered), names.names)
}
