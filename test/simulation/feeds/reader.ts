import type { ErrorCode } from '../../../src/base/error.ts'
import type { Feed } from '../../../src/feed/feed-api.ts'
import type { SeededRandom } from '../../../src/testing/index.ts'
import { Open, patience, type Life } from './life.ts'
import type { Reading, Site } from './site.ts'

/** Whoever keeps a copy of a feed, and reads it, for one life of its site. */
export class Reader {
  readonly #site: Site
  readonly #life: Life
  readonly #reading: Reading
  readonly #random: SeededRandom

  constructor(site: Site, life: Life, reading: Reading, random: SeededRandom) {
    this.#site = site
    this.#life = life
    this.#reading = reading
    this.#random = random
  }

  async work(gapMs: number): Promise<void> {
    const { options, subject, does } = this.#reading
    const life = this.#life
    while (!life.isOver) {
      const feed = await life.call(`open ${subject.name}`, life.feeds.open(subject.id, options))
      if (feed === undefined) return
      const open = Open.of(life, feed, subject, this.#reading.wanted)
      const untilMs = life.world.now + this.#random.logarithmic(500, 20_000)
      await this.#wantAgain(feed)
      if (does === 'follows') await this.#follow(open, untilMs)
      else await this.#use(open, untilMs, gapMs)
      if (life.isOver || this.#site.isDone) return
      if (!this.#reading.closes) continue
      await life.call('close a feed', open.close())
      await life.sleep(this.#random.logarithmic(1, 500))
      if (this.#site.isDone) return this.#last()
    }
  }

  /** It is open when all is over. */
  #last(): void {
    const { options, subject } = this.#reading
    const life = this.#life
    void life.call(`open ${subject.name}`, life.feeds.open(subject.id, options)).then(async (feed) => {
      if (feed === undefined) return
      const open = Open.of(life, feed, subject, this.#reading.wanted)
      await this.#wantAgain(open.feed)
    })
  }

  /** Nothing but a call says that a sparse feed is to have a block: what was wanted before is wanted again. */
  async #wantAgain(feed: Feed): Promise<void> {
    if (this.#reading.options.mode !== 'sparse') return
    for (const index of this.#reading.wanted) {
      const done = feed.download({ start: index, end: index + 1 }, { signal: this.#life.ending.signal })
      void this.#life.call(`download ${index} again`, done, this.#may())
    }
    await Promise.resolve()
  }

  async #use(open: Open, untilMs: number, gapMs: number): Promise<void> {
    const { does } = this.#reading
    const life = this.#life
    const random = this.#random
    while (!this.#isEnough(untilMs)) {
      await life.sleep(random.logarithmic(10, gapMs * 10))
      if (this.#isEnough(untilMs)) return
      if (does === 'picks') await this.#pick(open)
      else if (does === 'iterates') await this.#iterate(open, this.#start(open.feed))
    }
  }

  /** One thing that a sparse feed is for. */
  async #pick(open: Open): Promise<void> {
    const { feed, subject } = open
    const random = this.#random
    const life = this.#life
    if (feed.length === 0) return
    const start = random.integer(0, feed.length - 1)
    const end = Math.min(feed.length, start + Math.ceil(random.logarithmic(1, 40)))
    const lot = random.real()
    if (lot < 0.2) {
      for (let index = start; index < end; index += 1) this.#reading.wanted.delete(index)
      open.clear(start, end)
      await life.call(`clear ${start}`, feed.clear(start, end))
    } else if (lot < 0.5) await this.#read(open, start)
    else if (lot < 0.6) await this.#iterate(open, start, end)
    else {
      for (let index = start; index < end; index += 1) this.#reading.wanted.add(index)
      const signal = random.chance(0.3) ? patience(life, 1_000) : life.ending.signal
      const done = life.call(
        `download ${start} of ${subject.name}`,
        feed.download({ start, end }, { signal }).then(() => {
          for (let index = start; index < end; index += 1) this.#noteHere(feed, index)
        }),
        this.#may(),
      )
      if (random.chance(0.3)) await Promise.race([done, life.sleep(500)])
    }
  }

  /** The beginning now and then, the last blocks else. */
  #start({ length }: Feed): number {
    return this.#random.chance(0.2) ? 0 : Math.max(0, length - this.#random.integer(0, 80))
  }

  #noteHere(feed: Feed, index: number): void {
    if (!feed.has(index) && this.#reading.wanted.has(index) && !this.#site.isRotten)
      this.#life.world.mark('downloaded and gone again')
  }

  async #read(open: Open, index: number): Promise<void> {
    const life = this.#life
    const { fork } = open.feed
    this.#reading.wanted.add(index)
    const read = open.feed.read(index, { signal: patience(life, 3_000) })
    const block = await life.call(`read ${index} of ${open.subject.name}`, read, this.#may())
    if (block !== undefined) open.check(fork, index, block)
  }

  async #iterate(open: Open, from = 0, to?: number): Promise<void> {
    const signal = patience(this.#life, 3_000)
    await this.#take(open, open.feed.blocks({ from, ...(to !== undefined && { to }), signal }), from)
  }

  async #follow(open: Open, untilMs: number): Promise<void> {
    const from = this.#start(open.feed)
    const signal = patience(this.#life, untilMs - this.#life.world.now)
    await this.#take(open, open.feed.blocks({ from, isLive: true, signal }), from)
  }

  async #take(open: Open, blocks: AsyncIterable<Uint8Array>, from: number): Promise<void> {
    const life = this.#life
    const iterator = blocks[Symbol.asyncIterator]()
    for (let index = from; ; index += 1) {
      const { fork } = open.feed
      const next = await life.call(`block ${index} of ${open.subject.name}`, iterator.next(), this.#may())
      if (next === undefined || next.done === true) return
      open.check(fork, index, next.value)
      if (this.#random.chance(0.02)) await life.sleep(this.#random.logarithmic(1, 200))
    }
  }

  /** Whether it may be frozen is asked when it is said to be. */
  #may(): readonly ErrorCode[] {
    return ['TIMEOUT', 'STORE_CLOSED', 'FEED_FROZEN']
  }

  #isEnough(untilMs: number): boolean {
    return this.#life.isOver || this.#site.isDone || this.#life.world.now >= untilMs
  }
}
