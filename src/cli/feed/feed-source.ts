import { PlaitError } from '../../base/error.ts'
import type { Feed } from '../../feed/feed-api.ts'
import type { FeedLink } from '../../feed/feed-link.ts'
import type { Terminal } from '../terminal.ts'
import { networkOf, storeFolder, type NetworkFlags } from './feed-flags.ts'
import { FeedHost } from './feed-host.ts'
import { connectTo, knownBy } from './feed-peers.ts'
import { reportAbsence } from './report-absence.ts'
import { resolveFeed, type FeedTarget } from './feed-target.ts'
import { openHost, openHostOrOwner } from './store-owner.ts'

/** A feed to read from, wherever it is. */
export interface FeedSource extends AsyncDisposable {
  readonly host: FeedHost
  readonly feed: Feed
  /** Blocks that are not here come from elsewhere. */
  readonly isRemote: boolean
  /** What is fetched is kept no longer than the command runs. */
  readonly isTemporary: boolean
}

export interface SourceOptions {
  readonly flags: NetworkFlags
  /** New blocks are to come by themselves. */
  readonly isLive: boolean
  readonly terminal: Terminal
  readonly signal: AbortSignal
}

/**
 * A link is fetched from, into the store that `--store` names, or into none. An id is read from the store, or, when a running program
 * has that, from this program as from any other node.
 */
export async function openFeedSource(target: FeedTarget, options: SourceOptions): Promise<FeedSource> {
  const { flags, isLive, terminal } = options
  const common = { terminal, json: flags.json === true }
  const folder = storeFolder(flags)
  if (target.link !== undefined) {
    const isTemporary = flags.store === undefined
    const network = networkOf(flags, isTemporary ? 'nowhere' : 'here')
    const host = await openHost({ ...common, network, folder: isTemporary ? undefined : folder })
    return fetching({ host, link: target.link, isTemporary }, options)
  }
  // With a node, so that other commands can use the store meanwhile.
  const opened = await openHostOrOwner({ ...common, network: networkOf(flags, 'here'), folder })
  if (!(opened instanceof FeedHost)) {
    const link = opened.linkTo(target.name)
    const host = await FeedHost.open({ ...common, network: networkOf(flags, 'nowhere') })
    return fetching({ host, link, isTemporary: true }, options)
  }
  return closingOnError(opened, async () => {
    const feed = await opened.open(resolveFeed(target.name, opened.feeds.list()), { mode: 'sparse', isLive })
    return sourceOf(opened, feed, { isRemote: false, isTemporary: false })
  })
}

function fetching(
  { host, link, isTemporary }: { host: FeedHost; link: FeedLink; isTemporary: boolean },
  { flags, isLive, terminal, signal }: SourceOptions,
): Promise<FeedSource> {
  return closingOnError(host, async () => {
    const feed = await host.open(link.feedId, { mode: 'sparse', isLive })
    await connectTo(host, link, signal)
    await knownBy(feed, link, { waitMs: flags.wait * 1_000, signal })
    // Also with `--json`: standard output has the blocks.
    reportAbsence(host, link.nodeId, terminal, false)
    return sourceOf(host, feed, { isRemote: true, isTemporary })
  })
}

function sourceOf(host: FeedHost, feed: Feed, is: Pick<FeedSource, 'isRemote' | 'isTemporary'>): FeedSource {
  return { host, feed, ...is, [Symbol.asyncDispose]: () => host.close() }
}

async function closingOnError<Value>(host: FeedHost, run: () => Promise<Value>): Promise<Value> {
  try {
    return await run()
  } catch (error) {
    await host.close()
    throw error
  }
}

/** The end of what is here from `from` on without a hole. */
export function heldUntil(feed: Feed, from: number, to: number): number {
  let end = Math.max(from, Math.min(to, feed.contiguousLength))
  while (end < to && feed.has(end)) end += 1
  return end
}

/** What to say of a block that is neither here nor can come from elsewhere. */
export function missingBlock(index: number): PlaitError {
  return new PlaitError(
    'UNREACHABLE',
    `block ${index} is not in this store; name a link to a node that has it, or fetch all with \`plait feed clone LINK\``,
  )
}
