import { setTimeout as sleep } from 'node:timers/promises'
import { arrival } from './arrival.ts'
import { type Change, insertion, onePercent, renaming } from './change.ts'
import { type Copy, measured, secondsOf, withCopy } from './copy.ts'
import { toolNames } from './tool-names.ts'
import type { TreeName } from './tree.ts'
import type { FolderResult, FolderWorkload } from './workload.ts'

/** After the first sync and after a change, so that what trails is counted where it belongs. */
export const quietMs = 2_000

export const changeWorkloads: readonly FolderWorkload[] = [
  change('D1-percent', 'D1, one file in a hundred rewritten', 'D1', onePercent),
  change('D2-insert', 'D2, 1 KiB inserted in the middle', 'D2', insertion),
  change('D1-rename', 'D1, a directory with half of the files renamed', 'D1', () => renaming),
]

/** Live where the tool can be: the clock starts before the change is made. The others are run once it is made. */
function change(name: string, about: string, tree: TreeName, changeOf: () => Change): FolderWorkload {
  return {
    name,
    about,
    tools: toolNames,
    measure: async (tool, conditions) => {
      const made = changeOf()
      const work = async (copy: Copy): Promise<Pick<FolderResult, 'measures'>> => {
        const { copying, near } = copy
        const full = await secondsOf(() => copying.once())
        copy.compare('first sync')
        await copying.live?.()
        made.prepare?.(near.folder, near.scratch)
        await sleep(quietMs)
        let seconds = 0
        const { measures } = await measured(copy, async () => {
          seconds = await arrival(made, copy)
          if (tool.isLive) await sleep(quietMs)
          return seconds
        })
        copy.compare(about)
        return { measures: [...measures, { metric: 'ofFull', unit: 'of the first sync', value: seconds / full }] }
      }
      return await withCopy(tool, tree, conditions, work, (folder) => made.arrange?.(folder))
    },
  }
}
