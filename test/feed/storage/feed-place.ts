import { feeds } from '../../../src/feed/feeds.ts'
import type { Feeds, WritableFeed } from '../../../src/feed/feed-api.ts'
import { simulatedIdentity, simulatedVerify } from '../../../src/identity/simulated.ts'
import type { Identity } from '../../../src/identity/identity.ts'
import type { Runtime } from '../../../src/runtime/runtime.ts'
import { SimulatedDisk } from '../../../src/runtime/simulated/disk.ts'
import { silentProbe } from '../../../src/runtime/probe.ts'
import { SeededRandom } from '../../../src/runtime/simulated/random.ts'
import { simulatedRuntime } from '../../../src/runtime/simulated/simulated-runtime.ts'
import { openStore } from '../../../src/store/open-store.ts'

/** Feeds of nobody but themselves, on a simulated disk that can be opened again and again. */
export class FeedPlace {
  readonly disk: SimulatedDisk
  readonly identity: Identity = simulatedIdentity(Uint8Array.of(1))

  constructor(disk: SimulatedDisk = new SimulatedDisk()) {
    this.disk = disk
  }

  async open(): Promise<Feeds> {
    return feeds(undefined, await openStore('', { runtime: this.runtime() }), { verify: simulatedVerify })
  }

  runtime(): Runtime {
    return simulatedRuntime({ disk: this.disk, random: new SeededRandom('feeds'), probe: silentProbe })
  }

  /** The one feed that is written here. */
  writable(feedsHere: Feeds): Promise<WritableFeed> {
    return feedsHere.create({ identity: this.identity })
  }
}

/** A block that says which one it is. */
export function blockOf(index: number, bytes: number = 1 + ((index * 37) % 200)): Uint8Array {
  return new SeededRandom(index).bytes(bytes)
}

export function blocksFrom(start: number, end: number): Uint8Array[] {
  return Array.from({ length: end - start }, (_value, index) => blockOf(start + index))
}
