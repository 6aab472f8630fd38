import type { Corpus } from './corpus.ts'
import type { BenchFolder } from './bench-folder.ts'
import { type EndProcess, withEnds } from './end-process.ts'
import type { Source, Usage } from './order.ts'
import { type RelayOptions, RelayProcess } from './relay-process.ts'
import { floors } from './tool-names.ts'
import { type LinkProof, portOf, throughPort } from './tool.ts'

export interface Replicated {
  readonly seconds: number
  readonly secondHalfSeconds: number
  readonly serve: Usage
  readonly fetch: Usage
  readonly links: { readonly serve: readonly LinkProof[]; readonly fetch: readonly LinkProof[] }
  readonly versions: readonly string[]
  /** 0 without a relay. */
  readonly relayedBytes: number
}

export interface Way {
  readonly folder: BenchFolder
  readonly tool: string
  readonly corpus: Corpus
  /** Everything goes through a relay of this kind. */
  readonly relay?: Omit<RelayOptions, 'targetPort'>
  readonly profiled: boolean
}

/** A small feed goes the same way before the clock starts, over a connection of its own and into a folder of its own. */
const warmUpShare = 0.05

/** A feed from its folder to an empty one, between two processes. Throws when the copy is wrong. */
export async function replicate(way: Way): Promise<Replicated> {
  const { tool, corpus } = way
  const warmUp = { ...corpus, blocks: Math.ceil(corpus.blocks * warmUpShare) }
  return withEnds([tool, tool], async (server, client) => {
    await copy(way, warmUp, server, client)
    return copy(way, corpus, server, client)
  })
}

async function copy(way: Way, corpus: Corpus, server: EndProcess, client: EndProcess): Promise<Replicated> {
  const { folder, tool, profiled } = way
  const source = await sourceOf(folder, tool, corpus)
  const target = folder.empty()
  const { address } = await server.ask('serve', source)
  await client.ask('prepare', { ...source, folder: target })
  const relay = way.relay && (await RelayProcess.start({ ...way.relay, targetPort: portOf(address) }))
  try {
    await Promise.all([server.ask('begin', { profiled }), client.ask('begin', { profiled })])
    const times = await client.ask('fetch', { address: relay ? throughPort(address, relay.port) : address })
    const [serve, fetch] = await Promise.all([server.ask('usage', {}), client.ask('usage', {})])
    const relayedBytes = (await relay?.bytes()) ?? 0
    return { ...times, serve, fetch, relayedBytes, ...(await conclude(server, client)) }
  } finally {
    await relay?.end()
    folder.remove(target)
  }
}

async function conclude(server: EndProcess, client: EndProcess): Promise<Pick<Replicated, 'links' | 'versions'>> {
  await client.ask('verify', {})
  const [serve, fetch] = await Promise.all([server.ask('proof', {}), client.ask('proof', {})])
  const abouts = await Promise.all([server.ask('about', {}), client.ask('about', {})])
  await client.ask('close', {})
  await server.ask('close', {})
  return { links: { serve, fetch }, versions: abouts.map(({ version }) => version) }
}

/** Floors serve from memory. */
function sourceOf(folder: BenchFolder, tool: string, corpus: Corpus): Promise<Source> | Source {
  return floors.includes(tool) ? { folder: '', id: '', corpus } : folder.source(tool, corpus)
}
