import { PlaitError } from '../../base/error.ts'
import { defaultLimits } from '../../base/limits.ts'
import { refusals, type FeedMessage } from '../messages.ts'
import type { Chunks } from './chunks.ts'
import type { Heads } from './heads.ts'
import type { News } from './news.ts'
import type { Openings } from './openings.ts'
import type { Connected, Peers } from './peers.ts'
import type { Replica } from './replica.ts'
import type { RemotePeer, SharedFeed } from './shared-feed.ts'
import { malformed } from '../../wire/reader.ts'

/** Of some 200 bytes each. */
const { feedExtents: extentsMax } = defaultLimits

export interface InboxEvents {
  /**
   * A peer says something of a feed that an extension of this name understands. What the handler throws as a `PlaitError` ends the peer.
   * No more than `extensionsPerSecond` of one peer are handed on; the payload is the handler's.
   */
  extension?(replica: Replica, peer: RemotePeer, name: string, payload: Uint8Array): void
}

/** What peers say: each message goes to whom it concerns. */
export class Inbox {
  readonly #peers: Peers
  readonly #openings: Openings
  readonly #heads: Heads
  readonly #news: News
  readonly #chunks: Chunks
  readonly #events: InboxEvents

  constructor(peers: Peers, openings: Openings, heads: Heads, news: News, chunks: Chunks, events: InboxEvents) {
    this.#peers = peers
    this.#openings = openings
    this.#heads = heads
    this.#news = news
    this.#chunks = chunks
    this.#events = events
  }

  /** Throws what the peer has to be ended with. */
  take(peer: RemotePeer, message: FeedMessage, now: number): void {
    const { name, value } = message
    if (name === 'open') return this.#openings.takeOpen(peer, value)
    if (name === 'summary') return this.#openings.takeSummary(peer, value)
    const shared = peer.byTheirNumber.get(value.feed)
    if (shared === undefined) {
      if (name === 'close' && peer.strangeTags.delete(value.feed)) return
      throw malformed('a message about a feed that is not shared')
    }
    if (name === 'close') {
      this.#openings.close(shared)
      this.#chunks.leave(shared)
      peer.byTheirNumber.delete(value.feed)
    } else if (shared.isShared) this.#takeShared(shared, message, now)
  }

  #takeShared(shared: SharedFeed, { name, value }: FeedMessage, now: number): void {
    const { downloads, serving, chunkDownloads, chunkServing } = this.#peers.of(shared.peer) as Connected
    if (name === 'head' || name === 'info' || name === 'have') this.#chunks.hear(shared)
    switch (name) {
      case 'head':
        return this.#heads.takeHead(shared, value)
      case 'info':
        return this.#heads.takeInfo(shared, value)
      case 'have':
        shared.look(value.runs[0] as number, value.runs.at(-1) as number)
        return changeRuns(shared, value.runs, true)
      case 'unhave':
        changeRuns(shared, value.runs, false)
        return this.#news.tellLost(shared, value.runs)
      case 'want':
        shared.wants.add(value.start, Math.max(value.start, value.end))
        if (shared.wants.extents > extentsMax) throw beyondExtents()
        return this.#news.tellRuns(shared, value.start, value.end)
      case 'unwant':
        return shared.wants.remove(value.start, Math.max(value.start, value.end))
      case 'request':
        return serving.answer(shared, value)
      case 'cancel':
        serving.cancel(shared, value.request)
        return chunkServing.cancel(shared, value.request)
      case 'refuse':
        if (value.reason === refusals.missing) {
          downloads.refused(shared, value.request, now)
          chunkDownloads.refused(shared, value.request, now)
        } else {
          this.#peers.release(shared, value.request)
          shared.peer.restsUntil = now + 250
        }
        return
      case 'proof':
        return downloads.takeProof(shared, value, now)
      case 'data':
        return downloads.takeData(shared, value, now)
      case 'fetch':
        return chunkServing.answer(shared, value, serving.waiting)
      case 'chunks':
        return chunkDownloads.take(shared, value, now)
      case 'packed':
        return chunkDownloads.takePacked(shared, value, now)
      case 'fork':
        return this.#heads.takeFork(shared, value)
      case 'extension':
        if (!shared.peer.extensionQuota.take(now)) return
        return this.#events.extension?.(shared.replica, shared.peer, value.name, value.payload)
      case 'open':
      case 'close':
      case 'summary':
        return
    }
  }
}

/** Blocks that the peer has or has no longer: none beyond its head, and no more places than it may make us remember. */
function changeRuns({ head, have, doubts }: SharedFeed, runs: readonly number[], isSet: boolean): void {
  if ((runs.at(-1) as number) > (head?.length ?? 0)) throw malformed('blocks beyond its head')
  for (let at = 0; at < runs.length; at += 2) {
    doubts?.forget(runs[at] as number, runs[at + 1] as number)
    if (isSet) have.add(runs[at] as number, runs[at + 1] as number)
    else have.remove(runs[at] as number, runs[at + 1] as number)
  }
  if (have.extents > extentsMax) throw beyondExtents()
}

function beyondExtents(): PlaitError {
  const facts = { limit: extentsMax }
  return new PlaitError('LIMIT', 'the other side has said too many places of one feed', { facts, traced: false })
}
