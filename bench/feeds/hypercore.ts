import { once } from 'node:events'
import net, { type AddressInfo, type Socket } from 'node:net'
import NoiseSecretStream from '@hyperswarm/secret-stream'
import Hypercore from 'hypercore'
import { installedVersions } from '../peers/installed-version.ts'
import type { Corpus } from './corpus.ts'
import { type FeedReader, type FeedTool, type LinkProof, portOf, type Serving } from './tool.ts'

/** hypercore with the storage it brings, and its own secret-stream over TCP. */
export function createTool(): FeedTool {
  return {
    version: installedVersions('hypercore', 'hypercore-storage', 'rocksdb-native', '@hyperswarm/secret-stream'),
    settings: 'default options; Noise XX over TCP; an append resolves when RocksDB has it, and nothing is ever synced',
    create: async (folder) => {
      const core = new Hypercore(folder)
      await core.ready()
      return {
        id: core.key.toString('hex'),
        append: (blocks) => core.append(blocks.length === 1 ? (blocks[0] as Uint8Array) : blocks),
        close: () => core.close(),
      }
    },
    open: async (folder) => {
      const core = new Hypercore(folder)
      await core.ready()
      return { length: core.length, read: (number) => blockOf(core, number), close: () => core.close() }
    },
    serve,
    reader,
  }
}

async function serve(folder: string): Promise<Serving> {
  const core = new Hypercore(folder)
  await core.ready()
  const streams: NoiseSecretStream[] = []
  const server = net.createServer((socket) => streams.push(join(core, false, socket)))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    proof: () => Promise.resolve(streams.map(proofOf)),
    close: async () => {
      for (const stream of streams) stream.destroy()
      server.close()
      await core.close()
    },
  }
}

async function reader(folder: string, id: string, { blocks }: Corpus): Promise<FeedReader> {
  const core = new Hypercore(folder, Buffer.from(id, 'hex'))
  await core.ready()
  let stream: NoiseSecretStream | undefined
  let held = 0
  core.on('download', () => (held += 1))
  return {
    get held() {
      return held
    },
    fetch: async (address) => {
      stream = join(core, true, net.connect(portOf(address), '127.0.0.1'))
      await core.download({ start: 0, end: blocks }).done()
      if (!(await core.has(0, blocks))) throw new Error('blocks are missing')
    },
    read: (number) => blockOf(core, number),
    proof: () => Promise.resolve(stream === undefined ? [] : [proofOf(stream)]),
    close: async () => {
      stream?.destroy()
      await core.close()
    },
  }
}

function join(core: Hypercore, isInitiator: boolean, socket: Socket): NoiseSecretStream {
  socket.setNoDelay(true)
  const stream = new NoiseSecretStream(isInitiator, socket)
  // The other end goes first when it is done.
  stream.on('error', () => {})
  core.replicate(stream)
  return stream
}

async function blockOf(core: Hypercore, number: number): Promise<Uint8Array> {
  const block = await core.get(number, { wait: false })
  if (block === null) throw new Error(`block ${number} is not there`)
  return block
}

function proofOf({ publicKey, remotePublicKey }: NoiseSecretStream): LinkProof {
  return { own: publicKey?.toString('hex') ?? '', remote: remotePublicKey?.toString('hex') ?? '' }
}
