import { broadcastMarks } from '../../../src/runtime/marks.ts'
import { Life } from './life.ts'
import { checkBounds, judge } from './verdict.ts'
import { Villain } from './villain.ts'
import { BroadcastWorld } from './world.ts'

export interface BroadcastOutcome {
  readonly hash: string
  readonly violations: readonly string[]
  readonly events: number
  readonly delivered: number
  readonly faults: number
  readonly nodes: number
  readonly virtualMs: number
  readonly marks: readonly (readonly [label: string, count: number])[]
}

/** Of the marks of the layer: all but what belongs to circuits. */
const reached = broadcastMarks.filter((mark) => mark !== 'circuit for topics was one too many')

/**
 * Members join, publish, are killed, paused, cut off and put back, while one of them may be hostile. In the end every honest member has
 * once what was meant for it, and all see who is there.
 */
export function runBroadcast(seed: number, print?: (line: string) => void): BroadcastOutcome {
  const world = new BroadcastWorld(seed, print)
  const life = new Life(world)
  try {
    life.begin()
    if (world.profile.isHaunted) new Villain(world, life.untilMs).begin()
    while (world.now < life.untilMs) {
      world.net.runTo(Math.min(life.untilMs, world.now + 1_000))
      checkBounds(world)
    }
    judge(world, life)
  } catch (error) {
    world.violate(`thrown: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
  }
  const counts = world.probe.counts()
  return {
    hash: world.trace.digest(),
    violations: world.violations,
    events: world.net.scheduler.fired,
    delivered: world.deliveries,
    faults: world.faults,
    nodes: world.sites.length,
    virtualMs: world.now,
    marks: [...reached.map((mark) => [mark, counts.get(mark) ?? 0] as const), ...world.marks],
  }
}
