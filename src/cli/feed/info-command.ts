import type { Command } from 'commander'
import type { FeedPeerStatus } from '../../feed/feed-api.ts'
import type { FeedFacts } from '../control/control-protocol.ts'
import { jsonLine } from '../printable.ts'
import { StopSignals } from '../stop-signals.ts'
import { table } from '../table.ts'
import type { Terminal } from '../terminal.ts'
import { countOf, formatBytes, formatCount } from '../units.ts'
import { addNetworkFlags, storeFolder, type NetworkFlags } from './feed-flags.ts'
import { feedFacts, FeedHost } from './feed-host.ts'
import { openFeedSource } from './feed-source.ts'
import { readFeedTarget, resolveFeed, type FeedTarget } from './feed-target.ts'
import { openHostOrOwner } from './store-owner.ts'

const holesShown = 5

export function addInfoCommand(feed: Command, terminal: Terminal, done: (code: number) => void): void {
  addNetworkFlags(
    feed
      .command('info')
      .description('Show the feeds of the store, or one feed: its length, what of it is here, and what others have.')
      .argument(
        '[FEED|LINK]',
        'the id of a feed of the store, or its beginning, or a link; - reads it from standard input',
      ),
  )
    .addHelpText('after', '\nExample:\n  plait feed info')
    .action(async (text: string | undefined, flags: NetworkFlags) => done(await info(text, flags, terminal)))
}

async function info(text: string | undefined, flags: NetworkFlags, terminal: Terminal): Promise<number> {
  using stop = new StopSignals()
  const target = text === undefined ? undefined : await readFeedTarget(text, stop.signal)
  const facts = await factsOf(target, flags, terminal, stop.signal)
  if (flags.json === true) for (const one of facts) terminal.print(jsonLine({ event: 'feed', ...one }))
  else if (target !== undefined) for (const line of facts.flatMap(feedLines)) terminal.print(line)
  else if (facts.length === 0)
    terminal.note('the store has no feeds yet: `plait feed append`, `create` and `clone` bring some into it')
  else for (const line of feedsTable(facts)) terminal.print(line)
  return 0
}

async function factsOf(
  target: FeedTarget | undefined,
  flags: NetworkFlags,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<readonly FeedFacts[]> {
  if (target?.link !== undefined) {
    await using source = await openFeedSource(target, { flags, isLive: false, terminal, signal })
    return [feedFacts(source.feed)]
  }
  const opened = await openHostOrOwner({ folder: storeFolder(flags), terminal, json: flags.json === true })
  await using host = opened instanceof FeedHost ? opened : undefined
  const all = opened instanceof FeedHost ? await opened.facts() : opened.feeds
  await host?.close()
  if (target === undefined) return all
  const id = resolveFeed(target.name, all)
  return all.filter((facts) => facts.id === id)
}

/** One line for each feed. */
export function feedsTable(feeds: readonly FeedFacts[]): readonly string[] {
  const rows = feeds.map(({ id, length, bytes, held, isWritable, peers }) => [
    id,
    formatCount(length),
    formatBytes(bytes),
    formatCount(held),
    String(peers.length),
    isWritable ? 'yes' : 'no',
  ])
  return table(['FEED', 'BLOCKS', 'SIZE', 'HERE', 'PEERS', 'WRITTEN HERE'], rows, [1, 2, 3, 4])
}

/** All that is known of a feed. */
export function feedLines(feed: FeedFacts): readonly string[] {
  const { id, length, bytes, fork, held, contiguousLength, peers, isWritable, isSealed, isFrozen, isBehind } = feed
  const lines = [
    id,
    row('length', `${countOf(length, 'block')}, ${formatBytes(bytes)}`),
    row(
      'here',
      held === length
        ? 'all of it'
        : `${countOf(held, 'block')}, the first ${formatCount(contiguousLength)} without a hole`,
    ),
  ]
  if (feed.holes.length > 0) lines.push(row('missing', holesText(feed.holes)))
  lines.push(row('written', isSealed ? 'by nobody any more: it is sealed' : isWritable ? 'here' : 'elsewhere'))
  if (fork > 0) lines.push(row('fork', formatCount(fork)))
  if (isFrozen) lines.push(row('conflict', 'its writer has signed two versions of it: nothing more is taken of it'))
  if (isBehind) lines.push(row('behind', 'others have more of it than its writer here; that is being fetched'))
  for (const peer of peers) {
    lines.push(row('peer', `${peer.nodeId}  ${peerText(peer)}`))
  }
  if (peers.length === 0) lines.push(row('peers', 'none at the moment'))
  return lines
}

/** A node that has said so: who follows only a part tells its writer nothing. */
function peerText({ held, length }: FeedPeerStatus): string {
  if (length === 0) return 'has not said what it has'
  return `has ${held === length ? 'all' : `${formatCount(held)} of`} ${countOf(length, 'block')}`
}

/** `3 to 7, 12`: first and last block. */
function holesText(holes: readonly number[]): string {
  const texts: string[] = []
  for (let index = 0; index + 1 < holes.length; index += 2) {
    const [start = 0, end = 0] = holes.slice(index, index + 2)
    texts.push(end - start === 1 ? formatCount(start) : `${formatCount(start)} to ${formatCount(end - 1)}`)
  }
  const more = texts.length > holesShown ? `, and ${texts.length - holesShown} more holes` : ''
  return `${texts.slice(0, holesShown).join(', ')}${more}`
}

function row(name: string, text: string): string {
  return `  ${name.padEnd(8)}  ${text}`
}
