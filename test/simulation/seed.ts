import { createHash } from 'node:crypto'
import type { Limits } from '../../src/base/limits.ts'
import { feedMarks, messageMarks, storeMarks } from '../../src/runtime/marks.ts'
import { runSeed as runWorld, scheduleFaults, type SeededRandom, type World } from '../../src/testing/index.ts'
import { converge } from './convergence.ts'
import { runBroadcast } from './broadcast/scenario.ts'
import { driveMarks } from './drive/machine.ts'
import { runTrees } from './drive/world.ts'
import { feedScenario } from './feeds/scenario.ts'
import { feedWorldMarks } from './feeds/world-marks.ts'
import { groupScenario } from './groups/scenario.ts'
import { groupWorldMarks } from './groups/world-marks.ts'
import { scheduleLeaves } from './leaving.ts'
import { Mallory } from './mallory.ts'
import { messageScenario } from './messages.ts'
import { Workload, type Profile } from './workload.ts'

/** What came of one seed. */
export interface SeedResult {
  readonly seed: number
  readonly hash: string
  readonly violations: readonly string[]
  /** Events of the scheduler: timers, arrivals, ends of turns. */
  readonly events: number
  readonly delivered: number
  readonly faults: number
  readonly nodes: number
  readonly virtualMs: number
  readonly marks: readonly (readonly [label: string, count: number])[]
}

const names = ['ada', 'ben', 'cyd', 'dee', 'eve']

/** Small enough for a few fragments to reach them. */
const smallLimits: Partial<Limits> = {
  windowBytesMin: 16 * 1024,
  windowBytesInitial: 24 * 1024,
  windowBytesMax: 256 * 1024,
  widestCircuits: 2,
  sendBufferMarkBytes: 32 * 1024,
  sendBufferBytes: 512 * 1024,
  reservedBytesPerSession: 640 * 1024,
}

/**
 * Which world a seed makes: the whole of it, in which some are of messages, of feeds or of groups, or one of those only; or one of folders,
 * whose machines share nothing but a tree; or one of members that publish, without nodes below them.
 */
export const worldNames = ['whole', 'messages', 'feeds', 'groups', 'trees', 'broadcast'] as const

export type WorldName = (typeof worldNames)[number]

/** Lets one world live from its beginning to its healing, and checks it. `print` is given each event of the trace. */
export async function runSeed(
  seed: number,
  world: WorldName = 'whole',
  print?: (line: string) => void,
): Promise<SeedResult> {
  if (world === 'messages' || (world === 'whole' && seed % 20 === 0)) return runMessages(seed, print)
  if (world === 'groups' || (world === 'whole' && seed % 20 === 5)) return runGroups(seed, print)
  if (world === 'trees') return runFolders(seed, print)
  if (world === 'broadcast') return { seed, ...runBroadcast(seed, print) }
  if (world === 'feeds' || seed % 20 === 10) return runFeeds(seed, print)
  return runWhole(seed, print)
}

async function runFolders(seed: number, print: ((line: string) => void) | undefined): Promise<SeedResult> {
  const trace = createHash('sha256')
  const outcome = runTrees(seed, (line) => {
    trace.update(`${line}\n`)
    print?.(line)
  })
  const { violations, machines, operations, steps, interruptions, counts } = outcome
  const marks = driveMarks.map((mark) => [mark, counts.get(mark) ?? 0] as const)
  const hash = trace.digest('hex')
  const told = { events: steps, delivered: operations, faults: interruptions, nodes: machines, virtualMs: 0 }
  return { seed, hash, violations, marks, ...told }
}

async function runFeeds(seed: number, print: ((line: string) => void) | undefined): Promise<SeedResult> {
  let told: Told = { delivered: 0, events: 0, nodes: 0, marks: [] }
  const scenario = async (world: World): Promise<void> => {
    try {
      const { nodes, delivered } = await feedScenario(world)
      told = { ...told, nodes, delivered }
    } finally {
      const counts = world.probe.counts()
      told = {
        ...told,
        events: world.scheduler.fired,
        marks: [
          ...[...feedMarks, ...storeMarks].map((mark) => [mark, counts.get(mark) ?? 0] as const),
          ...feedWorldMarks.map((mark) => [mark, world.marks.get(mark) ?? 0] as const),
        ],
      }
    }
  }
  const { hash, violations, faults, virtualMs } = await runWorld(seed, scenario, print)
  return { seed, hash, violations, faults, virtualMs, ...told }
}

async function runGroups(seed: number, print: ((line: string) => void) | undefined): Promise<SeedResult> {
  let told: Told = { delivered: 0, events: 0, nodes: 0, marks: [] }
  const scenario = async (world: World): Promise<void> => {
    try {
      const { nodes, delivered } = await groupScenario(world)
      told = { ...told, nodes, delivered }
    } finally {
      told = {
        ...told,
        events: world.scheduler.fired,
        marks: groupWorldMarks.map((mark) => [mark, world.marks.get(mark) ?? 0] as const),
      }
    }
  }
  const { hash, violations, faults, virtualMs } = await runWorld(seed, scenario, print)
  return { seed, hash, violations, faults, virtualMs, ...told }
}

async function runMessages(seed: number, print: ((line: string) => void) | undefined): Promise<SeedResult> {
  let told: Told = { delivered: 0, events: 0, nodes: 0, marks: [] }
  const scenario = async (world: World): Promise<void> => {
    try {
      const { nodes, delivered } = await messageScenario(world)
      told = { ...told, nodes, delivered }
    } finally {
      told = {
        ...told,
        events: world.scheduler.fired,
        marks: messageMarks.map((mark) => [mark, world.probe.counts().get(mark) ?? 0] as const),
      }
    }
  }
  const { hash, violations, faults, virtualMs } = await runWorld(seed, scenario, print)
  return { seed, hash, violations, faults, virtualMs, ...told }
}

async function runWhole(seed: number, print: ((line: string) => void) | undefined): Promise<SeedResult> {
  let told: Told = { delivered: 0, events: 0, nodes: 0, marks: [] }
  const scenario = async (world: World): Promise<void> => {
    const workload = populate(world)
    try {
      await world.run(workload.activeMs)
      await converge(workload)
    } finally {
      told = {
        delivered: workload.delivered,
        events: world.scheduler.fired,
        nodes: workload.nodes.length,
        marks: [...world.probe.counts()],
      }
    }
  }
  const { hash, violations, faults, virtualMs } = await runWorld(seed, scenario, print)
  return { seed, hash, violations, faults, virtualMs, ...told }
}

/** What a result has beyond what every scenario gives. */
type Told = Pick<SeedResult, 'delivered' | 'events' | 'nodes' | 'marks'>

/** Nodes that are going to use one another, and what is going to happen to them. */
function populate(world: World): Workload {
  const { random } = world
  const nodeNames = names.slice(0, random.integer(3, 5))
  const isHaunted = random.chance(0.25)
  const profile = drawProfile(random, nodeNames.length, isHaunted)
  const isCalm = random.chance(0.08)
  const faults = {
    names: nodeNames,
    fromMs: 0,
    untilMs: profile.activeMs,
    count: isCalm ? 0 : Math.round(random.logarithmic(3, 24)),
  }
  const workload = new Workload(world, nodeNames, profile)
  scheduleFaults(world, random.fork('faults'), faults)
  scheduleLeaves(
    workload,
    random.fork('leaves'),
    profile.activeMs,
    isCalm || random.chance(0.7) ? 0 : random.integer(1, 3),
  )
  const haunting = random.fork('mallory')
  if (isHaunted) {
    const { limits, activeMs: untilMs } = profile
    new Mallory({ world, random: haunting, nodes: workload.nodes, limits, untilMs }).appear()
  }
  return workload
}

function drawProfile(random: SeededRandom, nodes: number, isHaunted: boolean): Profile {
  return {
    limits: {
      ...(random.chance(0.5) ? smallLimits : {}),
      ...(random.chance(isHaunted ? 0.3 : 0.1) ? { accountBytes: 600 * 1024 } : {}),
    },
    resumeMs: random.chance(0.7) ? 30_000 : random.pick([0, 500, 5_000]),
    opensPerProcess: Math.round(random.logarithmic(21, 42) / nodes),
    activeMs: random.logarithmic(4_000, 40_000),
    startsAtOnce: random.chance(0.3),
  }
}
