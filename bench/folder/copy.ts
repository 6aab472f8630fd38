import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Measure } from '../workloads/workload.ts'
import { Cable } from './cable.ts'
import { End } from './end.ts'
import { profileLines } from './profile-files.ts'
import type { Copying, FolderTool } from './tool.ts'
import { digestTree, isSameTree } from './tree-digest.ts'
import type { TreeName } from './tree.ts'
import type { Conditions, FolderResult } from './workload.ts'

/** One copy of one tree by one tool, under the eyes of the bench. */
export interface Copy {
  readonly tool: FolderTool
  readonly near: End
  readonly far: End
  readonly cable: Cable
  readonly copying: Copying
  /** From the start of the near end until it was ready. */
  readonly readySeconds: number
  /** Throws when the far tree is not the near one. */
  compare(step: string): void
}

const megabyte = 1e6

/** Sets up both ends with a tree at the near one, lets `work` do with them what it measures, and takes all away again. */
export async function withCopy(
  tool: FolderTool,
  tree: TreeName,
  { store, scale, profiled }: Conditions,
  work: (copy: Copy) => Promise<Pick<FolderResult, 'measures' | 'payloadBytes'>>,
  before?: (folder: string) => void,
): Promise<FolderResult> {
  const room = store.room()
  const cable = await Cable.lay()
  const [near, far] = [new End(cable, 'near', room), new End(cable, 'far', room)]
  try {
    store.put(tree, scale, near.folder)
    before?.(near.folder)
    const profileFolder = profiled ? join(room, 'profiles') : undefined
    if (profileFolder !== undefined) mkdirSync(profileFolder)
    const began = performance.now()
    const copying = await tool.open({ near, far, profileFolder })
    const readySeconds = secondsSince(began)
    const compare = (step: string): void => {
      if (!isSameTree(digestTree(near.folder), digestTree(far.folder), tool.timesWithinNs))
        throw new Error(`${step}: the copy is not the original`)
    }
    const result = await work({ tool, near, far, cable, copying, readySeconds, compare })
    await copying.close()
    return { ...result, version: tool.version() ?? '', profiles: profileLines(profileFolder) }
  } finally {
    await Promise.all([near.close(), far.close()])
    cable.close()
    store.remove(room)
  }
}

/** What something takes, at both ends and on the cable. */
export async function measured(
  { near, far, cable }: Copy,
  work: () => Promise<number>,
): Promise<{ readonly wallSeconds: number; readonly measures: readonly Measure[] }> {
  const before = { bytes: cable.bytes, near: near.meter.cpuSeconds, far: far.meter.cpuSeconds }
  const wallSeconds = await work()
  const used = { near: near.meter.cpuSeconds - before.near, far: far.meter.cpuSeconds - before.far }
  return {
    wallSeconds,
    measures: [
      { metric: 'wall', unit: 's', value: wallSeconds },
      { metric: 'wire', unit: 'MB', value: (cable.bytes - before.bytes) / megabyte },
      { metric: 'cpu', unit: 's', value: used.near + used.far },
      { metric: 'cpuNear', unit: 's', value: used.near },
      { metric: 'cpuFar', unit: 's', value: used.far },
      { metric: 'peakNear', unit: 'MB', value: near.meter.peakBytes / megabyte },
      { metric: 'peakFar', unit: 'MB', value: far.meter.peakBytes / megabyte },
    ],
  }
}

export async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await work()
  return secondsSince(began)
}

export function secondsSince(beganMs: number): number {
  return (performance.now() - beganMs) / 1_000
}
