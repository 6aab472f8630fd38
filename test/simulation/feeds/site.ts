import { PlaitError } from '../../../src/base/error.ts'
import type { FeedLogBounds, FeedOptions, Feeds } from '../../../src/feed/feed-api.ts'
import { feeds as openFeeds } from '../../../src/feed/feeds.ts'
import { simulatedVerify } from '../../../src/identity/simulated.ts'
import type { PlaitNode } from '../../../src/node/node-api.ts'
import { openStore } from '../../../src/store/open-store.ts'
import type { Process, SeededRandom, World, WorldNode } from '../../../src/testing/index.ts'
import { withHooks } from './hooks.ts'
import type { Ledger } from './ledger.ts'
import { Life, type Subject } from './life.ts'
import type { SealedLedger } from './sealed-ledger.ts'
import { SiteDisk } from './site-disk.ts'
import { misbehave, type Villainy } from './villain.ts'

/** A feed that is kept at a site: how, and what is done with it. */
export interface Reading {
  readonly subject: Subject
  readonly options: FeedOptions
  readonly does: 'nothing' | 'iterates' | 'follows' | 'picks'
  /** Blocks that were asked for, by fork, and not given up. */
  readonly wanted: Set<number>
  /** It is closed now and then, and opened again. */
  readonly closes: boolean
}

export interface SiteOptions {
  readonly world: World
  readonly name: string
  readonly random: SeededRandom
  readonly bounds: FeedLogBounds
  readonly resumeMs: number
  readonly villainy: Villainy | undefined
  /** Whether an honest site is this one. */
  readonly isHonest: (nodeId: string) => boolean
  /** Sets the feeds of each life to work. */
  readonly begin: (site: Site, life: Life) => void
}

/** What opening may fail with while the disk fails. */
const diskCodes: readonly string[] = ['NO_SPACE', 'STORE_FAILED', 'FILE_FAILED']

/** One machine with a store: what it writes and keeps, through all its lives. */
export class Site {
  readonly name: string
  readonly disk: SiteDisk
  readonly node: WorldNode
  readonly isBad: boolean
  writes: Ledger | undefined
  seals: SealedLedger | undefined
  readonly reads: Reading[] = []
  life: Life | undefined
  /** Something was done to its disk that makes whatever it says of missing blocks right. */
  isRotten = false
  /** Its disk was put back as it was before. */
  isPutBack = false
  /** It does not append for now: it was put back, and has to learn first what it had written. */
  isHeldBack = false
  /** Whoever has more of its feed has the same: what it appends while it is behind has to be refused. */
  mayTry = false
  /** Nothing is begun any more. */
  isDone = false
  downloaded = 0
  readonly #options: SiteOptions
  #isOpening = false

  constructor(options: SiteOptions) {
    const { world, name, random, resumeMs, villainy } = options
    this.#options = options
    this.name = name
    this.isBad = villainy !== undefined
    this.disk = new SiteDisk(world, random.fork('disk'))
    // The store of that sync takes nothing more, and no other one: it need not be the one that was open when the fault was planned.
    this.disk.onFailedSync = () => this.life?.excused.add('STORE_FAILED')
    this.node = world.addNode(name, { resumeMs }, (node, process) => this.#start(node, process))
  }

  /** Something that was there may be gone. */
  get isLossy(): boolean {
    return this.isRotten || this.isPutBack
  }

  get world(): World {
    return this.#options.world
  }

  /** Closes the feeds and opens them again, in the same process. */
  async reopen(): Promise<void> {
    const { life, node } = this
    if (life === undefined || life.isOver || this.#isOpening || node.node === undefined) return
    await this.close()
    if (!life.process.scope.ended) await this.#open(node.node, life.process)
  }

  async close(): Promise<void> {
    const { life } = this
    if (life === undefined) return
    await life.close(30_000)
    this.downloaded += life.downloaded
    if (this.life === life) this.life = undefined
  }

  /** The machine goes down; `power` when its disk loses what was not synced. */
  crash(power: boolean): void {
    if (this.node.host.process === undefined) return
    this.world.crash(this.name, { power })
    this.downloaded += this.life?.downloaded ?? 0
    this.life = undefined
    this.disk.process = undefined
    if (power) this.disk.cutPower()
  }

  async #start(node: PlaitNode, process: Process): Promise<void> {
    this.disk.process = process
    await this.#open(node, process)
  }

  async #open(node: PlaitNode, process: Process): Promise<void> {
    this.#isOpening = true
    try {
      const opened = await this.#tryOpen(node, process)
      if (process.scope.ended || opened === undefined) return
      const life = new Life(this.world, process, opened)
      if (this.disk.isFull) for (const code of ['NO_SPACE', 'STORE_FAILED'] as const) life.excused.add(code)
      this.life = life
      this.#options.begin(this, life)
    } finally {
      if (!process.scope.ended) this.#isOpening = false
    }
  }

  async #tryOpen(node: PlaitNode, process: Process): Promise<Feeds | undefined> {
    const { world, random, villainy, isHonest, bounds } = this.#options
    const hooks = {
      ...(villainy !== undefined && { sends: hooked(villainy, random.fork('villainy')) }),
      aborts: (remoteId: string, reason: unknown) => {
        if (!this.isBad && isHonest(remoteId) && isAccusation(reason) && !this.#mayAccuse())
          world.violation(`${this.name} ends an honest peer: ${reason.code} ${reason.message}`)
      },
    }
    for (let tries = 0; tries < 100 && !process.scope.ended; tries += 1) {
      const had = this.disk.disk.files().has('checkpoint')
      try {
        const store = await openStore('', { runtime: { ...process.runtime, disk: this.disk.disk } })
        const found = await openFeeds(withHooks(node, hooks), store, { verify: simulatedVerify, log: bounds })
        this.#noteOpening(found, had)
        return found
      } catch (error) {
        if (process.scope.ended) return undefined
        if (!PlaitError.is(error) || !diskCodes.includes(error.code)) throw error
        world.mark('opening failed for the disk')
        await new Promise<void>((resolve) => void process.runtime.timers.after(100, resolve))
      }
    }
    throw new Error('the feeds cannot be opened')
  }

  #noteOpening({ report }: Feeds, had: boolean): void {
    const { world, name } = this
    if (report.from > 0) world.mark('checkpoint used')
    else if (had) world.mark('checkpoint damaged')
    else if (!report.isNew) world.mark('checkpoint missing')
    world.note(name, `opened ${report.from} ${report.records} ${report.torn?.bytes ?? 0} ${report.rot.length}`)
    if (report.rot.length > 0 && !this.isRotten)
      world.violation(`${name} reports rot at ${report.rot[0]?.position}, and nothing has rotted`)
  }

  /** Where a feed has forked honest peers hold each other's proofs for lies until they learn why. */
  #mayAccuse(): boolean {
    return this.writes?.mayFork === true || this.reads.some(({ subject }) => subject.mayFork)
  }
}

function hooked(villainy: Villainy, random: SeededRandom): (remoteId: string, fragment: Sent) => Sent | undefined {
  const send = misbehave(villainy, random)
  return (_remoteId, fragment) => send(fragment)
}

type Sent = Parameters<ReturnType<typeof misbehave>>[0]

function isAccusation(reason: unknown): reason is PlaitError {
  return PlaitError.is(reason) && ['CORRUPT', 'PROTOCOL', 'LIMIT'].includes(reason.code)
}
