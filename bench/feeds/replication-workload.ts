import { type Measure, scaled } from '../workloads/workload.ts'
import { type Corpus, payloadBytes } from './corpus.ts'
import { type Replicated, replicate } from './replication.ts'
import type { Conditions, FeedResult, FeedWorkload } from './workload.ts'

const small = 100
const large = 64 * 1024

/** As scenario F2b has it. */
const delayMs = 25
const bytesPerSecond = 1e9 / 8

export const replicationWorkloads: readonly FeedWorkload[] = [
  near('R1', { blocks: 100_000, blockBytes: small }),
  near('R2', { blocks: 1_000, blockBytes: large }),
  far('R3', { blocks: 10_000, blockBytes: small }),
  far('R4', { blocks: 1_024, blockBytes: large }),
]

/** Straight over loopback; the bytes on the wire are counted by a run of their own through a relay, once for each tool. */
function near(name: string, full: Corpus): FeedWorkload {
  const relayedByTool = new Map<string, number>()
  return {
    name,
    about: `replicate ${textOf(full)} from a store on disk to an empty one, two processes over loopback`,
    tools: ['tls', 'tls-file', 'hypercore', 'plait'],
    measure: async (tool, { folder, scale, profiled }) => {
      const corpus = { ...full, blocks: scaled(full.blocks, scale) }
      const run = await replicate({ folder, tool, corpus, profiled })
      const relayed =
        relayedByTool.get(tool) ??
        (await replicate({ folder, tool, corpus, profiled: false, relay: { delayMs: 0 } })).relayedBytes
      relayedByTool.set(tool, relayed)
      return resultOf({ ...run, relayedBytes: relayed }, corpus, [])
    },
  }
}

/** Through a relay with a rate, with and without delay. */
function far(name: string, full: Corpus): FeedWorkload {
  return {
    name,
    about: `replicate ${textOf(full)}, through a relay that adds ${delayMs} ms each way and carries 1 Gbit/s; near: the same without the delay`,
    tools: ['tls', 'hypercore', 'plait'],
    measure: async (tool, { folder, scale, profiled }: Conditions) => {
      const corpus = { ...full, blocks: scaled(full.blocks, scale) }
      const way = { folder, tool, corpus }
      const local = await replicate({ ...way, profiled: false, relay: { delayMs: 0, bytesPerSecond } })
      const run = await replicate({ ...way, profiled, relay: { delayMs, bytesPerSecond } })
      return resultOf(run, corpus, [
        { metric: 'near', unit: 's', value: local.seconds },
        {
          metric: 'roundTrips',
          unit: 'more than near',
          value: ((run.seconds - local.seconds) * 1_000) / (2 * delayMs),
        },
        { metric: 'kept', unit: 'of the rate, second half', value: local.secondHalfSeconds / run.secondHalfSeconds },
      ])
    },
  }
}

function resultOf(run: Replicated, corpus: Corpus, more: readonly Measure[]): FeedResult {
  const { blocks } = corpus
  const perBlock = run.relayedBytes / blocks
  return {
    measures: [
      { metric: 'time', unit: 's', value: run.seconds },
      { metric: 'rate', unit: 'blocks/s', value: blocks / run.seconds },
      { metric: 'bytes', unit: 'MB/s', value: payloadBytes(corpus) / 1e6 / run.seconds },
      ...more,
      { metric: 'wire', unit: 'B/block', value: perBlock },
      { metric: 'wireShare', unit: 'of the payload', value: perBlock / corpus.blockBytes },
      { metric: 'cpu', unit: 'µs/block', value: ((run.serve.cpuSeconds + run.fetch.cpuSeconds) * 1e6) / blocks },
      { metric: 'cpuServe', unit: 's', value: run.serve.cpuSeconds },
      { metric: 'cpuFetch', unit: 's', value: run.fetch.cpuSeconds },
      { metric: 'peakServe', unit: 'MiB', value: run.serve.peakMiB },
      { metric: 'peakFetch', unit: 'MiB', value: run.fetch.peakMiB },
      { metric: 'heapServe', unit: 'MiB', value: run.serve.heapMiB },
      { metric: 'heapFetch', unit: 'MiB', value: run.fetch.heapMiB },
    ],
    versions: run.versions,
    links: run.links,
    relayed: { bytes: run.relayedBytes, payloadBytes: payloadBytes(corpus) },
    profiles: { serve: run.serve.profile, fetch: run.fetch.profile },
  }
}

function textOf({ blocks, blockBytes }: Corpus): string {
  return `${blocks.toLocaleString('en')} blocks of ${blockBytes.toLocaleString('en')} B`
}
