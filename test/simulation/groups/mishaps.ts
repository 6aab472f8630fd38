import type { SeededRandom, World } from '../../../src/testing/index.ts'
import type { GroupSite } from './site.ts'

export interface MishapPlan {
  readonly untilMs: number
  readonly crashes: number
  readonly lostViews: number
  readonly lostDisks: number
  /** Disks that are put back as they were some time before, with their views or without them. */
  readonly backups: number
}

/** Schedules what goes wrong with the machines of a world. */
export function scheduleMishaps(
  world: World,
  random: SeededRandom,
  sites: readonly GroupSite[],
  plan: MishapPlan,
): void {
  const { untilMs } = plan
  const at = (): number => 500 + random.real() * (untilMs - 800)
  const later = (downMs: number): number => Math.min(Math.max(untilMs, world.now), world.now + downMs)
  const down = (site: GroupSite, downMs: number): unknown =>
    world.scheduler.at(later(downMs), () => world.restart(site.name))
  for (let count = 0; count < plan.crashes; count += 1) {
    const site = random.pick(sites)
    const isPower = random.chance(0.6)
    const downMs = random.logarithmic(10, 3_000)
    world.scheduler.at(at(), () => {
      site.crash(isPower)
      down(site, downMs)
    })
  }
  for (let count = 0; count < plan.lostViews; count += 1) {
    const site = random.pick(sites)
    const downMs = random.logarithmic(10, 500)
    world.scheduler.at(at(), () => {
      site.crash(true)
      site.views.lose()
      down(site, downMs)
    })
  }
  for (let count = 0; count < plan.lostDisks; count += 1) {
    const site = random.pick(sites)
    const downMs = random.logarithmic(10, 1_000)
    world.scheduler.at(untilMs * (0.4 + 0.5 * random.real()), () => {
      if (isNeeded(site, sites)) return
      site.loseDisk()
      world.disturb(site.name)
      world.mark('disk lost')
      down(site, downMs)
    })
  }
  for (let count = 0; count < plan.backups; count += 1) restore(world, random, random.pick(sites), sites, plan)
}

/** Whether nobody else is in the group yet who could go on with it. */
function isNeeded(site: GroupSite, sites: readonly GroupSite[]): boolean {
  return !sites.some(
    (other) => other !== site && other.isAdmitted && !other.isLossy && other.life?.group?.role === 'admin',
  )
}

/** A copy of earlier takes the place of what there is. It writes nothing before it has met somebody. */
function restore(
  world: World,
  random: SeededRandom,
  site: GroupSite,
  sites: readonly GroupSite[],
  { untilMs }: MishapPlan,
): void {
  const downMs = random.logarithmic(10, 1_000)
  const isViewToo = random.chance(0.7)
  const putBackMs = untilMs * (0.5 + 0.4 * random.real())
  world.scheduler.at(putBackMs * (0.3 + 0.6 * random.real()), () => {
    const disk = site.disk.copy()
    const views = site.views.copy()
    world.scheduler.at(putBackMs, () => {
      if (isNeeded(site, sites)) return
      site.crash(false)
      site.disk.putBack(disk)
      if (isViewToo) site.views.putBack(views)
      world.disturb(site.name)
      site.isLossy = true
      site.isHeldBack = true
      world.mark('put back from a backup')
      world.scheduler.at(world.now + downMs, () => world.restart(site.name))
      letGo(world, site, sites)
    })
  })
}

/** It goes on when it has learnt that it had forgotten something, or there was nothing to be forgotten. */
function letGo(world: World, site: GroupSite, sites: readonly GroupSite[]): void {
  const look = (): void => {
    if (site.isDone) return
    const { life } = site
    const isUp = sites.every((other) => other.life !== undefined)
    const writer = life?.group?.writer ?? ''
    const length = life?.feedsByWriter.get(writer)?.length ?? 0
    const furthest = Math.max(...sites.map((other) => other.life?.feedsByWriter.get(writer)?.length ?? 0))
    if (isUp && life?.group?.engine.isWriting === true && length >= furthest) {
      site.isHeldBack = false
      return
    }
    world.scheduler.at(world.now + 200, look)
  }
  world.scheduler.at(world.now + 200, look)
}
