import { statSync } from 'node:fs'
import { join } from 'node:path'
import { measured, secondsOf, withCopy } from './copy.ts'
import { allTools } from './tool-names.ts'
import { pathsIn } from './tree-digest.ts'
import { treeKinds, type TreeName } from './tree.ts'
import type { FolderWorkload } from './workload.ts'

export const firstWorkloads: readonly FolderWorkload[] = [first('D1'), first('D2'), first('D3'), first('D4')]

/** What is random and has to go over as it is. */
const unpackable: readonly TreeName[] = ['D1', 'D2', 'D4']

/** From a near end that is ready to a far one that has nothing. */
function first(tree: TreeName): FolderWorkload {
  return {
    name: `${tree}-first`,
    about: `first sync of ${treeKinds[tree].about}`,
    tools: allTools,
    measure: async (tool, conditions) =>
      await withCopy(tool, tree, conditions, async (copy) => {
        const { near, readySeconds, copying } = copy
        const readyCpuSeconds = near.meter.cpuSeconds
        const { measures, wallSeconds } = await measured(copy, () => secondsOf(() => copying.once()))
        copy.compare('first sync')
        const withReady = measures.map(({ metric, unit, value }) => ({
          metric,
          unit,
          value: metric === 'cpu' || metric === 'cpuNear' ? value + readyCpuSeconds : value,
        }))
        return {
          measures: [
            ...withReady,
            { metric: 'ready', unit: 's', value: readySeconds },
            { metric: 'cpuReady', unit: 's', value: readyCpuSeconds },
            { metric: 'together', unit: 's', value: readySeconds + wallSeconds },
          ],
          ...(unpackable.includes(tree) && { payloadBytes: bytesIn(near.folder) }),
        }
      }),
  }
}

function bytesIn(folder: string): number {
  return pathsIn(folder).reduce((sum, path) => {
    const stat = statSync(join(folder, path))
    return stat.isFile() ? sum + stat.size : sum
  }, 0)
}
