import { decodeBase32, encodeBase32 } from '../base/bytes.ts'
import { PlaitError } from '../base/error.ts'
import { checkPublicKey } from '../identity/node-id.ts'

declare const feedIdBrand: unique symbol

/**
 * The name of a feed as text: `feed:` or `sealed:` and 52 characters of base32. Who knows it can read the feed from anybody who serves
 * it; nobody else can.
 */
export type FeedId = string & { readonly [feedIdBrand]: true }

export interface FeedName {
  /** 32 bytes: the writer's key, or the hash of a sealed feed. */
  readonly name: Uint8Array
  readonly isSealed: boolean
}

export function formatFeedId({ name, isSealed }: FeedName): FeedId {
  return `${isSealed ? 'sealed' : 'feed'}:${encodeBase32(name)}` as FeedId
}

/** Throws `INVALID_ARGUMENT` for anything but the text of a name that can be. */
export function parseFeedId(text: string): FeedName {
  const [, kind, characters] = /^(feed|sealed):([a-z2-7]{52})$/.exec(text) ?? []
  const name = decodeBase32(characters ?? '')
  if (kind === undefined || name?.length !== 32) {
    throw new PlaitError('INVALID_ARGUMENT', 'a feed id is feed: or sealed: and 52 characters out of a-z and 2-7')
  }
  if (kind === 'feed') checkPublicKey(name)
  return { name, isSealed: kind === 'sealed' }
}
