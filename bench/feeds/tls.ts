import type { Channel } from '../peers/peer.ts'
import { createTlsPeer } from '../peers/raw/tls-peer.ts'
import { blockOf, type Corpus, numberOf } from './corpus.ts'
import { type FeedReader, type FeedTool, portOf, type Serving } from './tool.ts'

/** The floor of a replication: the row `tls` of the other bench, from memory to nowhere. */
export function createTool(): FeedTool {
  return {
    version: `Node.js ${process.version}`,
    settings: 'blocks from memory over raw TLS 1.3, their order checked, nothing kept',
    serve: (_folder, _id, corpus) => serveBlocks(corpus),
    reader: (_folder, _id, corpus) => Promise.resolve(readBlocks(corpus, () => undefined)),
  }
}

export async function serveBlocks(corpus: Corpus): Promise<Serving> {
  const blocks = Array.from({ length: corpus.blocks }, (_, number) => blockOf(number, corpus))
  const port = await createTlsPeer(true).listen((channel) =>
    channel.receive(() => {
      // A rejection ends the process, and with it the run.
      void send(channel, blocks)
    }),
  )
  return { address: `127.0.0.1:${port}`, ...nothingMore }
}

/** `take` gets each block, lent until it returns; the last call is waited for. */
export function readBlocks(
  { blocks, blockBytes }: Corpus,
  take: (block: Uint8Array, isLast: boolean) => Promise<void> | undefined,
): FeedReader {
  let held = 0
  return {
    get held() {
      return held
    },
    fetch: async (address) => {
      const connection = await createTlsPeer(true).dial(String(portOf(address)))
      const channel = await connection.open()
      await new Promise<void>((resolve, reject) => {
        channel.receive((bytes, start, end) => {
          if (end - start !== blockBytes || numberOf(bytes, start) !== held)
            return reject(new Error(`block ${held} is not what came`))
          held += 1
          const isLast = held === blocks
          const taken = take(bytes.subarray(start, end), isLast)
          if (isLast) Promise.resolve(taken).then(resolve, reject)
        })
        channel.send(new Uint8Array(1))
      })
    },
    ...nothingMore,
  }
}

const nothingMore = { proof: () => Promise.resolve([]), close: () => Promise.resolve() }

async function send(channel: Channel, blocks: readonly Uint8Array[]): Promise<void> {
  for (const block of blocks) if (!channel.send(block)) await channel.ready()
}
