import type { CrdtSample } from './crdt-sample.ts'
import { rivals } from './set-tool-names.ts'

/** `pinned`: by rival its package and version, as in `yjs 13.6.33`. Why the figures of a run must not be used; empty when they may. */
export function crdtReasonsVoid(samples: readonly CrdtSample[], pinned: ReadonlyMap<string, string>): string[] {
  const reasons: string[] = []
  for (const tool of new Set(samples.map(({ peer }) => peer))) {
    const versions = [...new Set(samples.filter(({ peer }) => peer === tool).map(({ version }) => version))]
    if (versions.length > 1) reasons.push(`${tool} changed while it was measured: ${versions.join('; ')}`)
    const wanted = pinned.get(tool)
    if (rivals.includes(tool) && versions.some((version) => version !== wanted && !version.startsWith(`${wanted},`)))
      reasons.push(`${versions.join('; ')} is installed instead of ${wanted}`)
  }
  for (const workload of new Set(samples.map((sample) => sample.workload))) {
    const own = samples.filter((sample) => sample.workload === workload)
    if (new Set(own.map(({ before }) => before)).size > 1)
      reasons.push(`${workload}: the tools began with other elements`)
    // How many operations a tool is given at a time depends on how slow it is; a merge is the same for all.
    const groups = workload.includes('merge')
      ? [own]
      : [...new Set(own.map(({ peer }) => peer))].map((peer) => own.filter((one) => one.peer === peer))
    if (groups.some((group) => new Set(group.map(({ after }) => after)).size > 1))
      reasons.push(`${workload}: other elements came of it than before`)
  }
  return reasons
}
