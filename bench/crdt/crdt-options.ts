import { tmpdir } from 'node:os'
import { parseArgs } from 'node:util'
import { chosen, positive } from '../harness/options.ts'
import { metadataWorkloads } from './metadata-workload.ts'
import { setToolNames } from './set-tool-names.ts'
import { setWorkloads } from './set-workload.ts'
import type { CrdtWorkload } from './workload.ts'

const workloads: readonly CrdtWorkload[] = [...metadataWorkloads, ...setWorkloads]
const names = workloads.map(({ name }) => name)

export interface CrdtBenchOptions {
  readonly workloads: readonly CrdtWorkload[]
  readonly tools: readonly string[]
  readonly repeat: number
  readonly scale: number
  /** States are written in a new folder below this one. */
  readonly folder: string
  readonly json: string | undefined
  readonly profile: boolean
  readonly allowMissing: boolean
}

export const crdtUsage: string = `npm run bench:crdt -- [--only M-turns,S-merge-10k] [--tools plait,yjs] [--repeat 3] [--scale 1] [--folder DIR] [--json out.json] [--profile] [--allow-missing]
workloads: ${names.join(', ')}
tools: ${setToolNames.join(', ')}`

/** Throws an `Error` with a sentence for the user. */
export function parseCrdtOptions(args: readonly string[]): CrdtBenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', default: names.join(',') },
      tools: { type: 'string', default: setToolNames.join(',') },
      repeat: { type: 'string', default: '3' },
      scale: { type: 'string', default: '1' },
      folder: { type: 'string', default: tmpdir() },
      json: { type: 'string' },
      profile: { type: 'boolean', default: false },
      'allow-missing': { type: 'boolean', default: false },
    },
  })
  const wanted = chosen('--only', values.only, names)
  return {
    workloads: workloads.filter(({ name }) => wanted.includes(name)),
    tools: chosen('--tools', values.tools, setToolNames),
    repeat: positive('--repeat', values.repeat, Number.isSafeInteger),
    scale: positive('--scale', values.scale, Number.isFinite),
    folder: values.folder,
    json: values.json,
    profile: values.profile,
    allowMissing: values['allow-missing'],
  }
}
