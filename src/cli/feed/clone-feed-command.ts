import type { Command } from 'commander'
import type { Feed } from '../../feed/feed-api.ts'
import type { FeedLink } from '../../feed/feed-link.ts'
import { formatAddress } from '../../node/url.ts'
import { reportConnection } from '../connection-report.ts'
import { jsonLine } from '../printable.ts'
import { ProgressReport } from '../progress-report.ts'
import { StopSignals } from '../stop-signals.ts'
import type { Terminal } from '../terminal.ts'
import { countOf, formatBytes, formatDuration } from '../units.ts'
import { announceFeed } from './announce.ts'
import { addServeFlags, networkOf, storeFolder, type ServeFlags } from './feed-flags.ts'
import type { FeedHost } from './feed-host.ts'
import { connectTo, keepConnecting, knownBy } from './feed-peers.ts'
import { feedProgress, type FeedProgress } from './feed-progress.ts'
import { readFeedLink } from './feed-target.ts'
import { ServeReport } from './serve-report.ts'
import { openHost } from './store-owner.ts'

interface CloneFlags extends ServeFlags {
  readonly serve?: boolean
}

interface Run {
  readonly link: FeedLink
  readonly host: FeedHost
  readonly flags: CloneFlags
  readonly terminal: Terminal
  readonly json: boolean
  readonly signal: AbortSignal
}

export function addCloneFeedCommand(feed: Command, terminal: Terminal, done: (code: number) => void): void {
  addServeFlags(
    feed
      .command('clone')
      .description('Fetch all of a feed into the store; every block is verified. Run again, it fetches what is new.')
      .argument('<LINK>', 'the link to the feed, in quotes; - reads it from standard input')
      .option('--serve', 'then go on following the feed, and serve it to others by a link of its own, until Ctrl-C'),
  )
    .addHelpText(
      'after',
      "\nExample:\n  plait feed clone 'plait://...' --serve\n\nExit code: 0 when all of it is here.",
    )
    .action(async (link: string, flags: CloneFlags) => done(await clone(link, flags, terminal)))
}

async function clone(linkText: string, flags: CloneFlags, terminal: Terminal): Promise<number> {
  using stop = new StopSignals()
  const { signal } = stop
  const json = flags.json === true
  const link = await readFeedLink(linkText, signal)
  const network = networkOf(flags, flags.serve === true ? 'everywhere' : 'here')
  await using host = await openHost({ folder: storeFolder(flags), network, terminal, json })
  const run = { link, host, flags, terminal, json, signal }
  const feed = await host.open(link.feedId, { mode: 'full', isLive: flags.serve === true })
  const isNew = feed.length === 0
  if (flags.serve !== true) {
    await connect(run, feed)
    await fetchAll(run, feed)
    return 0
  }
  using _report = new ServeReport(host, { terminal, json })
  // A copy that is here already can be served, whether or not the others can be reached now.
  if (isNew) await connect(run, feed)
  else void keepConnecting(host, link, run)
  announceFeed(host, feed, { terminal, json, linkTo: 'stdout' })
  host.onOpened = (opened) => announceFeed(host, opened, { terminal, json, linkTo: 'stdout' })
  if (!json) terminal.note('Ctrl-C ends it')
  if (isNew) await fetchAll(run, feed).catch((error: unknown) => endUnlessStopped(error, signal))
  await stop.stopped()
  return 0
}

async function connect({ host, link, flags, terminal, json, signal }: Run, feed: Feed): Promise<void> {
  const waitMs = flags.wait * 1_000
  try {
    await connectTo(host, link, signal)
    if (host.node !== undefined) reportConnection(host.node, waitMs, terminal, json)
    await knownBy(feed, link, { waitMs, signal })
  } catch (error) {
    // A feed that nobody was found to have leaves nothing in the store.
    if (feed.length === 0 && !feed.isWritable) await host.feeds.remove(feed.id)
    throw error
  }
}

/** All blocks that the feed has by now. */
async function fetchAll({ link, terminal, json, signal }: Run, feed: Feed): Promise<void> {
  const startedMs = performance.now()
  const progress = feedProgress(feed, `connecting to ${link.addresses.map(formatAddress).join(', ')}`)
  const report = new ProgressReport(progress, { terminal, json })
  try {
    await feed.download({ start: 0, end: feed.length }, { signal })
  } finally {
    report.close()
  }
  summarize(feed, progress, performance.now() - startedMs, { terminal, json })
}

function summarize(
  feed: Feed,
  { fetched }: FeedProgress,
  elapsedMs: number,
  { terminal, json }: Pick<Run, 'terminal' | 'json'>,
): void {
  const { id, length, bytes, held } = feed.status()
  const bytesPerSecond = (fetched.bytes * 1_000) / elapsedMs
  if (json) {
    const facts = { id, length, bytes, held, blocksFetched: fetched.items, bytesFetched: fetched.bytes }
    return terminal.print(
      jsonLine({
        event: 'summary',
        ...facts,
        elapsedMs: Math.round(elapsedMs),
        bytesPerSecond: Math.round(bytesPerSecond),
      }),
    )
  }
  const speed = `${formatBytes(fetched.bytes)} in ${formatDuration(elapsedMs)}, ${formatBytes(bytesPerSecond)}/s`
  const news = fetched.items === 0 ? 'nothing fetched' : `${countOf(fetched.items, 'block')} fetched (${speed})`
  terminal.note(`all ${countOf(length, 'block')} (${formatBytes(bytes)}) are here and verified: ${news}`)
}

function endUnlessStopped(error: unknown, signal: AbortSignal): void {
  if (!signal.aborted) throw error
}
