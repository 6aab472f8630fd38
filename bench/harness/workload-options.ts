import { tmpdir } from 'node:os'
import { parseArgs } from 'node:util'
import { chosen, positive } from './options.ts'

/** What a bench of its own workloads is told. */
export interface WorkloadOptions<Workload> {
  readonly workloads: readonly Workload[]
  readonly tools: readonly string[]
  readonly repeat: number
  readonly scale: number
  /** What is stored goes into a new folder below this one, which is on a disk. */
  readonly folder: string
  readonly json: string | undefined
  readonly profile: boolean
  readonly allowMissing: boolean
}

/** What there is to choose from. */
export interface WorkloadChoices<Workload> {
  readonly workloads: readonly Workload[]
  readonly tools: readonly string[]
  readonly repeat: number
  /** Whether a tool may be missing, and that be allowed. */
  readonly canMiss: boolean
}

/** Throws an `Error` with a sentence for the user. */
export function parseWorkloadOptions<Workload extends { readonly name: string }>(
  args: readonly string[],
  { workloads, tools, repeat, canMiss }: WorkloadChoices<Workload>,
): WorkloadOptions<Workload> {
  const names = workloads.map(({ name }) => name)
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', default: names.join(',') },
      tools: { type: 'string', default: tools.join(',') },
      repeat: { type: 'string', default: String(repeat) },
      scale: { type: 'string', default: '1' },
      folder: { type: 'string', default: tmpdir() },
      json: { type: 'string' },
      profile: { type: 'boolean', default: false },
      ...(canMiss && { 'allow-missing': { type: 'boolean', default: false } as const }),
    },
  })
  const wanted = chosen('--only', values.only, names)
  return {
    workloads: workloads.filter(({ name }) => wanted.includes(name)),
    tools: chosen('--tools', values.tools, tools),
    repeat: positive('--repeat', values.repeat, Number.isSafeInteger),
    scale: positive('--scale', values.scale, Number.isFinite),
    folder: values.folder,
    json: values.json,
    profile: values.profile,
    allowMissing: values['allow-missing'] === true,
  }
}
