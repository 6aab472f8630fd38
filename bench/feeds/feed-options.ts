import { tmpdir } from 'node:os'
import { parseArgs } from 'node:util'
import { chosen, positive } from '../harness/options.ts'
import { appendWorkloads } from './append-workload.ts'
import { replicationWorkloads } from './replication-workload.ts'
import { storeWorkloads } from './store-workload.ts'
import { toolNames } from './tool-names.ts'
import type { FeedWorkload } from './workload.ts'

export const feedWorkloads: readonly FeedWorkload[] = [...appendWorkloads, ...replicationWorkloads, ...storeWorkloads]
const names = feedWorkloads.map(({ name }) => name)

export interface FeedBenchOptions {
  readonly workloads: readonly FeedWorkload[]
  readonly tools: readonly string[]
  readonly repeat: number
  readonly scale: number
  /** Stores are made in a new folder below this one, which is on a disk. */
  readonly folder: string
  readonly json: string | undefined
  readonly profile: boolean
  readonly allowMissing: boolean
}

export const feedUsage: string = `npm run bench:feeds -- [--only A2-awaited,R1] [--tools hypercore,plait] [--repeat 5] [--scale 1] [--folder DIR] [--json out.json] [--profile] [--allow-missing]
workloads: ${names.join(', ')}
tools: ${toolNames.join(', ')}`

/** Throws an `Error` with a sentence for the user. */
export function parseFeedOptions(args: readonly string[]): FeedBenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', default: names.join(',') },
      tools: { type: 'string', default: toolNames.join(',') },
      repeat: { type: 'string', default: '5' },
      scale: { type: 'string', default: '1' },
      folder: { type: 'string', default: tmpdir() },
      json: { type: 'string' },
      profile: { type: 'boolean', default: false },
      'allow-missing': { type: 'boolean', default: false },
    },
  })
  const wanted = chosen('--only', values.only, names)
  return {
    workloads: feedWorkloads.filter(({ name }) => wanted.includes(name)),
    tools: chosen('--tools', values.tools, toolNames),
    repeat: positive('--repeat', values.repeat, Number.isSafeInteger),
    scale: positive('--scale', values.scale, Number.isFinite),
    folder: values.folder,
    json: values.json,
    profile: values.profile,
    allowMissing: values['allow-missing'],
  }
}
