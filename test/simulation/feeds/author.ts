import type { ErrorCode } from '../../../src/base/error.ts'
import type { WritableFeed } from '../../../src/feed/feed-api.ts'
import type { SeededRandom } from '../../../src/testing/index.ts'
import type { Ledger } from './ledger.ts'
import { Open, patience, type Life } from './life.ts'
import type { Site } from './site.ts'

const refusals: readonly ErrorCode[] = ['FEED_BEHIND', 'FEED_FROZEN']

/** Whoever writes a feed, for one life of its site. */
export class Author {
  readonly #site: Site
  readonly #life: Life
  readonly #ledger: Ledger
  readonly #random: SeededRandom
  readonly #truncates: boolean
  readonly #closes = true
  #open: Open | undefined

  constructor(site: Site, life: Life, ledger: Ledger, random: SeededRandom, truncates: boolean) {
    this.#site = site
    this.#life = life
    this.#ledger = ledger
    this.#random = random
    this.#truncates = truncates
  }

  async work(gapMs: number): Promise<void> {
    const random = this.#random
    let feed = await this.#begin()
    while (feed !== undefined && !this.#life.isOver) {
      await this.#life.sleep(random.logarithmic(1, gapMs * 3))
      if (this.#life.isOver || this.#site.isDone) return
      const lot = random.real()
      if (lot < 0.04 && this.#closes) feed = await this.#again()
      else if (lot < 0.2) await this.#readBack(feed)
      else if (this.#site.isHeldBack) {
        if (this.#site.mayTry && feed.status().isBehind) await this.#appendOnce(feed)
      } else if (lot < 0.26 && this.#truncates) await this.#truncate(feed)
      else await this.#append(feed)
    }
  }

  async #begin(): Promise<WritableFeed | undefined> {
    const life = this.#life
    const { identity } = this.#ledger
    const feed = await life.call(`create ${this.#ledger.name}`, life.feeds.create({ identity }))
    if (feed === undefined) return undefined
    this.#ledger.reopened(feed.fork, feed.length)
    this.#open = Open.of(life, feed, this.#ledger)
    life.world.note(life.name, `writes ${feed.fork} ${feed.length}`)
    return feed
  }

  /** Closes the feed, and opens it again. */
  async #again(): Promise<WritableFeed | undefined> {
    if (this.#open !== undefined) await this.#life.call('close a feed', this.#open.close())
    return this.#begin()
  }

  async #append(feed: WritableFeed): Promise<void> {
    const random = this.#random
    const calls = random.chance(0.7) ? 1 : random.integer(2, 4)
    const answers: Promise<void>[] = []
    for (let call = 0; call < calls; call += 1) answers.push(this.#appendOnce(feed))
    if (random.chance(0.7)) await Promise.all(answers)
  }

  async #appendOnce(feed: WritableFeed): Promise<void> {
    const random = this.#random
    const count = Math.floor(random.logarithmic(1, 30))
    const ledger = this.#ledger
    const blocks = ledger.make(Array.from({ length: count }, () => drawLength(random)))
    const life = this.#life
    const given = count === 1 && random.chance(0.5) ? (blocks[0] as Uint8Array) : blocks
    const start = await life.call(`append to ${ledger.name}`, this.#try(feed, given, blocks), refusals)
    if (start === undefined) return
    ledger.acknowledge(feed.fork, start, blocks)
    life.world.note(life.name, `appended ${feed.fork} ${start} ${count}`)
  }

  async #try(
    feed: WritableFeed,
    given: Uint8Array | readonly Uint8Array[],
    blocks: readonly Uint8Array[],
  ): Promise<number> {
    try {
      return await feed.append(given)
    } catch (error) {
      const { code } = error as { code?: string }
      if (code === 'NO_SPACE') this.#life.world.mark('append refused by a full disk')
      if (code === 'STORE_FAILED') this.#life.world.mark('append refused after a failed sync')
      // Nobody knows of the others whether they will be there after the next opening.
      if (code === 'NO_SPACE' || code === 'FEED_FROZEN') this.#ledger.refuse(blocks)
      throw error
    }
  }

  async #truncate(feed: WritableFeed): Promise<void> {
    const ledger = this.#ledger
    const { held, isBehind, isFrozen } = feed.status()
    // What only others have would be gone for good.
    if (held < feed.length || isBehind || isFrozen || feed.length === 0) return
    const length = this.#random.chance(0.2) ? 0 : this.#random.integer(0, feed.length)
    ledger.beginTruncate(feed.fork, length)
    const done = feed.truncate(length).then(() => true)
    if ((await this.#life.call(`truncate ${ledger.name}`, done, refusals)) === true) ledger.truncated(feed.fork, length)
  }

  async #readBack(feed: WritableFeed): Promise<void> {
    if (feed.length === 0) return
    const life = this.#life
    const random = this.#random
    const index = random.integer(0, feed.length - 1)
    const { fork } = feed
    // A block that has rotted, or was truncated, may come never.
    const signal = patience(life, 2_000)
    const block = await life.call(`read back ${index}`, feed.read(index, { signal }), ['TIMEOUT', 'FEED_FROZEN'])
    if (block !== undefined) this.#open?.check(fork, index, block)
  }
}

export function drawLength(random: SeededRandom): number {
  if (random.chance(0.004)) return random.integer(60_000, 140_000)
  return random.chance(0.02) ? 0 : Math.floor(random.logarithmic(4, 300))
}
