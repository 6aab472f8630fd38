import { scheduleFaults, type SeededRandom, type World } from '../../../src/testing/index.ts'
import { GroupLedger } from './ledger.ts'
import { Member, type Society } from './member.ts'
import { scheduleMishaps, type MishapPlan } from './mishaps.ts'
import { GroupSite, type Taking } from './site.ts'
import { judge } from './verdict.ts'

const names = ['ada', 'ben', 'cyd', 'dee', 'eve', 'fay', 'gus', 'hal']

/** What is drawn once for a world. */
interface Profile {
  readonly activeMs: number
  readonly gapMs: number
  readonly measures: number
  readonly mishaps: MishapPlan
  readonly faults: number
  /** After so many entries a snapshot is made; undefined: never. */
  readonly snapshotEntries: number | undefined
}

/**
 * Nodes that are members of one group: they come by links, publish, change replicas, admit, remove and park each other, while links break,
 * machines die, disks are lost or put back as they were. At last they are left alone: whoever is a member has to have the same as all
 * others, and everything that was acknowledged.
 */
export async function groupScenario(world: World): Promise<{ readonly nodes: number; readonly delivered: number }> {
  const random = world.random.fork('groups')
  const nodeNames = names.slice(0, Math.floor(3 + 6 * random.real() ** 4))
  const profile = drawProfile(random, nodeNames.length)
  const ledger = new GroupLedger()
  const sites: GroupSite[] = []
  const society: Society = { sites, links: [], groupId: undefined, measures: profile.measures }
  const resumeMs = random.pick([0, 500, 5_000])
  const acknowledgeMs = Math.round(random.logarithmic(50, 1_000))
  const delivered = new Map<object, () => number>()
  const { snapshotEntries } = profile
  // Who begins with a snapshot needs tables like those of who made it.
  const common: Taking | undefined = snapshotEntries === undefined ? undefined : random.pick(['replica', 'handler'])
  for (const [number, name] of nodeNames.entries()) {
    const any: Taking = number < 2 ? 'replica' : random.pick(['replica', 'replica', 'handler', 'handler', 'iterator'])
    const taking = common ?? any
    sites.push(
      new GroupSite({
        ...{ world, name, number, taking, acknowledgeMs, resumeMs, ledger, snapshotEntries },
        random: random.fork(name),
        begin: (site, life) => {
          delivered.set(life, () => life.deliveredCount)
          const chance = random.fork(`${name} ${life.process.epoch}`)
          void new Member(site, life, society, chance, profile.gapMs).live()
        },
      }),
    )
  }
  scheduleMishaps(world, random.fork('mishaps'), sites, profile.mishaps)
  scheduleFaults(world, random.fork('faults'), {
    names: nodeNames,
    fromMs: 200,
    untilMs: profile.activeMs,
    count: profile.faults,
    kinds: ['cut', 'cutAtOneEnd', 'halfOpen', 'halfOpenOneWay', 'pause', 'longPause', 'partition'],
  })
  await world.run(profile.activeMs)
  await judge(world, society, ledger, random.fork('verdict'))
  return { nodes: sites.length, delivered: [...delivered.values()].reduce((sum, count) => sum + count(), 0) }
}

function drawProfile(random: SeededRandom, nodes: number): Profile {
  const activeMs = random.logarithmic(1_200, 5_000)
  const isCalm = random.chance(0.1)
  const some = (part: number, most: number): number => (!isCalm && random.chance(part) ? random.integer(1, most) : 0)
  return {
    activeMs,
    // Everybody is told of everything: what there is to be done grows by the square of the nodes.
    gapMs: (random.logarithmic(50, 500) * nodes) / 3,
    measures: random.chance(0.5) ? random.integer(1, 4) : 0,
    faults: isCalm ? 0 : random.integer(0, 5),
    snapshotEntries: random.fork('snapshots').chance(0.3) ? random.fork('entries').integer(20, 100) : undefined,
    mishaps: {
      untilMs: activeMs,
      crashes: some(0.7, 4),
      lostViews: some(0.2, 2),
      lostDisks: some(0.15, 1),
      backups: some(0.2, 1),
    },
  }
}
