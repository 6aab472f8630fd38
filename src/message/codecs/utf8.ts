import { utf8Length, utf8Read, utf8Write } from '../../base/bytes.ts'
import { PlaitError } from '../../base/error.ts'
import { smallBytes } from '../../base/small-bytes.ts'
import { contents } from '../codec.ts'
import type { Codec } from '../codec.ts'

const codec: Codec<string> = { content: contents.utf8, encode: encodeText, decode: decodeText }

/** A text in UTF-8; a lone surrogate is sent as U+FFFD. */
export function utf8(): Codec<string> {
  return codec
}

export function encodeText(text: string): Uint8Array {
  const out = smallBytes(utf8Length(text))
  utf8Write(text, out, 0)
  return out
}

/** Throws `INVALID_MESSAGE` for what is not well-formed. */
export function decodeText(bytes: Uint8Array): string {
  const text = utf8Read(bytes, 0, bytes.length)
  if (text === undefined) throw new PlaitError('INVALID_MESSAGE', 'a text that is not UTF-8')
  return text
}
