import { parseArgs } from 'node:util'
import { peerNames, workloadNames } from './names.ts'

export interface BenchOptions {
  readonly workloads: readonly string[]
  readonly peers: readonly string[]
  readonly repeat: number
  readonly scale: number
  readonly json: string | undefined
  /** Run each row once more and print the functions with the most self time at both ends. */
  readonly profile: boolean
  /** Exit with 0 though a peer is not installed. */
  readonly allowMissing: boolean
}

export const usage: string = `npm run bench -- [--only W3,W4] [--peers tls,plait] [--repeat 5] [--scale 1] [--json out.json] [--profile] [--allow-missing]
workloads: ${workloadNames.join(', ')}
peers: ${peerNames.join(', ')}`

/** Throws an `Error` with a sentence for the user. */
export function parseOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', default: workloadNames.join(',') },
      peers: { type: 'string', default: peerNames.join(',') },
      repeat: { type: 'string', default: '5' },
      scale: { type: 'string', default: '1' },
      json: { type: 'string' },
      profile: { type: 'boolean', default: false },
      'allow-missing': { type: 'boolean', default: false },
    },
  })
  return {
    workloads: chosen('--only', values.only, workloadNames),
    peers: chosen('--peers', values.peers, peerNames),
    repeat: positive('--repeat', values.repeat, Number.isSafeInteger),
    scale: positive('--scale', values.scale, Number.isFinite),
    json: values.json,
    profile: values.profile,
    allowMissing: values['allow-missing'],
  }
}

export function chosen(option: string, list: string, known: readonly string[]): readonly string[] {
  const names = new Set(list.split(','))
  const unknown = [...names].filter((name) => !known.includes(name))
  if (unknown.length > 0)
    throw new Error(`${option}: there is no ${unknown.join(', ')}; choose from ${known.join(', ')}`)
  return known.filter((name) => names.has(name))
}

export function positive(option: string, text: string, allowed: (value: number) => boolean): number {
  const value = Number(text)
  if (!allowed(value) || value <= 0)
    throw new Error(`${option} ${text} is not a positive ${allowed === Number.isFinite ? 'number' : 'integer'}`)
  return value
}
