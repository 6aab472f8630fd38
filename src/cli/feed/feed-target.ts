import { PlaitError } from '../../base/error.ts'
import type { FeedInfo } from '../../feed/feed-api.ts'
import { parseFeedId, type FeedId } from '../../feed/feed-id.ts'
import { parseFeedLink, type FeedLink } from '../../feed/feed-link.ts'
import { firstLine } from '../first-line.ts'

/** Which feed is meant: one that a node elsewhere has, or one of the store. */
export type FeedTarget = { readonly link: FeedLink } | { readonly link: undefined; readonly name: string }

/** How many characters of an id are enough, if no other feed of the store begins so. */
const nameCharactersMin = 4

/** `-` reads the link or id from standard input, so that it stands in no list of processes. Rejects with `INVALID_LINK`. */
export async function readFeedTarget(text: string, signal: AbortSignal): Promise<FeedTarget> {
  const target = (text === '-' ? await firstLine(signal) : text).trim()
  return isLink(target) ? { link: parseFeedLink(target) } : { link: undefined, name: target }
}

/** As `readFeedTarget`, for what has to be a link. */
export async function readFeedLink(text: string, signal: AbortSignal): Promise<FeedLink> {
  return parseFeedLink(text === '-' ? await firstLine(signal) : text)
}

/**
 * The feed of the store that is meant by an id, or by the beginning of one, with or without `feed:`. Throws `INVALID_ARGUMENT` when
 * none is, or more than one.
 */
export function resolveFeed(text: string, list: readonly Pick<FeedInfo, 'id'>[]): FeedId {
  const name = text.trim()
  if (isLink(name))
    throw new PlaitError('INVALID_ARGUMENT', 'this is a link; here the id of a feed of the store is meant')
  const isMeant = ({ id }: Pick<FeedInfo, 'id'>): boolean =>
    id === name ||
    (name.length >= nameCharactersMin && (id.startsWith(name) || id.slice(id.indexOf(':') + 1).startsWith(name)))
  const [first, second] = list.filter(isMeant)
  if (first !== undefined && second === undefined) return first.id
  if (second !== undefined)
    throw new PlaitError('INVALID_ARGUMENT', 'the ids of several feeds of the store begin so; name more of it')
  if (list.length > 0 && /^[a-z2-7]{4,51}$/.test(name.replace(/^(feed|sealed):/, '')))
    throw new PlaitError(
      'INVALID_ARGUMENT',
      'no feed of the store has an id that begins so; `plait feed info` shows all',
    )
  // What is wrong with it, if anything is.
  parseFeedId(name)
  throw new PlaitError(
    'INVALID_ARGUMENT',
    'that feed is not in the store; `plait feed info` shows those that are, and `plait feed clone LINK` fetches others',
  )
}

function isLink(text: string): boolean {
  return text.startsWith('plait:') || text.includes('://')
}
