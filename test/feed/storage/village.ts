import type { Feeds } from '../../../src/feed/feed-api.ts'
import { feeds } from '../../../src/feed/feeds.ts'
import { simulatedVerify } from '../../../src/identity/simulated.ts'
import { openStore } from '../../../src/store/open-store.ts'
import { World } from '../../../src/testing/world.ts'
import type { WorldNode } from '../../../src/testing/world-node.ts'

const quiet = { latencyMs: 10, jitterMs: 0, gridMs: 1, splits: 0, bytesPerMs: 1e5, readsLate: false }

/** Whole nodes with feeds on simulated disks, joined by a quiet network. */
export class Village {
  readonly world: World = new World({ seed: 1, conditions: quiet, timerErrors: false })
  readonly feedsByName: Map<string, Feeds> = new Map()
  readonly nodes: Map<string, WorldNode> = new Map()

  async add(name: string): Promise<Feeds> {
    const node = this.world.addNode(name, {}, async (plaitNode, process) => {
      const store = await openStore('', { runtime: process.runtime })
      this.feedsByName.set(name, await feeds(plaitNode, store, { verify: simulatedVerify }))
    })
    this.nodes.set(name, node)
    await this.world.run(() => this.feedsByName.has(name), 1_000)
    return this.of(name)
  }

  of(name: string): Feeds {
    return this.feedsByName.get(name) as Feeds
  }

  address(name: string): string {
    return (this.nodes.get(name) as WorldNode).address
  }
}
