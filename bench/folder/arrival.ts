import { setTimeout as sleep } from 'node:timers/promises'
import type { Change } from './change.ts'
import type { Copy } from './copy.ts'
import { secondsOf, secondsSince } from './copy.ts'

const lookMs = 1
const arrivalSecondsMost = 300

/** Makes a change and brings it over: seconds from before it was made until it is there, or of the command that brings it. */
export async function arrival(change: Change, { copying, near, far, tool }: Copy): Promise<number> {
  if (!tool.isLive) {
    change.apply(near.folder)
    return await secondsOf(() => copying.once())
  }
  const began = performance.now()
  change.apply(near.folder)
  const signs = change.signs(near.folder)
  for (let seen = 0; ;) {
    while (seen < signs.length && signs[seen]?.(far.folder, tool.timesWithinNs) === true) seen += 1
    if (seen === signs.length) return secondsSince(began)
    if (secondsSince(began) > arrivalSecondsMost)
      throw new Error(`${seen} of ${signs.length} changes have come in ${arrivalSecondsMost} s`)
    await sleep(lookMs)
  }
}
