import type { SpreadReport } from '../../../src/broadcast/spread/task.ts'
import type { Identity } from '../../../src/identity/identity.ts'
import type { NodeId } from '../../../src/identity/node-id.ts'
import type { SeededRandom } from '../../../src/runtime/simulated/random.ts'
import { pairOf, type Manner, type Site } from '../../broadcast/network.ts'
import type { Entry } from './ledger.ts'
import type { BroadcastWorld } from './world.ts'

/** Fewer members than these do not stay alone. */
const fewest = 3
const beginMs = 3_000
/** By then all have found each other. */
const settledMs = 15_500
/** Clocks begin here. */
const epochBase = 1_000_000

const deeds = ['kill', 'restart', 'restart', 'pause', 'partition', 'join', 'leave'] as const

/** What members do and what is done to them, until all of it ends. */
export class Life {
  readonly untilMs: number
  readonly #world: BroadcastWorld
  readonly #random: SeededRandom
  /** What still goes on, and has to end with everything else. */
  readonly #ends = new Set<() => void>()
  #names = 0
  #texts = 0

  constructor(world: BroadcastWorld) {
    this.#world = world
    this.#random = world.random.fork('life')
    this.untilMs = settledMs + world.profile.activeMs
  }

  begin(): void {
    const { members, lazy, isHaunted, faults, messages } = this.#world.profile
    for (let index = 0; index < members; index += 1) {
      const isLazy = index > 0 && index <= lazy
      const manner = isLazy ? this.#random.pick(['idle', 'stalling'] as const) : 'honest'
      this.#at(index === 0 ? 0 : this.#random.real() * beginMs, () => {
        const site = this.#join(this.#newIdentity(), { manner })
        if (isHaunted && index === members - 1) this.#world.villain = site
      })
    }
    const anyTime = (): number => settledMs + this.#random.real() * (this.untilMs - settledMs)
    for (let index = 0; index < faults; index += 1) this.#at(anyTime(), () => this.#fault())
    for (let index = 0; index < messages; index += 1) this.#at(anyTime(), () => this.publish({ mayBeDirect: true }))
    this.#at(this.untilMs, () => this.#end())
  }

  publish({ mayBeDirect }: { readonly mayBeDirect: boolean }): Entry {
    const { authors, ledger, net } = this.#world
    const author = this.#random.pick(authors)
    const to = mayBeDirect && this.#random.chance(0.2) ? this.#some() : undefined
    const isLong = this.#random.chance(0.05)
    const text = `${(this.#texts += 1)}${'.'.repeat(isLong ? this.#random.integer(1_000, 8_000) : 8)}`
    const told: { entry?: Entry; early?: SpreadReport } = {}
    const { batch } = author.publish(text, to, (report) => {
      if (told.entry === undefined) told.early = report
      else this.#world.reported(told.entry, report)
    })
    const { epoch, counter } = batch
    const entry = ledger.add({ id: { author: author.id, epoch, counter }, author, text, at: net.now, to })
    told.entry = entry
    if (told.early !== undefined) this.#world.reported(entry, told.early)
    if (!entry.isFresh) this.#world.mark('published in an epoch that was over')
    return entry
  }

  /** From now on nothing goes wrong any more. */
  #end(): void {
    for (const end of [...this.#ends]) end()
    this.#world.net.loss = 0
  }

  #fault(): void {
    switch (this.#random.pick(deeds)) {
      case 'kill':
        this.#kill()
        return
      case 'restart':
        return this.#restart()
      case 'pause':
        return this.#pause()
      case 'partition':
        return this.#partition()
      case 'join':
        this.#join(this.#newIdentity(), { manner: 'honest' })
        return
      case 'leave':
        return this.#leave()
    }
  }

  #kill(): Site | undefined {
    const site = this.#anyone()
    if (site === undefined) return undefined
    site.state = this.#random.pick(['silent', 'refusing'])
    this.#world.fault(`killed, ${site.state}`, site.id)
    return site
  }

  #restart(): void {
    const site = this.#kill()
    if (site === undefined) return
    const { net } = this.#world
    this.#after(this.#random.logarithmic(50, 12_000), () => {
      if (net.sitesById.get(site.id) !== site) return
      const isBack = this.#random.chance(0.3)
      const epoch = isBack ? this.#epoch() - this.#random.integer(100_000, 900_000) : this.#epoch()
      this.#world.mark(isBack ? 'restarted with a smaller epoch' : 'restarted with a larger epoch')
      this.#join(site.identity, { manner: site.manner, epoch })
    })
  }

  #pause(): void {
    const site = this.#anyone()
    if (site === undefined) return
    const { net, ledger } = this.#world
    site.state = 'silent'
    this.#world.fault('paused', site.id)
    const over = ledger.separate(net.now, false, (one, other) => one === site.id || other === site.id)
    this.#after(this.#random.logarithmic(100, 8_000), () => {
      over(net.now)
      if (net.sitesById.get(site.id) !== site) return
      site.state = 'up'
      site.wake()
      this.#world.mark('paused')
    })
  }

  #partition(): void {
    const { net, ledger, live } = this.#world
    const part = this.#random.real() * 0.5
    const inner = new Set(live.filter(() => this.#random.chance(part)).map(({ id }) => id))
    const isApart = (one: NodeId, other: NodeId): boolean => inner.has(one) !== inner.has(other)
    const pairs = live.flatMap(({ id }) => live.map((other) => [id, other.id] as const))
    const cuts = pairs.filter(([one, other]) => one < other && isApart(one, other)).map((pair) => pairOf(...pair))
    for (const cut of cuts) net.cuts.add(cut)
    this.#world.fault(`partition, ${inner.size}`, (live[0] as Site).id)
    const over = ledger.separate(net.now, true, isApart)
    this.#after(this.#random.logarithmic(300, 15_000), () => {
      over(net.now)
      for (const cut of cuts) net.cuts.delete(cut)
      this.#world.mark('partition healed')
    })
  }

  #leave(): void {
    const site = this.#anyone()
    if (site === undefined) return
    site.leave()
    site.state = 'refusing'
    this.#world.fault('left', site.id)
    this.#world.mark('left')
  }

  #join(identity: Identity, { manner, epoch = this.#epoch() }: { manner: Manner; epoch?: number }): Site {
    const { live } = this.#world
    const site = this.#world.start(identity, { manner, epoch })
    if (live.length > 0) site.join(this.#random.pick(live).id)
    return site
  }

  /** Somebody who may be missed. */
  #anyone(): Site | undefined {
    const { live, villain } = this.#world
    const others = live.filter((site) => site !== villain)
    return others.length <= fewest ? undefined : this.#random.pick(others)
  }

  /** Of those who are there, and of those who were. */
  #some(): readonly NodeId[] {
    const ids = [...this.#world.net.sitesById.keys()]
    return this.#random.shuffle(ids).slice(0, this.#random.integer(1, 4))
  }

  #newIdentity(): Identity {
    return this.#world.net.identity(`member ${(this.#names += 1)}`)
  }

  #epoch(): number {
    return epochBase + Math.floor(this.#world.now)
  }

  #at(timeMs: number, run: () => void): void {
    this.#world.net.scheduler.at(timeMs, run)
  }

  /** At the latest when all of it ends. */
  #after(delayMs: number, run: () => void): void {
    const end = (): void => {
      if (this.#ends.delete(end)) run()
    }
    this.#ends.add(end)
    this.#at(this.#world.now + delayMs, end)
  }
}
