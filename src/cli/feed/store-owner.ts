import { setTimeout as delay } from 'node:timers/promises'
import { PlaitError, type ErrorFacts } from '../../base/error.ts'
import type { FeedId } from '../../feed/feed-id.ts'
import { formatFeedLink, type FeedLink } from '../../feed/feed-link.ts'
import { parseUrl } from '../../node/url.ts'
import { askProgram, askPrograms, isGone } from '../control/control-client.ts'
import type { ControlAddress } from '../control/control-folder.ts'
import type { ControlAnswers, ControlRequest, FeedFacts, FeedsAnswer } from '../control/control-protocol.ts'
import { FeedHost, type FeedHostOptions } from './feed-host.ts'
import { resolveFeed } from './feed-target.ts'

/** A program that has just begun has its store before it can be asked, and one that ends has it for a moment longer. */
const patienceMs = 3_000
const againMs = 100

/** Another program of this user, which has the store: it is asked for what this one would do itself. */
export class StoreOwner {
  readonly pid: number
  readonly #address: ControlAddress
  readonly #facts: FeedsAnswer

  constructor(address: ControlAddress, facts: FeedsAnswer) {
    this.pid = address.pid
    this.#address = address
    this.#facts = facts
  }

  get feeds(): FeedsAnswer['feeds'] {
    return this.#facts.feeds
  }

  async create(): Promise<FeedId> {
    return (await askProgram(this.#address, { command: 'feed-create' })).id
  }

  /** Rejects as `fetchFrom` does. */
  clone(link: FeedLink): Promise<ControlAnswers['feed-clone']> {
    return askProgram(this.#address, { command: 'feed-clone', link: formatFeedLink(link) })
  }

  /** The feed as it is now. */
  async look(id: FeedId): Promise<FeedFacts | undefined> {
    return (await askProgram(this.#address, { command: 'feeds' })).feeds.find((feed) => feed.id === id)
  }

  /**
   * Blocks of 1 MiB in all, or a single one. Resolves when they are durable. Rejects with `STORE_CLOSED` when the program has ended
   * before, and with `LINK_LOST` when nobody knows whether they were appended.
   */
  async append(feed: string | undefined, blocks: readonly Uint8Array[]): Promise<ControlAnswers['feed-append']> {
    const texts = blocks.map((block) => Buffer.from(block.buffer, block.byteOffset, block.length).toString('base64'))
    try {
      const request = { command: 'feed-append', blocks: texts } as const
      return await askProgram(this.#address, feed === undefined ? request : { ...request, feed })
    } catch (error) {
      if (isGone(error))
        throw new PlaitError('STORE_CLOSED', `process ${this.pid} has let the store go`, { cause: error })
      if (!PlaitError.is(error) || (error.code !== 'LINK_LOST' && error.code !== 'UNREACHABLE')) throw error
      throw new PlaitError(
        'LINK_LOST',
        `process ${this.pid}, which had the store, has ended; it may have appended the last ${blocks.length} blocks or not: see \`plait feed info\`, and append what is missing`,
        { cause: error },
      )
    }
  }

  /** A link by which this machine gets the feed from it. Throws `UNREACHABLE` when it does not listen. */
  linkTo(name: string): FeedLink {
    const feedId = resolveFeed(name, this.#facts.feeds)
    const [first] = this.#facts.addresses
    if (first === undefined)
      throw new PlaitError('UNREACHABLE', `process ${this.pid} has the store, and does not listen`)
    const { nodeId, addresses } = parseUrl(first)
    return { nodeId, addresses: addresses.map(({ host, port }) => ({ host: loopbackOf(host), port })), feedId }
  }
}

/** The store, if nobody has it, else who has it. Rejects with `STORE_IN_USE` when that program cannot be asked. */
export async function openHostOrOwner(options: FeedHostOptions): Promise<FeedHost | StoreOwner> {
  const opened = await openOrAsk(() => FeedHost.open(options), { command: 'feeds' })
  return opened instanceof FeedHost ? opened : new StoreOwner(opened.address, opened.answer)
}

/** What `open` opens, if nobody has its store, else what the program that has it answers. Rejects as `openHostOrOwner`. */
export async function openOrAsk<Host extends object, Request extends ControlRequest>(
  open: () => Promise<Host>,
  request: Request,
): Promise<Host | { readonly address: ControlAddress; readonly answer: ControlAnswers[Request['command']] }> {
  const deadline = performance.now() + patienceMs
  for (;;) {
    try {
      return await open()
    } catch (error) {
      const pid = PlaitError.is(error) && error.code === 'STORE_IN_USE' ? error.facts['pid'] : undefined
      if (typeof pid !== 'number') throw error
      const [asked] = await askPrograms(request, { pid })
      if (asked !== undefined && !PlaitError.is(asked.answer)) return { address: asked.address, answer: asked.answer }
      if (performance.now() > deadline) throw inUse(error as PlaitError, pid, 'and does not answer for it')
    }
    await delay(againMs)
  }
}

/** The store, which this command has to have for itself. Rejects with `STORE_IN_USE`, in words that say what to do. */
export function openHost(options: FeedHostOptions): Promise<FeedHost> {
  return openAlone(() => FeedHost.open(options))
}

/** What `open` opens; rejects as `openHost`. */
export async function openAlone<Host>(open: () => Promise<Host>): Promise<Host> {
  try {
    return await open()
  } catch (error) {
    if (!PlaitError.is(error) || error.code !== 'STORE_IN_USE') throw error
    throw inUse(error, error.facts['pid'], 'and this command has to have it for itself')
  }
}

function inUse(error: PlaitError, pid: ErrorFacts[string] | undefined, why: string): PlaitError {
  const who = pid === undefined ? 'another process' : `process ${String(pid)}`
  return new PlaitError(
    'STORE_IN_USE',
    `${who} has the store ${String(error.facts['path'])}, ${why}; stop it first, or take another folder with --store`,
    { facts: error.facts, cause: error },
  )
}

/** It listens on every interface: this machine's own is enough. */
function loopbackOf(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1'
  return host === '::' ? '::1' : host
}
