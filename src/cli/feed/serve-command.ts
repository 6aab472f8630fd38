import type { Command } from 'commander'
import { PlaitError } from '../../base/error.ts'
import { parseFeedLink } from '../../feed/feed-link.ts'
import { parseUrl } from '../../node/url.ts'
import { StopSignals } from '../stop-signals.ts'
import type { Terminal } from '../terminal.ts'
import { announceFeed } from './announce.ts'
import { addServeFlags, networkOf, storeFolder, type ServeFlags } from './feed-flags.ts'
import { keepConnecting, type FeedPeer } from './feed-peers.ts'
import type { FeedId } from '../../feed/feed-id.ts'
import { ServeReport } from './serve-report.ts'
import { openHost } from './store-owner.ts'

interface ServeCommandFlags extends ServeFlags {
  readonly peer: readonly string[]
}

/** A node to exchange feeds with, and of a link the feed that is meant. */
type ServePeer = FeedPeer & { readonly feedId?: FeedId }

export function addServeCommand(feed: Command, terminal: Terminal, done: (code: number) => void): void {
  addServeFlags(
    feed
      .command('serve')
      .description(
        'Serve all feeds of the store, and print a link for each, until Ctrl-C. What others append is fetched, too.',
      )
      .option(
        '--peer <LINK|ADDRESS>',
        'a node to exchange them with, again and again if need be; of a link its feed too; may be said several times',
        (text: string, before: readonly string[]) => [...before, text],
        [],
      ),
  )
    .addHelpText('after', '\nExample:\n  plait feed serve --listen 192.168.1.5:7001')
    .action(async (flags: ServeCommandFlags) => done(await serve(flags, terminal)))
}

async function serve(flags: ServeCommandFlags, terminal: Terminal): Promise<number> {
  using stop = new StopSignals()
  const json = flags.json === true
  const peers = flags.peer.map(parseServePeer)
  await using host = await openHost({
    folder: storeFolder(flags),
    network: networkOf(flags, 'everywhere'),
    terminal,
    json,
  })
  using _report = new ServeReport(host, { terminal, json })
  host.onOpened = (feed) => announceFeed(host, feed, { terminal, json, linkTo: 'stdout' })
  const ids = [...host.feeds.list().map(({ id }) => id), ...peers.flatMap(({ feedId }) => feedId ?? [])]
  for (const id of ids) await host.open(id)
  if (!json) {
    if (ids.length === 0)
      terminal.note('the store has no feeds yet: `plait feed append` and `plait feed create` make some')
    terminal.note('Ctrl-C ends it')
  }
  for (const peer of peers) void keepConnecting(host, peer, { signal: stop.signal, terminal, json })
  await stop.stopped()
  return 0
}

/** Throws `INVALID_LINK` or `INVALID_ADDRESS`. */
function parseServePeer(text: string): ServePeer {
  if (text.includes('#')) return parseFeedLink(text)
  const { nodeId, addresses, service } = parseUrl(text.trim())
  if (addresses.length === 0 || service !== undefined)
    throw new PlaitError('INVALID_ADDRESS', `${text} is not plait://NODEID@HOST:PORT, and not a link to a feed`)
  return { nodeId, addresses }
}
