import type { SeededRandom } from '../runtime/simulated/random.ts'
import type { World } from './world.ts'

/**
 * What can go wrong. `cut`: the links of two hosts break and both ends learn it; `cutAtOneEnd`: only
 * one does, where the most is on its way. `halfOpen`, `halfOpenOneWay`: what is written vanishes,
 * and nobody is told. `pause`: a standstill of up to a second. `longPause`: one of up to 10 s, after which a link is given up. `partition`:
 * two groups cannot reach each other for up to 40 s. `crash`: the process of a host is killed, or its machine loses power, and
 * starts again within 8 s.
 */
export type FaultKind =
  | 'cut'
  | 'cutAtOneEnd'
  | 'halfOpen'
  | 'halfOpenOneWay'
  | 'pause'
  | 'longPause'
  | 'partition'
  | 'crash'

/** Which faults happen to whom, and when. */
export interface FaultPlan {
  /** The hosts among which they happen; two at least. */
  readonly names: readonly string[]
  /** The first moment for a fault, in virtual milliseconds since the beginning of the world. */
  readonly fromMs: number
  /** By then partitions are healed, pauses over, and crashed hosts running again; only half-open links stay until they are noticed. */
  readonly untilMs: number
  readonly count: number
  /** All kinds when absent. */
  readonly kinds?: readonly FaultKind[]
}

type Fault = (world: World, random: SeededRandom, names: readonly string[], untilMs: number) => void

/** Each fault with its share. */
const faults: readonly (readonly [kind: FaultKind, share: number, fault: Fault])[] = [
  ['cut', 30, (world, random, names) => world.cut(...pair(random, names))],
  ['cutAtOneEnd', 12, (world, random, names) => world.cutAt(...(world.busiest(names) ?? pair(random, names)))],
  ['halfOpen', 14, (world, random, names) => world.halfOpen(...pair(random, names))],
  ['halfOpenOneWay', 8, (world, random, names) => world.halfOpen(...pair(random, names), true)],
  ['pause', 20, pauseBriefly],
  ['longPause', 8, pauseLong],
  ['partition', 8, splitWorld],
  ['crash', 12, crashAndRestart],
]

/**
 * Schedules faults at random moments, drawn from `random` as the world goes on; a fork of `world.random` makes them follow from its seed.
 * They happen while the world runs.
 */
export function scheduleFaults(world: World, random: SeededRandom, plan: FaultPlan): void {
  const { kinds } = plan
  const shares = faults
    .filter(([kind]) => kinds === undefined || kinds.includes(kind))
    .flatMap(([, share, fault]) => Array.from({ length: share }, () => fault))
  for (let index = 0; index < plan.count; index += 1) {
    const atMs = plan.fromMs + random.real() * (plan.untilMs - plan.fromMs)
    const fault = random.pick(shares)
    world.scheduler.at(atMs, () => fault(world, random, plan.names, plan.untilMs))
  }
}

function pair(random: SeededRandom, names: readonly string[]): [string, string] {
  const [one, other] = random.shuffle(names) as [string, string]
  return [one, other]
}

/** Shorter than anything that may give up. */
function pauseBriefly(world: World, random: SeededRandom, names: readonly string[], untilMs: number): void {
  world.pause(...pair(random, names), Math.min(random.logarithmic(5, 1_000), untilMs - world.now))
}

/** Around the time after which a link is suspect, or lost. */
function pauseLong(world: World, random: SeededRandom, names: readonly string[], untilMs: number): void {
  world.pause(...pair(random, names), Math.min(random.logarithmic(1_500, 10_000), untilMs - world.now))
}

function splitWorld(world: World, random: SeededRandom, names: readonly string[], untilMs: number): void {
  const shuffled = random.shuffle(names)
  const size = random.integer(1, names.length - 1)
  const heal = world.partition(shuffled.slice(0, size), shuffled.slice(size))
  world.scheduler.at(Math.min(untilMs, world.now + random.logarithmic(100, 40_000)), heal)
}

function crashAndRestart(world: World, random: SeededRandom, names: readonly string[], untilMs: number): void {
  const name = random.pick(names)
  world.crash(name, { power: random.chance(0.4) })
  world.scheduler.at(Math.min(untilMs, world.now + random.logarithmic(5, 8_000)), () => world.restart(name))
}
