import { setTimeout as sleep } from 'node:timers/promises'
import { spreadOf } from '../harness/rows.ts'
import { arrival } from './arrival.ts'
import { quietMs } from './change-workload.ts'
import { oneSave } from './change.ts'
import { withCopy } from './copy.ts'
import { liveTools } from './tool-names.ts'
import type { FolderWorkload } from './workload.ts'

const saves = 20
/** Who takes long is measured less often. */
const secondsMost = 40
const savesLeast = 3

export const saveWorkload: FolderWorkload = {
  name: 'D1-save',
  about: `D1 live, one small file saved, ${saves} times`,
  tools: liveTools,
  measure: async (tool, conditions) =>
    await withCopy(tool, 'D1', conditions, async (copy) => {
      const { copying, near } = copy
      await copying.once()
      await copying.live?.()
      await sleep(quietMs)
      const milliseconds: number[] = []
      const endsAt = performance.now() + secondsMost * 1_000
      while (milliseconds.length < saves && (milliseconds.length < savesLeast || performance.now() < endsAt)) {
        const change = oneSave(milliseconds.length)
        change.prepare?.(near.folder, near.scratch)
        // Not in step with anything that the tool does by the clock.
        await sleep(400 + ((milliseconds.length * 173) % 311))
        milliseconds.push((await arrival(change, copy)) * 1_000)
      }
      await sleep(quietMs)
      copy.compare('saves')
      const { median, min, max } = spreadOf(milliseconds)
      return {
        measures: [
          { metric: 'p50', unit: 'ms', value: median },
          { metric: 'least', unit: 'ms', value: min },
          { metric: 'most', unit: 'ms', value: max },
          { metric: 'saves', unit: '', value: milliseconds.length },
        ],
      }
    }),
}
