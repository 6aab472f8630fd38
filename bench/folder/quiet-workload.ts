import { setTimeout as sleep } from 'node:timers/promises'
import { measured, secondsOf, withCopy } from './copy.ts'
import { allTools, liveTools } from './tool-names.ts'
import type { FolderWorkload } from './workload.ts'

const idleMs = 10_000
/** Until what came of the first sync is over. */
const settleMs = 5_000

export const quietWorkloads: readonly FolderWorkload[] = [
  {
    name: 'D1-unchanged',
    about: 'D1 once more when nothing has changed',
    tools: allTools,
    measure: async (tool, conditions) =>
      await withCopy(tool, 'D1', conditions, async (copy) => {
        await copy.copying.once()
        await sleep(1_000)
        const { measures } = await measured(copy, () => secondsOf(() => copy.copying.once()))
        copy.compare('nothing changed')
        return { measures }
      }),
  },
  {
    name: 'D1-idle',
    about: 'D1 live for 10 s in which nothing happens',
    tools: liveTools.filter((name) => name !== 'syncthing-tuned'),
    measure: async (tool, conditions) =>
      await withCopy(tool, 'D1', conditions, async (copy) => {
        const { copying, near, far, cable } = copy
        await copying.once()
        await copying.live?.()
        await sleep(settleMs)
        const before = { bytes: cable.bytes, near: near.meter.runSeconds, far: far.meter.runSeconds }
        await sleep(idleMs)
        const ms = (seconds: number): number => Math.max(0, seconds * 1_000)
        const measures = [
          { metric: 'runNear', unit: 'ms in 10 s', value: ms(near.meter.runSeconds - before.near) },
          { metric: 'runFar', unit: 'ms in 10 s', value: ms(far.meter.runSeconds - before.far) },
          { metric: 'rate', unit: 'B/s', value: ((cable.bytes - before.bytes) * 1_000) / idleMs },
        ]
        copy.compare('idle')
        return { measures }
      }),
  },
]
