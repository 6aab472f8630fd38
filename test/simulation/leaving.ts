import type { SeededRandom } from '../../src/testing/index.ts'
import type { WorldNode } from '../../src/testing/index.ts'
import type { Workload } from './workload.ts'

/** A node that closes waits 5 s for what it has sent, and a moment for its goodbyes. */
const closeMs = 8_000

/** Nodes that close in good order in the midst of everything, and come back as new processes. */
export function scheduleLeaves(workload: Workload, random: SeededRandom, untilMs: number, count: number): void {
  const { world, nodes } = workload
  for (let index = 0; index < count; index += 1) {
    world.scheduler.at(random.real() * untilMs, () => {
      const downMs = random.logarithmic(5, 5_000)
      void leave(workload, random.pick(nodes), Math.min(downMs, untilMs - world.now))
    })
  }
}

async function leave(workload: Workload, { name, host, node }: WorldNode, downMs: number): Promise<void> {
  const { world } = workload
  const { process } = host
  if (process === undefined || node === undefined) return
  world.disturb(name)
  workload.leaving += 1
  for (const { opener, acceptor } of workload.records) {
    for (const end of [opener, acceptor]) if (end.name === name && end.reason === undefined) end.left = true
  }
  let isClosed = false
  world.scheduler.at(
    world.now + closeMs,
    () => {
      if (!isClosed) world.violation(`${name} has not closed within ${closeMs} ms`)
    },
    process.scope,
  )
  await node.close()
  isClosed = true
  world.end(name)
  world.scheduler.at(world.now + downMs, () => {
    world.restart(name)
    workload.leaving -= 1
  })
}
