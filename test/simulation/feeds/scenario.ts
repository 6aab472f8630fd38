import type { FeedLogBounds, FeedOptions } from '../../../src/feed/feed-api.ts'
import { scheduleFaults, type SeededRandom, type World } from '../../../src/testing/index.ts'
import { Author, drawLength } from './author.ts'
import { Ledger } from './ledger.ts'
import type { Life, Subject } from './life.ts'
import { Open } from './life.ts'
import { keepLink } from './links.ts'
import { scheduleMishaps, type MishapPlan } from './mishaps.ts'
import { Reader } from './reader.ts'
import { SealedLedger } from './sealed-ledger.ts'
import { Site, type Reading } from './site.ts'
import { judge } from './verdict.ts'
import { drawVillainy } from './villain.ts'

const names = ['ada', 'ben', 'cyd', 'dee', 'eve', 'fay', 'gus', 'hal']

const feedsClose = true

/** What is drawn once for a world. */
interface Profile {
  readonly activeMs: number
  readonly gapMs: number
  readonly truncates: boolean
  readonly bounds: FeedLogBounds
  readonly mishaps: MishapPlan
}

/**
 * Nodes that write feeds, keep and read copies of others, and seal some, while links break, machines die, disks fail, fill up and rot,
 * and one of them may lie or stall. At last the honest ones are left alone, joined in a line or a star: each has to have what it wants.
 */
export async function feedScenario(world: World): Promise<{ readonly nodes: number; readonly delivered: number }> {
  const random = world.random.fork('feeds')
  const profile = drawProfile(random)
  const nodeNames = names.slice(0, Math.floor(3 + 6 * random.real() ** 2))
  const sites: Site[] = []
  const badName = random.chance(0.4) ? nodeNames.at(-1) : undefined
  const resumeMs = random.pick([0, 500, 5_000])
  for (const name of nodeNames) {
    sites.push(
      new Site({
        ...{ world, name, resumeMs, bounds: profile.bounds },
        random: random.fork(name),
        villainy: name === badName ? drawVillainy(random) : undefined,
        isHonest: (id) => sites.some((site) => site.node.id === id && !site.isBad),
        begin: (site, life) => beginLife(site, life, sites, profile, random.fork(`${name} ${life.process.epoch}`)),
      }),
    )
  }
  const isLine = random.chance(0.3)
  const hub = drawRoles(world, random, sites, isLine)
  scheduleMishaps(world, random.fork('mishaps'), sites, profile.mishaps)
  scheduleFaults(world, random.fork('faults'), {
    names: nodeNames,
    fromMs: 200,
    untilMs: profile.activeMs,
    count: random.integer(0, 5),
    kinds: ['cut', 'cutAtOneEnd', 'halfOpen', 'halfOpenOneWay', 'pause', 'longPause', 'partition'],
  })
  await world.run(profile.activeMs)
  await judge(world, sites, isLine ? undefined : hub)
  return { nodes: sites.length, delivered: sites.reduce((sum, { downloaded }) => sum + downloaded, 0) }
}

function drawProfile(random: SeededRandom): Profile {
  const activeMs = random.logarithmic(1_200, 6_000)
  const isCalm = random.chance(0.1)
  const some = (part: number, most: number): number => (!isCalm && random.chance(part) ? random.integer(1, most) : 0)
  return {
    activeMs,
    gapMs: random.logarithmic(80, 500),
    truncates: random.chance(0.3),
    bounds: random.chance(0.3)
      ? {}
      : {
          limits: { segmentBytes: Math.floor(random.logarithmic(4_000, 60_000)) },
          checkpointBytes: Math.floor(random.logarithmic(2_000, 60_000)),
        },
    mishaps: {
      untilMs: activeMs,
      crashes: some(0.7, 4),
      failedSyncs: some(0.3, 2),
      fullDisks: some(0.3, 2),
      flips: some(0.3, 6),
      restores: isCalm || random.chance(0.75) ? 'none' : random.pick(['meets', 'writes', 'writes and meets'] as const),
    },
  }
}

/** Who writes what, and who keeps a copy of it: one at least, or all of them, of everything. Returns that one. */
function drawRoles(world: World, random: SeededRandom, sites: readonly Site[], isLine: boolean): Site {
  const honest = sites.filter(({ isBad }) => !isBad)
  const writers = random.shuffle(honest).slice(0, random.integer(1, Math.min(3, honest.length)))
  writers.forEach((site, number) => {
    site.writes = new Ledger(number, world)
  })
  const sealer = random.pick(honest)
  if (random.chance(0.4)) {
    const lengths = Array.from({ length: Math.floor(random.logarithmic(1, 300)) }, () => drawLength(random))
    sealer.seals = new SealedLedger(1, lengths, world)
  }
  const hub = random.pick(honest)
  for (const site of sites) {
    const isWhole = site === hub || (isLine && !site.isBad)
    for (const { writes } of writers)
      if (writes !== undefined && site.writes !== writes && (isWhole || random.chance(0.85)))
        site.reads.push(drawReading(random, writes, isWhole || site.isBad))
    if (sealer.seals !== undefined && site !== sealer && (isWhole || random.chance(0.7)))
      site.reads.push(drawReading(random, sealer.seals, isWhole || site.isBad))
  }
  return hub
}

function drawReading(random: SeededRandom, subject: Subject, isFull: boolean): Reading {
  const isSparse = !isFull && random.chance(0.3)
  const options: FeedOptions = {
    mode: isSparse ? 'sparse' : 'full',
    order: random.pick(['next', 'rarest']),
    ...(random.chance(0.3) && { isLive: random.chance(0.5) }),
  }
  const does = isSparse ? random.pick(['picks', 'picks', 'follows'] as const) : drawUse(random)
  return { subject, options, does, wanted: new Set(), closes: feedsClose && random.chance(0.4) }
}

function drawUse(random: SeededRandom): Reading['does'] {
  return random.pick(['nothing', 'iterates', 'follows', 'follows'])
}

/** Sets the feeds of a site to work, from their opening to their closing. */
function beginLife(site: Site, life: Life, sites: readonly Site[], profile: Profile, random: SeededRandom): void {
  const { gapMs, truncates } = profile
  for (const other of sites)
    if (other !== site && random.chance(0.6)) void keepLink(site, life, other, random.fork(`link ${other.name}`))
  if (site.writes !== undefined) void new Author(site, life, site.writes, random.fork('author'), truncates).work(gapMs)
  if (site.seals !== undefined) void seal(site, life, site.seals, random)
  for (const reading of site.reads) void beginReading(site, life, reading, gapMs, random.fork(reading.subject.name))
  if (random.chance(0.4)) void compactNowAndThen(life, random.fork('compact'))
}

async function beginReading(
  site: Site,
  life: Life,
  reading: Reading,
  gapMs: number,
  random: SeededRandom,
): Promise<void> {
  const { subject } = reading
  while (subject instanceof SealedLedger && subject.sealed === undefined && !life.isOver) await life.sleep(300)
  if (!life.isOver) await new Reader(site, life, reading, random).work(gapMs)
}

/** Seals what there is to be sealed, if it is not yet; it stays open. */
async function seal(site: Site, life: Life, ledger: SealedLedger, random: SeededRandom): Promise<void> {
  if (ledger.sealed !== undefined && !life.feeds.list().some(({ id }) => id === ledger.sealed) && !site.isLossy)
    life.wrong(`${ledger.name} is gone`)
  await life.sleep(random.logarithmic(50, 2_000))
  if (life.isOver) return
  const feed = await life.call(`seal ${ledger.name}`, life.feeds.seal(ledger.blocks))
  if (feed === undefined) return
  ledger.sealed ??= feed.id
  if (ledger.sealed !== feed.id) life.wrong(`${ledger.name} was sealed under two names`)
  void Open.of(life, feed, ledger)
}

async function compactNowAndThen(life: Life, random: SeededRandom): Promise<void> {
  while (!life.isOver) {
    await life.sleep(random.logarithmic(200, 5_000))
    if (!life.isOver) await life.call('compact', life.feeds.compact())
  }
}
