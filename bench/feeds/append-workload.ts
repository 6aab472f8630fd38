import { scaled } from '../workloads/workload.ts'
import { payloadBytes } from './corpus.ts'
import { withEnds } from './end-process.ts'
import type { FeedWorkload } from './workload.ts'

const tools = ['file', 'hypercore', 'plait']

interface AppendShape {
  readonly blocks: number
  readonly blockBytes: number
  readonly batch: number
  readonly inFlight: number
}

export const appendWorkloads: readonly FeedWorkload[] = [
  append('A1-awaited', { blocks: 10_000, blockBytes: 100, batch: 1, inFlight: 1 }),
  append('A1-in-flight', { blocks: 50_000, blockBytes: 100, batch: 1, inFlight: 256 }),
  append('A2-awaited', { blocks: 100_000, blockBytes: 100, batch: 100, inFlight: 1 }),
  append('A3-awaited', { blocks: 200_000, blockBytes: 100, batch: 1_000, inFlight: 1 }),
  append('A3-in-flight', { blocks: 200_000, blockBytes: 100, batch: 1_000, inFlight: 8 }),
  append('A4-awaited', { blocks: 1_024, blockBytes: 64 * 1024, batch: 16, inFlight: 1 }),
]

/** A tenth as many blocks before the clock starts. */
const warmUpShare = 0.1

function append(name: string, { blocks, blockBytes, batch, inFlight }: AppendShape): FeedWorkload {
  const calls = batch === 1 ? 'singly' : `by ${batch.toLocaleString('en')}`
  const waits = inFlight === 1 ? 'each call awaited before the next' : `${inFlight} calls in flight`
  return {
    name,
    about: `append ${blocks.toLocaleString('en')} blocks of ${blockBytes.toLocaleString('en')} B ${calls}, ${waits}`,
    tools,
    measure: async (tool, { folder, scale, profiled }) => {
      const corpus = { blocks: scaled(blocks, scale, batch * inFlight), blockBytes }
      const warmUp = Math.ceil((corpus.blocks * warmUpShare) / batch) * batch
      const store = folder.empty()
      const { seconds, usage, version } = await withEnds([tool], async (end) => ({
        ...(await end.ask('about', {})),
        ...(await end.ask('append', { folder: store, corpus, batch, inFlight, warmUp, profiled })),
      }))
      folder.remove(store)
      return {
        measures: [
          { metric: 'rate', unit: 'blocks/s', value: corpus.blocks / seconds },
          { metric: 'bytes', unit: 'MB/s', value: payloadBytes(corpus) / 1e6 / seconds },
          ...(inFlight === 1 ? [{ metric: 'call', unit: 'ms', value: (seconds * 1_000 * batch) / corpus.blocks }] : []),
          { metric: 'cpu', unit: 'µs/block', value: (usage.cpuSeconds * 1e6) / corpus.blocks },
          { metric: 'peak', unit: 'MiB', value: usage.peakMiB },
          { metric: 'heap', unit: 'MiB', value: usage.heapMiB },
        ],
        versions: [version],
        profiles: { append: usage.profile },
      }
    },
  }
}
