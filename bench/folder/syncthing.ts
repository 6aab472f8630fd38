import { mkdirSync } from 'node:fs'
import { programVersion } from './program-version.ts'
import { SyncthingInstance } from './syncthing-instance.ts'
import type { Copying, Ends, FolderTool } from './tool.ts'

export const syncthing: FolderTool = syncthingWith('syncthing', 10)
/** With the shortest delay that it takes between a change and a look at it. */
export const syncthingTuned: FolderTool = syncthingWith('syncthing-tuned', 1)

function syncthingWith(name: string, delaySeconds: number): FolderTool {
  return {
    name,
    settings: `fsWatcherDelayS ${delaySeconds}; discovery, relays, NAT, reports and upgrades off; TLS`,
    timesWithinNs: 0n,
    isLive: true,
    version: () => programVersion('syncthing', ['--version']),
    open: async (ends) => {
      const pair = new SyncthingPair(ends, delaySeconds)
      await pair.ready()
      return pair
    },
  }
}

class SyncthingPair implements Copying {
  readonly #ends: Ends
  readonly #delaySeconds: number
  readonly #near: SyncthingInstance
  readonly #far: SyncthingInstance
  #isAdded = false

  constructor(ends: Ends, delaySeconds: number) {
    this.#ends = ends
    this.#delaySeconds = delaySeconds
    this.#near = new SyncthingInstance(ends.near)
    this.#far = new SyncthingInstance(ends.far)
  }

  /** Both run and know each other, and the near one has seen all that is in its folder. */
  async ready(): Promise<void> {
    await Promise.all([this.#near.start(), this.#far.start()])
    await this.#near.befriend(this.#far)
    await this.#far.befriend(this.#near)
    await this.#near.add(this.#ends.near.folder, this.#far, this.#delaySeconds)
    await this.#near.waits(({ state, localFiles }) => state === 'idle' && localFiles > 0)
    await this.#connected()
  }

  async once(): Promise<void> {
    if (!this.#far.isRunning) {
      await this.#far.start()
    } else if (this.#isAdded) {
      for (const one of [this.#near, this.#far]) await one.ask('POST', 'db/scan?folder=bench')
    } else {
      this.#isAdded = true
      mkdirSync(this.#ends.far.folder, { recursive: true })
      await this.#far.add(this.#ends.far.folder, this.#near, this.#delaySeconds)
    }
    await this.#level()
  }

  /** It has been so since it was added. */
  async live(): Promise<void> {
    await this.#level()
  }

  async close(): Promise<void> {
    await Promise.all([this.#near.stop(), this.#far.stop()])
  }

  async #level(): Promise<void> {
    const { localFiles } = await this.#near.state()
    await this.#far.waits(
      ({ state, globalFiles, needTotalItems }) =>
        state === 'idle' && globalFiles === localFiles && needTotalItems === 0,
    )
  }

  async #connected(): Promise<void> {
    for (;;) {
      const { connections } = (await this.#near.ask('GET', 'system/connections')) as {
        readonly connections: Readonly<Record<string, { readonly connected: boolean }>>
      }
      if (connections[this.#far.device]?.connected === true) return
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}
