import type { Peer, PlaitNode } from '../../src/node/node-api.ts'
import type { World, WorldNode } from '../../src/testing/index.ts'
import type { CircuitPlan, EndPlan } from './plan.ts'
import type { CircuitRecord } from './record.ts'
import { sleep, type Workload } from './workload.ts'

/** After the last fault everything must have ended by then: the longest time-outs of the system are 30 s, and some follow one another. */
const settleMs = 240_000

/** An idle link that broke in silence is found out after four heartbeats of 15 s at most. */
const discoveryMs = 75_000

/** How long a dial and a short exchange may take in a healthy world. */
const exchangeMs = 30_000

/** Long enough for the last acknowledgements and for closed sessions to be forgotten. */
const quietMs = 40_000

const politeEnd: EndPlan = {
  fragments: 3,
  sizes: 'mixed',
  burst: 3,
  alternates: false,
  gapMs: 0,
  waits: true,
  copies: false,
  errors: 0,
  echoes: false,
  ending: 'end',
  reason: { code: 0, message: '' },
  reading: 'iterate',
  readGapMs: 0,
  readBurst: 1,
  readsAtMost: Number.POSITIVE_INFINITY,
  oversleepsAfter: Number.POSITIVE_INFINITY,
}

const politePlan: CircuitPlan = {
  service: 'echo',
  opener: politeEnd,
  acceptor: { ...politeEnd, echoes: true },
  first: true,
  starts: false,
  cancelAfterMs: undefined,
  version: undefined,
  opensBack: false,
}

/** When all faults are over everything must come right: nothing hangs, everybody reaches everybody, nothing is left behind. */
export async function converge(workload: Workload): Promise<void> {
  const { world, nodes } = workload
  world.heal()
  for (const { name } of nodes) world.restart(name)
  await world.run(() => workload.isIdle && nodes.every(({ node }) => node !== undefined), settleMs)
  for (const record of workload.records)
    if (!record.isOver) world.violation(`${record.key} has not ended: ${describe(record)}`)
  if (world.violations.length > 0) return
  await discover(workload)
  workload.isHealed = true
  await everybodyReachesEverybody(workload)
  if (world.violations.length > 0) return
  await world.run(world.now + quietMs)
  for (const { name, node } of nodes) {
    checkNothingLeft(world, name, node as PlaitNode)
    for (const { remoteId } of (node as PlaitNode).snapshot().sessions)
      if (!nodes.some(({ id }) => id === remoteId)) world.violation(`${name} has a session with a stranger who is gone`)
  }
  await closeAll(world, nodes)
}

/** Lets time pass until everybody knows what is broken. With a stranger about nobody can say when that is. */
async function discover(workload: Workload): Promise<void> {
  const { world, nodes } = workload
  const { hosts, links } = world.network
  const endMs = world.now + discoveryMs
  const isKnown = (): boolean =>
    hosts.length === nodes.length &&
    workload.leaving === 0 &&
    [...links].every(
      ([one, other]) => one.isClosed === other.isClosed && (one.isClosed || !(one.isMute || other.isMute)),
    ) &&
    nodes.every(({ node }) => node?.snapshot().sessions.every(({ state }) => state === 'ready'))
  for (let stepMs = 1_000; world.now < endMs && !isKnown(); stepMs *= 2)
    await world.run(Math.min(endMs, world.now + stepMs))
}

/**
 * Each two exchange something, in both directions; which of them opens the circuit is drawn, and now and then both do at once. So a
 * world tries every pair, and the seeds together every direction.
 */
async function everybodyReachesEverybody(workload: Workload): Promise<void> {
  const { world, nodes } = workload
  const random = world.random.fork('healed')
  const peersByNode = new Map<WorldNode, Peer>()
  for (const node of nodes) {
    if (node.node === undefined) return world.violation(`${node.name} does not run`)
    peersByNode.set(node, node.node.peer('inspector'))
  }
  const peers = [...peersByNode.values()]
  const opened: Promise<CircuitRecord>[] = []
  const open = async (from: WorldNode, to: WorldNode): Promise<CircuitRecord> => {
    const { process } = from.host
    if (process === undefined) throw new Error(`${from.name} does not run`)
    const record = await workload.open(peersByNode.get(from) as Peer, process, to, politePlan)
    // The other end ends a moment later.
    while (!record.isOver) await sleep(process, 50)
    return record
  }
  for (const [index, one] of nodes.entries()) {
    for (const other of nodes.slice(index + 1)) {
      const lot = random.real()
      if (lot < 0.55) opened.push(open(one, other))
      if (lot >= 0.45) opened.push(open(other, one))
    }
  }
  let records: readonly CircuitRecord[] = []
  try {
    records = await world.settle(Promise.all(opened), exchangeMs)
    await world.settle(Promise.all(peers.map((peer) => peer.close())), exchangeMs)
  } catch (error) {
    world.violation(`not everybody reaches everybody: ${String(error)}`)
  }
  for (const record of records) {
    const [there, back] = record.flows
    const isWhole = there.received === politeEnd.fragments + 1 && back.received === politeEnd.fragments
    if (!isWhole) world.violation(`${record.key} in the healed world: ${describe(record)}`)
  }
}

/** A node at which all has ended, and which has been left alone for a while. */
export function checkNothingLeft(world: World, name: string, node: PlaitNode): void {
  const { circuits, sessions } = node.stats()
  const { sessions: open, budget, peers } = node.snapshot()
  if (circuits.live !== 0) world.violation(`${name} counts ${circuits.live} live circuits when all have ended`)
  if (circuits.opened !== circuits.closed + circuits.live) world.violation(`${name} counts ${JSON.stringify(circuits)}`)
  if (sessions.opened !== sessions.closed + sessions.live) world.violation(`${name} counts ${JSON.stringify(sessions)}`)
  if (sessions.live !== open.length)
    world.violation(`${name} counts ${sessions.live} live sessions and shows ${open.length}`)
  for (const peer of peers)
    if (peer.circuits + peer.waiting !== 0) world.violation(`${name} shows circuits of ${peer.url} when all have ended`)
  for (const session of open) {
    const { state, accountBytes, unacknowledgedBytes, circuits: left } = session
    if (state !== 'ready' || accountBytes !== 0 || unacknowledgedBytes !== 0 || left.length !== 0) {
      world.violation(
        `${name} keeps of a quiet session ${JSON.stringify({ state, accountBytes, unacknowledgedBytes, left })}`,
      )
    }
  }
  if (budget.usedBytes !== 0) world.violation(`${name} has ${budget.usedBytes} bytes on its budget when all is quiet`)
}

/** When every node has closed, no timer, no link and no listener may be left. */
async function closeAll(world: World, nodes: readonly WorldNode[]): Promise<void> {
  try {
    await world.settle(Promise.all(nodes.map(async ({ node }) => node?.close())), exchangeMs)
  } catch (error) {
    world.violation(`the nodes do not close: ${String(error)}`)
  }
  await world.run(world.now + quietMs)
  if (world.scheduler.waiting > 0)
    world.violation(`${world.scheduler.waiting} timers are left after every node has closed`)
  for (const ends of world.network.links) {
    for (const end of ends)
      if (!end.isClosed)
        world.violation(`link ${end.number} is open at ${end.process.host.name} after every node has closed`)
  }
  for (const { name, host } of nodes)
    if (host.process?.acceptsByPort.size !== 0) world.violation(`${name} listens after its close`)
}

function describe(record: CircuitRecord): string {
  const flows = record.flows.map(({ sent, received }) => `${received}/${sent.length}`).join(' and ')
  const ends = [record.opener, record.acceptor].map((end) => {
    const { name, isDead, ended, closing, aborted, reason, isDone, sawEnd, circuit } = end
    const state = {
      state: circuit?.state,
      isDead,
      ended,
      closes: closing !== undefined,
      aborted,
      over: reason !== undefined,
      isDone,
      sawEnd,
    }
    return `${name} ${JSON.stringify(state)}`
  })
  return `${flows} delivered, ${record.isSettled ? 'open settled' : 'open not settled'}, ${ends.join(', ')}`
}
