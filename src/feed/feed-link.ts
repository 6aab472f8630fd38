import type { NodeId } from '../identity/node-id.ts'
import type { LinkAddress } from '../link/link.ts'
import { foreignLink, formatInvitation, parseInvitation, type InvitationWords } from '../node/invitation.ts'
import { parseFeedId, type FeedId } from './feed-id.ts'

/** The text that invites someone to a feed: a node that has it, and its id, which is all that reading needs. */
export interface FeedLink {
  /** A node that has the feed: its writer, or anybody who keeps a copy. */
  readonly nodeId: NodeId
  /** Of that one node. At least one, at most 16; the best first. */
  readonly addresses: readonly LinkAddress[]
  readonly feedId: FeedId
}

const path = 'f'
const words: InvitationWords = {
  noun: 'link to a feed',
  source: 'plait feed serve',
  meaning: 'a link to a feed',
}

/**
 * `plait://NODEID@HOST:PORT[,HOST:PORT...]/f#KIND.NAME.CHECK`. The name of the feed stands behind the `#`, which URLs are logged
 * and sent without.
 */
export function formatFeedLink({ nodeId, addresses, feedId }: FeedLink): string {
  const [kind = '', secret = ''] = feedId.split(':')
  return formatInvitation({ nodeId, addresses, path, kind, secret })
}

/**
 * Reads a link to a feed; white space around it is ignored. Throws `INVALID_LINK`, whose fact `problem` is `foreign`
 * (something else), `cut-off` or `mistyped`.
 */
export function parseFeedLink(text: string): FeedLink {
  const { nodeId, addresses, path: actualPath, kind, secret } = parseInvitation(text, words)
  const feedId = `${kind}:${secret}` as FeedId
  if (actualPath !== path || !isFeedId(feedId)) throw foreignLink(words)
  return { nodeId, addresses, feedId }
}

function isFeedId(text: string): boolean {
  try {
    parseFeedId(text)
    return true
  } catch {
    return false
  }
}
