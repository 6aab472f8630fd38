import { join } from 'node:path'
import { FileWriter } from './file.ts'
import { readBlocks, serveBlocks } from './tls.ts'
import type { FeedTool } from './tool.ts'

/** Copied out of the connection before they are written. */
const pieceBytes = 1024 * 1024

/** The floor of a replication that is kept: raw TLS into one plain file, synced at the end. */
export function createTool(): FeedTool {
  return {
    version: `Node.js ${process.version}`,
    settings: 'blocks from memory over raw TLS 1.3 into one plain file, durable by fdatasync before it is done',
    serve: (_folder, _id, corpus) => serveBlocks(corpus),
    reader: async (folder, _id, corpus) => {
      const file = await FileWriter.create(join(folder, 'blocks'))
      let piece = Buffer.allocUnsafeSlow(pieceBytes)
      let filled = 0
      const flush = (): Promise<void> => {
        const written = file.append([piece.subarray(0, filled)])
        piece = Buffer.allocUnsafeSlow(pieceBytes)
        filled = 0
        return written
      }
      const reader = readBlocks(corpus, (block, isLast) => {
        piece.set(block, filled)
        filled += block.length
        if (isLast) return flush()
        // A rejection ends the process, and with it the run.
        if (filled + block.length > pieceBytes) void flush()
        return undefined
      })
      return {
        get held() {
          return reader.held
        },
        fetch: (address) => reader.fetch(address),
        proof: () => reader.proof(),
        close: () => file.close(),
      }
    },
  }
}
