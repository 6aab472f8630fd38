import { scaled } from '../workloads/workload.ts'
import type { FilledSource } from './bench-folder.ts'
import { withEnds } from './end-process.ts'
import { rival, us } from './tool-names.ts'
import type { FeedWorkload } from './workload.ts'

const tools = [rival, us]

export const storeWorkloads: readonly FeedWorkload[] = [
  {
    name: 'O1',
    about: 'open a feed of 1,000,000 blocks of 100 B in a new process; read: its middle block after that',
    tools,
    measure: async (tool, { folder, scale }) => {
      const source = await folder.source(tool, { blocks: scaled(1_000_000, scale), blockBytes: 100 })
      return withEnds([tool], async (end) => {
        const { openSeconds, readSeconds } = await end.ask('open', source)
        const { peakMiB } = await end.ask('usage', {})
        const { version } = await end.ask('about', {})
        return {
          measures: [
            { metric: 'open', unit: 'ms', value: openSeconds * 1_000 },
            { metric: 'read', unit: 'ms', value: readSeconds * 1_000 },
            { metric: 'peak', unit: 'MiB', value: peakMiB },
          ],
          versions: [version],
          profiles: {},
        }
      })
    },
  },
  {
    name: 'D1',
    about: 'bytes on disk for each block of 100,000 of 100 B and of 1,000 of 64 KiB; files: the lengths of the files',
    tools,
    measure: async (tool, { folder, scale }) => {
      const small = await folder.source(tool, { blocks: scaled(100_000, scale), blockBytes: 100 })
      const large = await folder.source(tool, { blocks: scaled(1_000, scale), blockBytes: 64 * 1024 })
      const each = (source: FilledSource, bytes: number): number => bytes / source.corpus.blocks
      return {
        measures: [
          { metric: 'disk100B', unit: 'B/block', value: each(small, small.allocatedBytes) },
          { metric: 'files100B', unit: 'B/block', value: each(small, small.fileBytes) },
          { metric: 'disk64KiB', unit: 'B/block', value: each(large, large.allocatedBytes) },
          { metric: 'files64KiB', unit: 'B/block', value: each(large, large.fileBytes) },
        ],
        versions: [small.version, large.version],
        profiles: {},
      }
    },
  },
]
