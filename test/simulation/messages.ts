import { scheduleFaults, type World } from '../../src/testing/index.ts'
import { checkNothingLeft } from './convergence.ts'
import { Heckler } from './heckler.ts'
import { messageLimits } from './message-types.ts'
import { Talks } from './talks.ts'

const names = ['ada', 'ben', 'cyd']

/** As long as something is begun, and something is broken. */
const activeMs = 20_000

/** By then the hostile host has said its last word on everything; it goes without another one. */
const hostileMs = 60_000

/** By then every broken link has been found out, and every session without a link is over. */
const quietMs = 140_000

/**
 * Nodes that talk by messages while their links break and their processes die; in half of the worlds one that keeps to no rule is
 * among them. Every exchange must settle once, typed, and leave nothing behind.
 */
export async function messageScenario(world: World): Promise<{ readonly nodes: number; readonly delivered: number }> {
  const talks = new Talks(world, activeMs)
  const options = { limits: messageLimits, resumeMs: world.random.pick([0, 500, 30_000]) }
  for (const name of names)
    talks.nodes.push(world.addNode(name, options, (node, process) => talks.populate(node, process)))
  if (world.random.chance(0.5)) {
    const heckler = new Heckler(world, talks.nodes, activeMs)
    talks.stranger = heckler.node
    world.scheduler.at(hostileMs, () => {
      talks.checkStrange()
      world.end(heckler.node.name)
    })
  }
  scheduleFaults(world, world.random.fork('faults'), {
    names,
    fromMs: 500,
    untilMs: activeMs,
    count: world.random.integer(0, 12),
  })
  await world.run(quietMs)
  const { delivered } = talks
  talks.check()
  for (const { name, node } of talks.nodes)
    if (node === undefined) world.violation(`${name} does not run`)
    else checkNothingLeft(world, name, node)
  return { nodes: names.length, delivered }
}
