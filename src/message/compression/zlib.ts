import {
  brotliCompressSync,
  brotliDecompressSync,
  constants,
  gunzipSync,
  gzipSync,
  zstdCompressSync,
  zstdDecompressSync,
} from 'node:zlib'
import { PlaitError } from '../../base/error.ts'
import { encodings } from '../frame.ts'
import type { Encoding, EncodingName } from '../frame.ts'

/** Larger messages are sent as they are: to pack them would hold the event loop up for longer than a few ms. */
export const packedBytesMax: number = 256 * 1024

type Pack = (bytes: Uint8Array) => Uint8Array
type Unpack = (bytes: Uint8Array, options: { maxOutputLength: number }) => Uint8Array

/** A frame may ask for a window of 128 MiB whatever it holds: one beyond 8 MiB is refused. */
const zstdWindowLog = 23

/** Fast settings: what a message costs is time, more than bytes. */
const packs: Readonly<Record<EncodingName, Pack>> = {
  gzip: (bytes) => gzipSync(bytes, { level: 4 }),
  brotli: (bytes) => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 3 } }),
  zstd: (bytes) => zstdCompressSync(bytes),
}

const unpacks: Readonly<Record<EncodingName, Unpack>> = {
  gzip: gunzipSync,
  brotli: brotliDecompressSync,
  zstd: (bytes, options) =>
    zstdDecompressSync(bytes, { ...options, params: { [constants.ZSTD_d_windowLogMax]: zstdWindowLog } }),
}

export function nameOfEncoding(encoding: Encoding): EncodingName | undefined {
  return (Object.keys(unpacks) as EncodingName[]).find((name) => encodings[name] === encoding)
}

/** `bytes` packed; undefined when that saves nothing. */
export function compress(name: EncodingName, bytes: Uint8Array): Uint8Array | undefined {
  const packed = plain(packs[name](bytes))
  return packed.length < bytes.length ? packed : undefined
}

/** What was packed. Throws `LIMIT` before it becomes more than `bytesMax`, and `INVALID_MESSAGE` for what was not packed so. */
export function decompress(name: EncodingName, bytes: Uint8Array, bytesMax: number): Uint8Array {
  try {
    return plain(unpacks[name](bytes, { maxOutputLength: bytesMax }))
  } catch (error) {
    if (error instanceof RangeError || (error as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE') {
      const facts = { limit: bytesMax }
      throw new PlaitError('LIMIT', `a message that becomes more than ${bytesMax} bytes when it is unpacked`, {
        cause: error,
        facts,
      })
    }
    throw new PlaitError('INVALID_MESSAGE', `a message that is not ${name}`, { cause: error })
  }
}

/** Not a `Buffer`, whose `slice` is no copy. */
function plain({ buffer, byteOffset, length }: Uint8Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, length)
}
