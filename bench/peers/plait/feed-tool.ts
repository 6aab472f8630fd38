import { createNode, type FeedId, feeds, openStore, type PlaitNode } from 'plait'
import type { Corpus } from '../../feeds/corpus.ts'
import type { FeedReader, FeedTool, LinkProof, Serving } from '../../feeds/tool.ts'
import { proveNode } from './node-proof.ts'
import { installedVersion } from './plait-peer.ts'

/** Feeds of plait through its public door, with default options. */
export function createTool(): FeedTool {
  return {
    version: installedVersion(),
    settings: 'default options; TLS 1.3; an append resolves when it is synced to the disk, and so does a download',
    create: async (folder) => {
      const store = await openStore(folder)
      const own = await feeds(undefined, store)
      const feed = await own.create()
      return {
        id: feed.id,
        append: (blocks) => feed.append(blocks.length === 1 ? (blocks[0] as Uint8Array) : blocks),
        close: () => closeAll([own, store]),
      }
    },
    open: async (folder, id) => {
      const store = await openStore(folder)
      const own = await feeds(undefined, store)
      const feed = await own.open(id as FeedId)
      return { length: feed.length, read: (number) => feed.read(number), close: () => closeAll([own, store]) }
    },
    serve,
    reader,
  }
}

async function serve(folder: string, id: string): Promise<Serving> {
  const node = await createNode({ listen: ['tcp://127.0.0.1:0'] })
  const store = await openStore(folder)
  const own = await feeds(node, store)
  await own.open(id as FeedId)
  const address = node.addresses[0]
  if (address === undefined) throw new Error('the node listens nowhere')
  return { address, proof: () => linksOf(node), close: () => closeAll([own, store, node]) }
}

async function reader(folder: string, id: string, { blocks }: Corpus): Promise<FeedReader> {
  const node = await createNode()
  const store = await openStore(folder)
  const own = await feeds(node, store)
  const feed = await own.open(id as FeedId)
  return {
    get held() {
      return feed.contiguousLength
    },
    fetch: async (address) => {
      await own.connect(address)
      await feed.longerThan(blocks - 1)
      await feed.download()
    },
    read: (number) => feed.read(number),
    proof: () => linksOf(node),
    close: () => closeAll([own, store, node]),
  }
}

/** Those sessions that are ready, acknowledge, and whose circuits have credit. */
async function linksOf(node: PlaitNode): Promise<readonly LinkProof[]> {
  const { id, sessions } = await proveNode(node)
  return sessions
    .filter(
      ({ state, framesAcknowledged, windowBytesMin }) =>
        state === 'ready' && framesAcknowledged > 0 && windowBytesMin > 0,
    )
    .map(({ remoteId }) => ({ own: id, remote: remoteId }))
}

/** One after the other: what stands on something is closed before it. */
async function closeAll(all: readonly { close(): Promise<void> }[]): Promise<void> {
  for (const one of all) await one.close()
}
