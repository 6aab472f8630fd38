import { existsSync, lstatSync, readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Copy, secondsOf, withCopy } from './copy.ts'
import { allTools } from './tool-names.ts'
import { hashContent, pathsIn } from './tree-digest.ts'
import { largeFileIn } from './tree.ts'
import type { FolderWorkload } from './workload.ts'

const killedAt = 0.4

export const killedWorkload: FolderWorkload = {
  name: 'D2-killed',
  about: 'first sync of D2, the far end killed when 40 % has gone over, and begun again',
  tools: allTools,
  measure: async (tool, conditions) =>
    await withCopy(tool, 'D2', conditions, async (copy) => {
      const { near, far, cable, copying } = copy
      const { size } = lstatSync(largeFileIn(near.folder))
      const began = cable.bytes
      await killUnderWay(copy, began + size * killedAt)
      const before = cable.bytes - began
      const partials = partialsIn(far.folder, largeFileIn(near.folder))
      const wallSeconds = await secondsOf(() => copying.once())
      const all = cable.bytes - began
      copy.compare('after the kill')
      const percent = (bytes: number): number => (100 * bytes) / size
      return {
        measures: [
          { metric: 'again', unit: '% of it', value: percent(all - before) },
          { metric: 'inAll', unit: '% of it', value: percent(all) },
          { metric: 'killedAt', unit: '% of it', value: percent(before) },
          { metric: 'wall', unit: 's', value: wallSeconds },
          { metric: 'partials', unit: 'files', value: partials },
          { metric: 'orphans', unit: 'files', value: orphans(far.folder) },
        ],
        payloadBytes: size,
      }
    }),
}

async function killUnderWay({ cable, copying, far }: Copy, bytes: number): Promise<void> {
  let isOver = false
  const first = copying.once().then(
    () => (isOver = true),
    () => (isOver = true),
  )
  while (cable.bytes < bytes) {
    if (isOver) throw new Error('it was over before it could be killed')
    await sleep(1)
  }
  await far.kill()
  await first
}

/** Files that a user sees and that are not one that is whole and right under its name. */
function partialsIn(folder: string, original: string): number {
  if (!existsSync(folder)) return 0
  const isWhole = (path: string): boolean =>
    path === basename(original) &&
    lstatSync(join(folder, path)).size === lstatSync(original).size &&
    hashContent(join(folder, path)) === hashContent(original)
  return pathsIn(folder).filter((path) => !isWhole(path)).length
}

/** What the tool has left in its own part of the folder that nobody will want. */
function orphans(folder: string): number {
  const staged = join(folder, '.plait', 'tmp')
  return existsSync(staged) ? readdirSync(staged).length : 0
}
