import { isLoopback } from '../../drive/address.ts'
import type { Feed } from '../../feed/feed-api.ts'
import { formatFeedLink } from '../../feed/feed-link.ts'
import { formatAddress } from '../../node/url.ts'
import { jsonLine } from '../printable.ts'
import type { Terminal } from '../terminal.ts'
import { countOf, formatBytes } from '../units.ts'
import type { FeedHost } from './feed-host.ts'

export interface AnnounceOptions {
  readonly terminal: Terminal
  readonly json: boolean
  /** Standard output is for links alone where nothing else goes there. */
  readonly linkTo: 'stdout' | 'stderr'
}

/** Says by which link others get the feed from here. */
export function announceFeed(host: FeedHost, feed: Feed, { terminal, json, linkTo }: AnnounceOptions): void {
  const link = host.linkTo(feed.id)
  const reachable = !link.addresses.every(isLoopback)
  const { id, length, bytes, isWritable } = feed
  if (json) {
    const addresses = link.addresses.map(formatAddress)
    const facts = {
      id,
      link: formatFeedLink(link),
      isWritable,
      length,
      bytes,
      nodeId: link.nodeId,
      addresses,
      reachable,
    }
    return terminal.print(jsonLine({ event: 'serving', ...facts }))
  }
  const what = `${countOf(length, 'block')}, ${formatBytes(bytes)}${isWritable ? ', written here' : ''}`
  terminal.note(`serving a feed (${what}); whoever has this link can read it, and pass it on:`)
  if (linkTo === 'stdout') terminal.print(formatFeedLink(link))
  else terminal.note(formatFeedLink(link))
  if (!reachable)
    terminal.note(
      'warning: only programs on this machine can reach it; use --listen with an address that others can reach',
    )
}
