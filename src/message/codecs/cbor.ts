import { decode as decodeCbor } from 'cborg'
import { PlaitError } from '../../base/error.ts'
import { contents, deepError } from '../codec.ts'
import type { Codec } from '../codec.ts'
import { isDeep } from './cbor-depth.ts'
import { CborWriter } from './cbor-writer.ts'

/** After a larger value its memory is let go of. */
const scratchBytesMax = 1024 * 1024

let writer = new CborWriter()

const codec: Codec<unknown> = { content: contents.cbor, encode, decode }

/** What CBOR (RFC 8949) can say: also bytes and large integers. Nothing checks that what arrives is a `Value`: see `validated`. */
export function cbor<Value>(): Codec<Value> {
  return codec as Codec<Value>
}

function encode(value: unknown): Uint8Array {
  try {
    const bytes = writer.write(value)
    if (bytes.length > scratchBytesMax) writer = new CborWriter()
    return bytes
  } catch (error) {
    if (PlaitError.is(error)) throw error
    throw new PlaitError('INVALID_ARGUMENT', 'a value that CBOR cannot say', { cause: error })
  }
}

function decode(bytes: Uint8Array): unknown {
  // The library calls itself for each level, so that a short message could reach the end of the stack.
  if (isDeep(bytes)) throw deepError()
  try {
    return decodeCbor(bytes, { rejectDuplicateMapKeys: true })
  } catch (error) {
    throw new PlaitError('INVALID_MESSAGE', 'a message that is not CBOR', { cause: error })
  }
}
