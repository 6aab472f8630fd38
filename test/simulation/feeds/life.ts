import { PlaitError, type ErrorCode } from '../../../src/base/error.ts'
import { Bitmap } from '../../../src/feed/bitmap.ts'
import type { Feed, Feeds } from '../../../src/feed/feed-api.ts'
import type { FeedId } from '../../../src/feed/feed-id.ts'
import { lengthMax } from '../../../src/feed/numbering.ts'
import type { Process, World } from '../../../src/testing/index.ts'

/** A feed as somebody outside of the world knows it. */
export interface Subject {
  readonly id: FeedId
  readonly name: string
  readonly mayFork: boolean
  check(where: string, forks: readonly [number, number], index: number, block: Uint8Array): void
  heard(fork: number, length: number): void
}

/** What may always come of a call on feeds that are being closed. */
const closing: readonly ErrorCode[] = ['STORE_CLOSED', 'CANCELLED', 'NODE_CLOSED']

/** Feeds from their opening to their closing, or to the end of their process. */
export class Life {
  readonly name: string
  readonly feeds: Feeds
  readonly process: Process
  readonly world: World
  /** Ends with the life. */
  readonly ending: AbortController = new AbortController()
  /** Calls that have not been answered. */
  readonly pending: Set<string> = new Set()
  readonly open: Set<Open> = new Set()
  /** What may come of calls here besides, because of what was done to the disk. */
  readonly excused: Set<ErrorCode> = new Set()
  downloaded = 0
  #calls = 0

  constructor(world: World, process: Process, feeds: Feeds) {
    this.name = process.host.name
    this.world = world
    this.process = process
    this.feeds = feeds
  }

  get isOver(): boolean {
    return this.ending.signal.aborted || this.process.scope.ended
  }

  /** Waits for a call: what it gives; undefined when it has failed as it may. */
  async call<Result>(
    what: string,
    result: Promise<Result>,
    may: readonly ErrorCode[] = [],
  ): Promise<Result | undefined> {
    const name = `${what} (${(this.#calls += 1)})`
    this.pending.add(name)
    try {
      return await result
    } catch (error) {
      if (this.process.scope.ended) return undefined
      if (!PlaitError.is(error)) this.wrong(`${what} failed untyped: ${String(error)}`)
      else if (
        !may.includes(error.code) &&
        !this.excused.has(error.code) &&
        !(this.isOver && closing.includes(error.code))
      )
        this.wrong(`${what} failed: ${error.code} ${error.message}`)
      return undefined
    } finally {
      this.pending.delete(name)
    }
  }

  wrong(what: string): void {
    this.world.violation(`${this.name}: ${what}`)
  }

  /** Closes the feeds; every call has to be answered then. */
  async close(limitMs: number): Promise<void> {
    if (this.isOver) return
    const answered = this.call('close', this.feeds.close(), ['STORE_FAILED', 'NO_SPACE', 'FILE_FAILED'])
    // Those whose signal fires are not what is tested here: the others have to end by the closing.
    this.ending.abort(new PlaitError('CANCELLED', 'the feeds are being closed'))
    await answered
    const endMs = this.world.now + limitMs
    while (this.pending.size > 0 && this.world.now < endMs && !this.process.scope.ended) await this.sleep(50)
    if (this.process.scope.ended) return
    for (const what of this.pending) this.wrong(`${what} is not answered although the feeds are closed`)
    this.pending.clear()
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => void this.process.runtime.timers.after(ms, resolve))
  }
}

/** One feed that is open: what it says happens to it is held against what is known. */
export class Open {
  readonly feed: Feed
  readonly subject: Subject
  readonly #life: Life
  /** Blocks that are here, as far as it has said. */
  readonly #here = new Bitmap()
  readonly #lost = new Bitmap()

  /** What is known of a feed that is open. */
  static of(life: Life, feed: Feed, subject: Subject, wanted?: Set<number>): Open {
    for (const open of life.open) if (open.feed === feed) return open
    return new Open(life, feed, subject, wanted)
  }

  private constructor(life: Life, feed: Feed, subject: Subject, wanted?: Set<number>) {
    this.#life = life
    this.feed = feed
    this.subject = subject
    life.open.add(this)
    for (let index = 0; index < feed.length; index += 1) if (feed.has(index)) this.#here.add(index, index + 1)
    this.#listen()
    // What was here is fetched again only if it was asked for since the feed is open.
    feed.addEventListener('truncate', () => wanted?.clear())
  }

  /** Blocks are given up. */
  clear(start: number, end: number): void {
    this.#here.remove(start, end)
  }

  async close(): Promise<void> {
    this.#life.open.delete(this)
    await this.feed.close()
  }

  /** A block that the feed has given; `fork` is what it was before. */
  check(fork: number, index: number, block: Uint8Array): void {
    this.subject.check(this.#life.name, [fork, this.feed.fork], index, block)
  }

  #listen(): void {
    const { feed, subject } = this
    const life = this.#life
    const { world, name } = life
    feed.addEventListener('download', ({ detail: { runs, blocks } }) => {
      let count = 0
      for (let at = 0; at < runs.length; at += 2) {
        const [start, end] = [runs[at] as number, runs[at + 1] as number]
        count += end - start
        if (this.#here.next(start, end) !== undefined)
          life.wrong(`blocks ${start} to ${end} of ${subject.name} are stored a second time`)
        this.#here.add(start, end)
        if (this.#lost.next(start, end) !== undefined) world.mark('lost block fetched again')
        this.#lost.remove(start, end)
      }
      life.downloaded += count
      if (count !== blocks) life.wrong(`${blocks} blocks of ${subject.name} were downloaded in runs of ${count}`)
    })
    feed.addEventListener('lost', ({ detail: { runs } }) => {
      for (let at = 0; at < runs.length; at += 2) {
        this.#here.remove(runs[at] as number, runs[at + 1] as number)
        this.#lost.add(runs[at] as number, runs[at + 1] as number)
      }
    })
    feed.addEventListener('truncate', ({ detail: { length } }) => {
      this.#here.remove(length, lengthMax)
      this.#lost.remove(length, lengthMax)
      world.mark(feed.isWritable ? 'truncated by its writer' : 'truncated elsewhere')
    })
    feed.addEventListener('append', ({ detail: { length } }) => {
      if (!feed.isWritable) subject.heard(feed.fork, length)
      world.note(name, `${subject.name} ${feed.fork} ${length}`)
    })
    feed.addEventListener('conflict', () => {
      world.mark('fork proven')
      if (!subject.mayFork) life.wrong(`${subject.name} is said to be forked, and is not`)
    })
    feed.addEventListener('behind', () => world.mark('writer behind'))
    feed.addEventListener('caughtup', () => world.mark('writer caught up'))
  }
}

/** Fires after a while, as a user gives up who waits for a block that may never come; or when the life ends. */
export function patience(life: Life, ms: number): AbortSignal {
  const controller = new AbortController()
  const give = (code: 'TIMEOUT' | 'CANCELLED'): void => controller.abort(new PlaitError(code, 'no more patience'))
  if (life.isOver) give('CANCELLED')
  life.process.runtime.timers.after(ms, () => give('TIMEOUT'))
  life.ending.signal.addEventListener('abort', () => give('CANCELLED'), { once: true })
  return controller.signal
}
