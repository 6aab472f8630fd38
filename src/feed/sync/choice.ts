import { defaultLimits } from '../../base/limits.ts'
import { Bitmap } from '../bitmap.ts'
import type { SharedFeed } from './shared-feed.ts'

/** Places, spread over the feed, among which the rarest are looked for. */
const probes = 32

/** What to ask a peer for: at most so many blocks below `end`, in no more runs than a request has; the next ones, or the rarest. */
export function chooseBlocks(shared: SharedFeed, end: number, blocks: number): Bitmap {
  const { searchFrom: from, searchTo, replica } = shared
  const to = Math.min(end, searchTo)
  if (from >= to) return new Bitmap()
  const chosen = replica.order === 'rarest' ? rarest(shared, from, to, blocks) : next(shared, from, to, blocks)
  // Whatever makes more of them missing here, or offered there, has it looked for again.
  if (chosen.count === 0) [shared.searchFrom, shared.searchTo] = [Infinity, 0]
  else if (replica.order === 'next') shared.searchFrom = chosen.next(0) ?? from
  return chosen
}

function next({ replica, have }: SharedFeed, from: number, end: number, blocks: number): Bitmap {
  const chosen = new Bitmap()
  for (let at = from, runs = 0; chosen.count < blocks && runs < defaultLimits.requestRuns; runs += 1) {
    const run = replica.nextMissing(have, at, end)
    if (run === undefined) break
    at = Math.min(run[1], run[0] + blocks - chosen.count)
    chosen.add(run[0], at)
  }
  return chosen
}

/** Of what is missing behind each probe, first that which the fewest peers have. */
function rarest({ replica, have }: SharedFeed, from: number, end: number, blocks: number): Bitmap {
  const places: { readonly start: number; readonly stop: number; readonly holders: number }[] = []
  let behind = from
  for (let probe = 0; probe < probes; probe += 1) {
    const at = Math.max(behind, from + Math.floor(((end - from) / probes) * probe))
    const run = replica.nextMissing(have, at, end)
    if (run === undefined) break
    const [start, stop] = run
    behind = Math.min(stop, start + blocks)
    let holders = 0
    for (const theirs of replica.holders) if (theirs.has(start)) holders += 1
    places.push({ start, stop, holders })
  }
  const chosen = new Bitmap()
  for (const { start, stop } of places.sort((one, other) => one.holders - other.holders)) {
    if (chosen.count >= blocks) break
    chosen.add(start, Math.min(stop, start + blocks - chosen.count))
  }
  return chosen
}
