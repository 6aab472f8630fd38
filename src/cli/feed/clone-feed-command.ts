import { setTimeout as delay } from 'node:timers/promises'
import type { Command } from 'commander'
import { PlaitError } from '../../base/error.ts'
import type { Feed } from '../../feed/feed-api.ts'
import type { FeedLink } from '../../feed/feed-link.ts'
import { formatAddress } from '../../node/url.ts'
import { jsonLine } from '../printable.ts'
import { ProgressReport } from '../progress-report.ts'
import { StopSignals } from '../stop-signals.ts'
import type { Terminal } from '../terminal.ts'
import { countOf, formatBytes, formatDuration } from '../units.ts'
import { announceFeed } from './announce.ts'
import { addServeFlags, networkOf, storeFolder, type ServeFlags } from './feed-flags.ts'
import { FeedHost } from './feed-host.ts'
import { fetchFrom, keepConnecting } from './feed-peers.ts'
import { feedProgress, type FeedCounts } from './feed-progress.ts'
import { readFeedLink } from './feed-target.ts'
import { reportAbsence } from './report-absence.ts'
import { ServeReport } from './serve-report.ts'
import { openHostOrOwner, type StoreOwner } from './store-owner.ts'

const lookMs = 200

interface CloneFlags extends ServeFlags {
  readonly serve?: boolean
}

interface Run {
  readonly link: FeedLink
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
  const run = { link: await readFeedLink(linkText, signal), flags, terminal, json, signal }
  const network = networkOf(flags, flags.serve === true ? 'everywhere' : 'here')
  const opened = await openHostOrOwner({ folder: storeFolder(flags), network, terminal, json })
  if (!(opened instanceof FeedHost)) await cloneThrough(opened, run)
  else {
    await using host = opened
    if (flags.serve !== true) await fetchAll(host, run)
    else {
      await serve(host, run).catch((error: unknown) => {
        if (!signal.aborted) throw error
      })
    }
  }
  return 0
}

/** All blocks that the feed has when it is found; then `found` is called. */
async function fetchAll(host: FeedHost, run: Run, found: (feed: Feed) => void = () => {}): Promise<void> {
  const { link, signal } = run
  const feed = await host.open(link.feedId)
  await reported(
    run,
    () => feed.status(),
    async () => {
      await fetchFrom(host, link, signal)
      // Who serves says who comes and goes anyway.
      if (run.flags.serve !== true) reportAbsence(host, link.nodeId, run.terminal, run.json)
      found(feed)
      await feed.download({ start: 0, end: feed.length }, { signal })
    },
  )
}

/** A copy that is here already is served whether or not the others can be reached now. */
async function serve(host: FeedHost, run: Run): Promise<void> {
  const { link, terminal, json, signal } = run
  using _report = new ServeReport(host, { terminal, json })
  const announce = (feed: Feed): void => {
    announceFeed(host, feed, { terminal, json, linkTo: 'stdout' })
    host.onOpened = announce
    if (!json) terminal.note('Ctrl-C ends it')
  }
  if (host.feeds.list().some(({ id, length }) => id === link.feedId && length > 0)) {
    announce(await host.open(link.feedId))
    void keepConnecting(host, link, run)
  } else await fetchAll(host, run, announce)
  await stopped(signal)
}

/** The program that has the store fetches, and goes on following and serving; this one waits until all is there. */
async function cloneThrough(owner: StoreOwner, run: Run): Promise<void> {
  const { terminal, json, signal, flags, link } = run
  const { feedId: id } = link
  if (json) terminal.print(jsonLine({ event: 'owner', pid: owner.pid }))
  else terminal.note(`process ${owner.pid} has the store: it fetches, and serves`)
  let facts: FeedCounts = owner.feeds.find((feed) => feed.id === id) ?? { id, length: 0, bytes: 0, held: 0 }
  await reported(
    run,
    () => facts,
    async () => {
      const { length, link: own } = await owner.clone(link)
      if (flags.serve === true && !json) terminal.print(own)
      for (;;) {
        const now = await owner.look(id)
        if (now === undefined) throw new PlaitError('ABORTED', 'the feed was taken out of the store meanwhile')
        facts = now
        if (now.contiguousLength >= length) return
        await delay(lookMs, undefined, { signal })
      }
    },
  )
}

/** Tells how far it is while it runs, and what has come of it. */
async function reported(run: Run, counts: () => FeedCounts, fetch: () => Promise<void>): Promise<void> {
  const { link, terminal, json } = run
  const startedMs = performance.now()
  const progress = feedProgress(counts, `connecting to ${link.addresses.map(formatAddress).join(', ')}`)
  const report = new ProgressReport(progress, { terminal, json })
  try {
    await fetch()
  } finally {
    report.close()
  }
  const elapsedMs = performance.now() - startedMs
  const { items, bytes } = progress.done()
  const bytesPerSecond = Math.round((bytes * 1_000) / elapsedMs)
  if (json) {
    const facts = { ...progress.facts(), elapsedMs: Math.round(elapsedMs), bytesPerSecond }
    return terminal.print(jsonLine({ event: 'summary', ...facts }))
  }
  const speed = `${formatBytes(bytes)} in ${formatDuration(elapsedMs)}, ${formatBytes(bytesPerSecond)}/s`
  const news = items === 0 ? 'nothing fetched' : `${countOf(items, 'block')} fetched (${speed})`
  const { length, bytes: allBytes } = counts()
  terminal.note(`all ${countOf(length, 'block')} (${formatBytes(allBytes)}) are here and verified: ${news}`)
}

function stopped(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
