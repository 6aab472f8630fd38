import type { Site } from '../../broadcast/network.ts'
import { defaultLimits } from '../../../src/base/limits.ts'
import { defaultSettings } from '../../../src/broadcast/settings.ts'
import type { Entry } from './ledger.ts'
import type { Life } from './life.ts'
import type { BroadcastWorld } from './world.ts'

/** What has gone wrong heals in this time. */
const healingMs = 150_000
/** What is published at last gets so long to arrive and to be reported. */
const lastMs = 12_000
const drainMs = 60_000
const stepMs = 1_000
const tasksMax = 4_096
const pingsMax = 1_024

/** Lets the world come to rest, publishes once more, and looks whether all is as it must be. */
export function judge(world: BroadcastWorld, life: Life): void {
  const { net } = world
  if (!runUntil(world, healingMs, () => wrongView(world) === undefined))
    world.violate(wrongView(world) ?? 'a wrong view')
  for (const site of world.live)
    if (!site.broadcaster.membership.table.isWhole) world.mark('view of a part of the members')
  const last = Array.from({ length: 3 }, () => life.publish({ mayBeDirect: false }))
  net.runTo(world.now + lastMs)
  checkDeliveries(world)
  checkReports(world, last)
  const drained = (): boolean => world.live.every(({ broadcaster }) => broadcaster.held.tasks === 0)
  if (!runUntil(world, drainMs, drained)) world.violate('duties are never done')
  for (const entry of world.ledger.entriesByKey.values())
    if (entry.report === undefined && entry.author.state === 'up')
      world.violate(`of ${describe(world, entry)} there is no report`)
}

/** What is held stays within its bounds, at any time. */
export function checkBounds(world: BroadcastWorld): void {
  const { archiveBytes = defaultSettings.archiveBytes } = world.profile.settings
  for (const { id, broadcaster } of world.live) {
    const { bytes, authors, tasks } = broadcaster.held
    const { pings } = broadcaster.membership
    const isTooMuch =
      bytes > archiveBytes || authors > defaultLimits.broadcastAuthors || tasks > tasksMax || pings > pingsMax
    if (isTooMuch) world.violate(`${world.nameOf(id)} holds ${JSON.stringify({ bytes, authors, tasks, pings })}`)
  }
}

function runUntil(world: BroadcastWorld, mostMs: number, isSo: () => boolean): boolean {
  const end = world.now + mostMs
  while (!isSo()) {
    if (world.now >= end) return false
    world.net.runTo(world.now + stepMs)
    checkBounds(world)
  }
  return true
}

/** Whose view is not what is there; undefined when all views are true. */
export function wrongView(world: BroadcastWorld): string | undefined {
  const truth = world.live.map(({ id }) => id).sort()
  const isPartial = world.profile.settings.viewMembersMax !== undefined
  for (const { id, broadcaster } of world.live) {
    const { table } = broadcaster.membership
    const { ring } = table
    const suspect = truth.find((one) => ring.has(one) && table.isSuspect(one))
    if (suspect !== undefined) return `${world.nameOf(id)} suspects ${world.nameOf(suspect)}`
    const rank = truth.indexOf(id)
    const neighbours = [truth.at((rank + 1) % truth.length), truth.at(rank - 1)]
    const own = [ring.at(ring.rank(id) + 1), ring.at(ring.rank(id) - 1)]
    if (isPartial ? String(own) !== String(neighbours) : String(ring.ids) !== String(truth)) {
      const [seen, there] = isPartial ? [own, neighbours] : [ring.ids, truth]
      const names = (ids: readonly unknown[]): string => ids.map((one) => world.nameOf(one as Site['id'])).join(', ')
      return `${world.nameOf(id)} sees ${names(seen)} where ${names(there)} are`
    }
  }
  return undefined
}

function checkDeliveries(world: BroadcastWorld): void {
  for (const [key, entry] of world.ledger.entriesByKey)
    for (const site of world.live)
      if (site !== world.villain && world.ledger.isDue(entry, site) && !site.deliveriesByKey.has(key))
        world.violate(`${world.nameOf(site.id)} has never got ${describe(world, entry)}`)
}

/** Nothing goes wrong when the last messages are published: what is said of them is exact, unless somebody lies. */
function checkReports(world: BroadcastWorld, last: readonly Entry[]): void {
  const { live, profile } = world
  const isPartial = profile.settings.viewMembersMax !== undefined
  for (const entry of last) {
    if (!entry.isFresh || world.villain !== undefined || world.sites.some(({ manner }) => manner !== 'honest')) continue
    const { report } = entry
    if (report === undefined) world.violate(`of ${describe(world, entry)} there is no report yet`)
    // In views of a part some may be known who have long gone.
    else if (
      isPartial
        ? live.some(({ id }) => report.unreached.includes(id))
        : report.missing > 0 || report.reached !== live.length - 1
    )
      world.violate(`of ${describe(world, entry)}, given to ${live.length - 1}, it is said: ${JSON.stringify(report)}`)
  }
}

function describe(world: BroadcastWorld, { id, text, at, to }: Entry): string {
  const what = to === undefined ? 'the message' : 'the direct message'
  return `${what} ${parseInt(text, 10)} that ${world.nameOf(id.author)} published at ${at.toFixed(3)} ms in epoch ${id.epoch}`
}
