import type { NodeId } from '../identity/node-id.ts'
import { isWithin, type Region, type Ring } from './ring.ts'

/** A member that is handed something, and the part of the ring that it sees to from then on; no part when nobody else is in it. */
export interface Part {
  readonly head: NodeId
  readonly region: Region | undefined
}

export interface SplitOptions {
  readonly self: NodeId
  /** Whether a member may be handed a part. Who may not is handed the message alone. */
  readonly isHead: (id: NodeId) => boolean
  /** Those that somebody else sees to already. */
  readonly isSkipped: (id: NodeId) => boolean
  /** Whether all members are known: else somebody may be in a part in which nobody is known. */
  readonly isWhole: boolean
}

const fanout = 3

/**
 * Cuts a region of the ring into three parts of as many known members each, and hands each to its first one. So whoever handles a region
 * needs to know nothing but who comes next in it: with n members that all know one another a message takes n - 1 bodies and
 * ceil(log3 n) + 1 steps, and with fewer known ones it still reaches all whose neighbours know them.
 */
export function split(ring: Ring, region: Region, options: SplitOptions): readonly Part[] {
  const { self } = options
  if (!isWithin(self, region)) return cut(ring, region, fanout, options)
  const [before, after] = [
    { from: region.from, to: self },
    { from: self, to: region.to },
  ]
  // Whoever hands a part to its first member leaves room before it for some that only that one knows.
  if (ring.within(before).count === 0) return cut(ring, after, fanout, options)
  return [...cut(ring, before, fanout - 1, options), ...cut(ring, after, fanout - 1, options)]
}

/** `region` is without the member that cuts it. */
function cut(ring: Ring, region: Region, most: number, { isHead, isSkipped, isWhole }: SplitOptions): readonly Part[] {
  const { start, count } = ring.within(region)
  const cuts = Math.min(most, count)
  const parts: Part[] = []
  for (let index = 0; index < cuts; index += 1) {
    const low = Math.ceil((index * count) / cuts)
    const high = Math.ceil(((index + 1) * count) / cuts)
    const to = index === cuts - 1 ? region.to : ring.at(start + high)
    for (let place = low; place < high; place += 1) {
      const head = ring.at(start + place)
      if (isSkipped(head)) continue
      if (!isHead(head)) {
        parts.push({ head, region: undefined })
        continue
      }
      const from = place === 0 && !isWhole ? region.from : head
      parts.push({ head, region: isWhole && place === high - 1 ? undefined : { from, to } })
      break
    }
  }
  return parts
}
