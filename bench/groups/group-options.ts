import { tmpdir } from 'node:os'
import { parseArgs } from 'node:util'
import { chosen, positive } from '../harness/options.ts'
import { deadWorkloads } from './dead-workload.ts'
import { newcomerWorkloads } from './newcomer-workload.ts'
import { publishWorkloads } from './publish-workload.ts'
import { type GroupWorkload, toolNames } from './workload.ts'

export const groupWorkloads: readonly GroupWorkload[] = [...publishWorkloads, ...deadWorkloads, ...newcomerWorkloads]
const names = groupWorkloads.map(({ name }) => name)

export interface GroupBenchOptions {
  readonly workloads: readonly GroupWorkload[]
  readonly tools: readonly string[]
  readonly repeat: number
  readonly scale: number
  /** Stores are made in a new folder below this one, which is on a disk. */
  readonly folder: string
  readonly json: string | undefined
  readonly profile: boolean
}

export const groupUsage: string = `npm run bench:groups -- [--only P-one-64,D-1] [--tools file,plait] [--repeat 3] [--scale 1] [--folder DIR] [--json out.json] [--profile]
workloads: ${names.join(', ')}
tools: ${toolNames.join(', ')}`

/** Throws an `Error` with a sentence for the user. */
export function parseGroupOptions(args: readonly string[]): GroupBenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', default: names.join(',') },
      tools: { type: 'string', default: toolNames.join(',') },
      repeat: { type: 'string', default: '3' },
      scale: { type: 'string', default: '1' },
      folder: { type: 'string', default: tmpdir() },
      json: { type: 'string' },
      profile: { type: 'boolean', default: false },
    },
  })
  const wanted = chosen('--only', values.only, names)
  return {
    workloads: groupWorkloads.filter(({ name }) => wanted.includes(name)),
    tools: chosen('--tools', values.tools, toolNames),
    repeat: positive('--repeat', values.repeat, Number.isSafeInteger),
    scale: positive('--scale', values.scale, Number.isFinite),
    folder: values.folder,
    json: values.json,
    profile: values.profile,
  }
}
