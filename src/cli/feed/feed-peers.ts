import { setTimeout as delay } from 'node:timers/promises'
import { PlaitError, type ErrorCode } from '../../base/error.ts'
import type { Feed } from '../../feed/feed-api.ts'
import type { FeedLink } from '../../feed/feed-link.ts'
import type { LinkAddress } from '../../link/link.ts'
import { formatAddress, formatUrl, type PeerUrl } from '../../node/url.ts'
import { jsonLine, printable } from '../printable.ts'
import type { Terminal } from '../terminal.ts'
import type { FeedHost } from './feed-host.ts'

/** Between attempts to reach a node that did not answer. */
const retryMinMs = 1_000
const retryMaxMs = 30_000
const lookMs = 20
/** Who has the feed says in this time how long it is, if it has anything of it at all. */
const emptyMs = 1_500

/** A node with which feeds are exchanged. */
export type FeedPeer = Pick<PeerUrl, 'nodeId' | 'addresses'>

/** Exchanges feeds with a node until the host is closed. Rejects when it cannot be reached now, in words that say what to do. */
export async function connectTo(host: FeedHost, peer: FeedPeer, signal?: AbortSignal): Promise<void> {
  const { nodeId, addresses } = peer
  if (host.connections.get(nodeId)?.isOpen === true) return
  try {
    const connection = await host.feeds.connect(
      formatUrl({ nodeId, addresses }),
      signal === undefined ? {} : { signal },
    )
    await host.connections.get(nodeId)?.close()
    host.connections.set(nodeId, connection)
  } catch (error) {
    throw explained(error, peer.addresses)
  }
}

/**
 * The feed of a link, which is fetched from there from now on; its length is known. Rejects as `connectTo` and `knownBy` do, and then
 * leaves nothing of a feed that was not here before.
 */
export async function fetchFrom(host: FeedHost, link: FeedLink, signal?: AbortSignal): Promise<Feed> {
  const feed = await host.open(link.feedId, { mode: 'full' })
  try {
    await connectTo(host, link, signal)
    await knownBy(feed, link, { waitMs: host.waitMs, signal })
    return feed
  } catch (error) {
    if (feed.length === 0 && !feed.isWritable) await host.remove(feed.id)
    throw error
  }
}

/** Connects for as long as it takes, in the background: says when it does not succeed, and gives up only what can never do. */
export async function keepConnecting(
  host: FeedHost,
  peer: FeedPeer,
  { signal, terminal, json }: { signal: AbortSignal; terminal: Terminal; json: boolean },
): Promise<void> {
  for (let pauseMs = retryMinMs; !signal.aborted; pauseMs = Math.min(2 * pauseMs, retryMaxMs)) {
    try {
      return await connectTo(host, peer, signal)
    } catch (error) {
      if (signal.aborted) return
      const { code, message } = PlaitError.from(error, 'UNREACHABLE')
      const isFinal = finalCodes.has(code)
      if (json) terminal.print(jsonLine({ event: 'unreached', nodeId: peer.nodeId, code, message, isFinal }))
      else if (isFinal) terminal.note(printable(message))
      else if (pauseMs === retryMinMs) terminal.note(`${printable(message)}; it is tried again and again`)
      if (isFinal) return
    }
    await delay(pauseMs, undefined, { signal }).catch(() => {})
  }
}

/**
 * Resolves when the node has said what it has of the feed, and its length is known here. Rejects with `UNKNOWN_PEER` when it has
 * said nothing of it in time: it does not have it.
 */
export async function knownBy(
  feed: Feed,
  peer: FeedPeer,
  { waitMs, signal }: { waitMs: number; signal: AbortSignal | undefined },
): Promise<void> {
  const startedMs = performance.now()
  for (let sharedMs = 0; ; sharedMs += lookMs) {
    const { peers, isFrozen } = feed.status()
    const known = peers.find(({ nodeId }) => nodeId === peer.nodeId)
    if (isFrozen || (known !== undefined && known.length > 0 && feed.length >= known.length)) return
    if (known === undefined) sharedMs = 0
    else if (known.length === 0 && sharedMs > emptyMs) return
    if (performance.now() - startedMs > waitMs) {
      // What it has said cannot be verified yet: what is here is all there is.
      if (known !== undefined) return
      throw new PlaitError(
        'UNKNOWN_PEER',
        `the node at ${addressesText(peer.addresses)} is up, but does not have that feed; see that \`plait feed serve\` runs there on its store, or ask for another link`,
      )
    }
    await delay(lookMs, undefined, signal === undefined ? {} : { signal })
  }
}

function explained(error: unknown, addresses: readonly LinkAddress[]): unknown {
  if (!PlaitError.is(error)) return error
  const message = explanations.get(error.code)?.replace('ADDRESSES', addressesText(addresses))
  return message === undefined ? error : new PlaitError(error.code, message, { facts: error.facts, cause: error })
}

function addressesText(addresses: readonly LinkAddress[]): string {
  return addresses.map(formatAddress).join(', ')
}

const finalCodes: ReadonlySet<ErrorCode> = new Set([
  'WRONG_KEY',
  'WRONG_NETWORK',
  'VERSION_MISMATCH',
  'SELF_DIAL',
  'FORBIDDEN',
  'INVALID_ADDRESS',
])

const explanations: ReadonlyMap<ErrorCode, string> = new Map([
  [
    'UNREACHABLE',
    'nobody answers at ADDRESSES; see that `plait feed serve` is running there, and that this machine can reach it',
  ],
  [
    'WRONG_KEY',
    'another node than the one of this link answers at ADDRESSES; ask for the present link, and use no other',
  ],
  [
    'WRONG_NETWORK',
    'the other side and this one are not in the same private network; give both the same file with --psk, or neither',
  ],
  [
    'SELF_DIAL',
    'this link leads back to this very store; use it on another machine, or with another folder in --store',
  ],
  ['UNKNOWN_SERVICE', 'the node at ADDRESSES was reached, but it serves no feeds: it runs another program'],
])
