import type { SeededRandom, World } from '../../../src/testing/index.ts'
import { segmentHeaderBytes } from '../../../src/store/segment.ts'
import type { Site } from './site.ts'

export interface MishapPlan {
  readonly untilMs: number
  readonly crashes: number
  readonly failedSyncs: number
  readonly fullDisks: number
  readonly flips: number
  /** A writer's disk is put back: it meets those who have more before it writes, afterwards, or while the disk makes it durable. */
  readonly restores: 'none' | 'meets' | 'writes' | 'writes and meets'
}

/** Schedules what goes wrong with the machines of a world. */
export function scheduleMishaps(world: World, random: SeededRandom, sites: readonly Site[], plan: MishapPlan): void {
  const { untilMs } = plan
  const honest = sites.filter(({ isBad }) => !isBad)
  const at = (): number => 300 + random.real() * (untilMs - 600)
  for (let count = 0; count < plan.crashes; count += 1) {
    const site = random.pick(sites)
    const isPower = random.chance(0.6)
    const downMs = random.logarithmic(10, 3_000)
    const isBusy = random.chance(0.6)
    world.scheduler.at(at(), () => {
      whenBusy(world, site, isBusy ? 200 : 0, () => {
        site.crash(isPower)
        world.scheduler.at(Math.min(untilMs, world.now + downMs), () => world.restart(site.name))
      })
    })
  }
  for (let count = 0; count < plan.failedSyncs; count += 1) {
    const site = random.pick(honest)
    const healMs = random.logarithmic(100, 3_000)
    world.scheduler.at(at(), () => failSync(world, site, healMs))
  }
  for (let count = 0; count < plan.fullDisks; count += 1) {
    const site = random.pick(honest)
    const room = Math.floor(random.logarithmic(10, 30_000))
    const fullMs = random.logarithmic(100, 4_000)
    world.scheduler.at(at(), () => fill(world, site, room, Math.min(untilMs - world.now, fullMs)))
  }
  for (let count = 0; count < plan.flips; count += 1) {
    const site = random.pick(honest)
    world.scheduler.at(at(), () => rot(world, random, site))
  }
  const writers = honest.filter(({ writes }) => writes !== undefined)
  if (plan.restores !== 'none') restore(world, random, random.pick(writers), sites, plan)
}

/** Calls when something of the log is written and not synced, or after so many looks. */
function whenBusy(world: World, site: Site, looks: number, run: () => void): void {
  if (looks === 0 || site.disk.disk.unsynced().some(({ path }) => path.startsWith('log/'))) run()
  else world.scheduler.at(world.now + 0.7, () => whenBusy(world, site, looks - 1, run))
}

/** After a failed sync a store takes nothing more, until somebody opens it again. */
function failSync(world: World, site: Site, healMs: number): void {
  const { life, disk } = site
  if (life === undefined) return
  const { failedSyncs } = disk
  disk.syncsToFail = 1
  world.disturb(site.name)
  world.scheduler.at(world.now + healMs, () => {
    disk.syncsToFail = 0
    if (disk.failedSyncs > failedSyncs) world.mark('sync failed')
    // It may be another store than the one that was open when the fault began.
    if (site.life?.isOver === false && site.life.excused.has('STORE_FAILED') && !site.isDone) void site.reopen()
  })
}

function fill(world: World, site: Site, room: number, fullMs: number): void {
  const { life, disk } = site
  if (disk.isFull) return
  world.disturb(site.name)
  for (const code of ['NO_SPACE', 'STORE_FAILED'] as const) life?.excused.add(code)
  const full = disk.disk
  full.capacityBytes = full.bytes + room
  world.scheduler.at(world.now + Math.max(0, fullMs), () => {
    full.capacityBytes = Number.POSITIVE_INFINITY
    if (site.life?.isOver === false && site.life.excused.has('NO_SPACE') && !site.isDone) void site.reopen()
  })
}

/** One bit of what a site has on its disk. */
function rot(world: World, random: SeededRandom, site: Site): void {
  // What a writer has written last cannot be told from a torn tail when it rots.
  if (site.writes !== undefined) return
  const files = [...site.disk.disk.files()].filter(([path, { length }]) => length > 0 && !path.startsWith('torn/'))
  if (files.length === 0) return
  const kinds = new Map(files.map((file) => [/(\w+)$/.exec(file[0])?.[1] ?? '', [] as typeof files]))
  for (const file of files) kinds.get(/(\w+)$/.exec(file[0])?.[1] ?? '')?.push(file)
  const [path, bytes] = random.pick(random.pick([...kinds.values()]))
  // A log of one file whose header has rotted is not opened any more: nobody knows that it is one.
  const from =
    path.endsWith('.seg') && files.filter(([name]) => name.endsWith('.seg')).length === 1 ? segmentHeaderBytes : 0
  if (from >= bytes.length) return
  site.isRotten = true
  world.disturb(site.name)
  world.mark('bit flipped')
  // Of nodes only a few are ever read.
  const flipsMax = path.endsWith('.nodes') ? random.pick([20, 400]) : random.pick([1, 1, 1, 20])
  for (let flips = flipsMax; flips > 0; flips -= 1)
    site.disk.disk.flip(path, random.integer(from * 8, bytes.length * 8 - 1))
}

/** A disk is put back as it was some time ago. */
function restore(world: World, random: SeededRandom, site: Site, sites: readonly Site[], plan: MishapPlan): void {
  const { untilMs, restores } = plan
  const copiedAtMs = untilMs * (0.1 + 0.3 * random.real())
  const putBackAtMs = untilMs * (0.5 + 0.3 * random.real())
  const ledger = site.writes
  if (ledger === undefined) return
  world.scheduler.at(copiedAtMs, () => {
    const copy = site.disk.copy()
    world.scheduler.at(putBackAtMs, () => {
      if (site.node.host.process !== undefined) site.crash(false)
      site.disk.putBack(copy)
      world.disturb(site.name)
      ledger.isRestored = true
      site.isPutBack = true
      world.mark('disk put back')
      if (restores === 'meets') holdBack(world, site, sites)
      else if (restores === 'writes') writeFirst(world, random, site, sites, untilMs)
      else writeSlowly(world, random, site)
      world.scheduler.at(world.now + random.logarithmic(10, 1_000), () => world.restart(site.name))
    })
  })
}

/** It writes nothing before it has all that anybody has heard of. */
function holdBack(world: World, site: Site, sites: readonly Site[]): void {
  const ledger = site.writes
  if (ledger === undefined) return
  site.isHeldBack = true
  const look = (): void => {
    if (site.isDone) return
    const feed = [...(site.life?.open ?? [])].find(({ subject }) => subject === ledger)?.feed
    const isAll = sites.every(({ life }) =>
      [...(life?.open ?? [])].every(
        ({ subject, feed: theirs }) =>
          subject !== ledger ||
          theirs.fork < (feed?.fork ?? 0) ||
          (theirs.fork === feed?.fork && theirs.length <= feed.length),
      ),
    )
    const isUp = sites.every(({ life }) => life !== undefined)
    const others = sites.flatMap(({ life }) => [...(life?.open ?? [])])
    const lengths = new Set(
      others
        .filter((other) => other.subject === ledger && other.feed !== feed)
        .map(({ feed: theirs }) => `${theirs.fork} ${theirs.length}`),
    )
    const [same] = lengths
    const furthestFork = Math.max(...ledger.heardByFork.keys(), 0)
    site.mayTry = isUp && lengths.size === 1 && same === `${furthestFork} ${ledger.heardByFork.get(furthestFork) ?? 0}`
    const status = feed?.status()
    if (status !== undefined && isUp && isAll && !status.isBehind && status.held === status.length) {
      const furthest = Math.max(...ledger.heardByFork.keys(), 0)
      const isFurthest = status.fork >= furthest && status.length >= (ledger.heardByFork.get(status.fork) ?? 0)
      if (isFurthest) {
        site.isHeldBack = false
        world.mark('put back, and goes on when it has caught up')
        return
      }
    }
    world.scheduler.at(world.now + 200, look)
  }
  world.scheduler.at(world.now + 200, look)
}

/** Nobody reaches it before it has written. */
function writeFirst(world: World, random: SeededRandom, site: Site, sites: readonly Site[], untilMs: number): void {
  const ledger = site.writes
  if (ledger === undefined) return
  ledger.mayFork = true
  const others = sites.filter((other) => other !== site).map(({ name }) => name)
  const heal = world.partition([site.name], others)
  world.scheduler.at(Math.min(untilMs, world.now + random.logarithmic(30, 3_000)), heal)
}

/** What it writes first is not durable yet when it hears that others have more: it has to withdraw it. */
function writeSlowly(world: World, random: SeededRandom, site: Site): void {
  const { writes: ledger, disk } = site
  if (ledger === undefined) return
  ledger.mayFork = true
  disk.slowMs = random.logarithmic(30, 600)
  world.scheduler.at(world.now + 3_000, () => {
    disk.slowMs = 0
  })
}
