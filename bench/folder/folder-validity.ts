import type { FolderSample } from './folder-sample.ts'

export interface Setting {
  /** The trees are in memory: a disk would be measured instead of the tools. */
  readonly isInMemory: boolean
}

/** Why the figures of a run must not be used; empty when they may. */
export function folderReasonsVoid(samples: readonly FolderSample[], { isInMemory }: Setting): string[] {
  const reasons = isInMemory ? [] : ['the folder is not in memory: its disk would be measured']
  for (const tool of new Set(samples.map(({ peer }) => peer))) {
    const versions = [...new Set(samples.filter(({ peer }) => peer === tool).map(({ version }) => version))]
    if (versions.length > 1) reasons.push(`${tool} changed while it was measured: ${versions.join('; ')}`)
  }
  return [...reasons, ...samples.flatMap(uncounted)]
}

const megabyte = 1e6

/** What cannot be packed has gone over as it is, or by a way that is not counted. */
function uncounted({ workload, peer, repeat, payloadBytes, measures }: FolderSample): string[] {
  const wire = measures.find(({ metric }) => metric === 'wire')
  if (payloadBytes === undefined || wire === undefined || wire.value * megabyte >= payloadBytes) return []
  return [`${workload}, ${peer}, repeat ${repeat}: less than the files went over the cable`]
}
