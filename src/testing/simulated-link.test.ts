import { describe, expect, it } from 'vitest'
import type { Link } from '../link/link.ts'
import type { LinkPair } from './link-cases.ts'
import { linkSuite } from './link-suite.ts'
import { addressOf, type Process } from './process.ts'
import { simulatedTransport } from './simulated-transport.ts'
import { World, type WorldOptions } from './world.ts'

/** A world of two hosts with one link between them, whose time goes on by itself for as long as the test waits for something. */
async function linkedPair(
  options: WorldOptions,
): Promise<LinkPair & { readonly world: World; readonly stop: () => void }> {
  const world = new World(options)
  const processes: Process[] = []
  for (const name of ['near', 'far']) world.addHost(name, (process) => processes.push(process))
  const [near, far] = processes as [Process, Process]
  const farLink = new Promise<Link>(
    (resolve) => void simulatedTransport(world.network, far).listen(addressOf(far.host), resolve),
  )
  const nearLink = await world.settle(
    simulatedTransport(world.network, near).dial(addressOf(far.host), { remoteId: far.host.identity.id }),
  )
  let isOver = false
  const stop = (): void => void (isOver = true)
  void (async () => {
    while (!isOver) {
      await world.run(() => isOver)
      await new Promise((resolve) => setImmediate(resolve))
    }
  })()
  return {
    world,
    near: nearLink,
    far: await farLink,
    timers: near.runtime.timers,
    stop,
    close: () => {
      stop()
      expect(world.violations).toEqual([])
    },
  }
}

let seed = 0
const conditions = { socketBytes: 0, latencyMs: 2, jitterMs: 1 }
linkSuite('simulated', () => linkedPair({ seed: (seed += 1), conditions }), { describe, it, expect })
linkSuite(
  'simulated, cut into small pieces',
  () => linkedPair({ seed: (seed += 1), conditions: { ...conditions, splits: 0.9, readsLate: true } }),
  {
    describe,
    it,
    expect,
  },
)

it('overwrites what it has lent, and reports who changes what was lent to it', async () => {
  const pair = await linkedPair({ seed: 1, conditions: { ...conditions, splits: 0, readsLate: true } })
  const lent: Uint8Array[] = []
  const copies: number[][] = []
  pair.far.attach({
    data(bytes) {
      lent.push(bytes)
      copies.push([...bytes])
    },
    drain() {},
    close() {},
  })
  const closed = new Promise((resolve) => pair.near.attach({ data() {}, drain() {}, close: resolve }))
  const reused = Uint8Array.of(1, 2, 3)
  pair.near.write([reused])
  reused[1] = 9
  pair.near.close()
  expect(await closed).toBe(undefined)
  pair.stop()
  expect(copies).toEqual([[1, 9, 3]])
  expect([...lent[0]!]).toEqual([0xdb, 0xdb, 0xdb])
  expect(pair.world.violations).toEqual([expect.stringMatching(/changed 3 bytes that it had lent/)])
})
