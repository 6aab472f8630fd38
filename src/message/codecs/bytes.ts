import { copySmallBytes } from '../../base/small-bytes.ts'
import { contents } from '../codec.ts'
import type { Codec } from '../codec.ts'

const codec: Codec<Uint8Array> = {
  content: contents.bytes,
  encode: (value) => value,
  decode: copySmallBytes,
}

/**
 * Bytes as they are. Those that are sent belong to the messenger from then on, those that arrive to whoever takes them; short ones
 * may share their `buffer` with others.
 */
export function bytes(): Codec<Uint8Array> {
  return codec
}
