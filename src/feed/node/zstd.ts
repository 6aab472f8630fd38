import { PlaitError } from '../../base/error.ts'
import { compress, decompress } from '../../message/compression/zlib.ts'
import type { ChunkPacker } from '../sync/chunk-packer.ts'

/** That of Node. */
export const zstd: ChunkPacker = {
  pack: (bytes) => compress('zstd', bytes),
  unpack(packed, bytesMax) {
    try {
      return decompress('zstd', packed, bytesMax)
    } catch (error) {
      if (PlaitError.is(error)) return undefined
      throw error
    }
  },
}
