import { encodeHex } from '../../base/bytes.ts'
import { defaultLimits } from '../../base/limits.ts'
import { Queue } from '../../base/queue.ts'
import { Bitmap } from '../bitmap.ts'
import type { Chunk, ChunkName } from '../chunk-api.ts'
import { Absences } from './absences.ts'
import type { Replica } from './replica.ts'
import type { SharedFeed } from './shared-feed.ts'

/** What a chunk of unknown length counts for, before one has come. */
const estimateFirst = 64 * 1024

/** What one peer is asked for. */
interface Asking {
  readonly absences: Absences
  /** Before this place there is nothing that it could be asked for. */
  from: number
}

/** Chunks that somebody wants, and where each of them stands: to be asked for, asked for, come, or taken by who wants them. */
export class ChunkFetch {
  readonly replica: Replica
  /** Each hash once. */
  readonly names: readonly ChunkName[]
  /** Places in the list of those that are neither here nor asked for. */
  readonly #missing = new Bitmap()
  readonly #ready = new Queue<Chunk>()
  readonly #askings = new Map<SharedFeed, Asking>()
  readonly #wake: () => void
  #left: number
  #unreadBytes = 0
  #cameBytes = 0

  /** `wake` is called when one has come. */
  constructor(replica: Replica, names: Iterable<ChunkName>, wake: () => void) {
    this.replica = replica
    this.names = [...new Map([...names].map((name) => [encodeHex(name.hash), name])).values()]
    this.#wake = wake
    this.#left = this.names.length
    this.#missing.add(0, this.names.length)
  }

  /** All have come, and were taken. */
  get isDone(): boolean {
    return this.#left === 0 && this.#ready.length === 0
  }

  /** Whether some are neither here nor asked for. */
  get isMissingAny(): boolean {
    return this.#missing.count > 0
  }

  /** Bytes that have come and were not taken. */
  get unreadBytes(): number {
    return this.#unreadBytes
  }

  /** The bytes of a chunk, by estimate if need be. */
  bytesOf(place: number): number {
    const { length } = this.names[place] as ChunkName
    if (length !== undefined) return length
    const came = this.names.length - this.#left
    return came === 0 ? estimateFirst : Math.ceil(this.#cameBytes / came)
  }

  /** Whether a peer may be asked for a chunk, as far as it has not said that it does not have it. */
  isAbsent(shared: SharedFeed, place: number): boolean {
    return this.#askings.get(shared)?.absences.chunks.has(place) === true
  }

  /** Takes the next ones that a peer may have, of about so many bytes, one at least if there is one: they count as asked for. */
  choose(shared: SharedFeed, bytesMax: number): readonly number[] {
    const asking = this.#askingOf(shared)
    const chosen: number[] = []
    let bytes = 0
    while (chosen.length < defaultLimits.requestChunks) {
      const place = this.#missing.next(asking.from, this.names.length)
      asking.from = place === undefined ? this.names.length : asking.absences.chunks.nextHole(place)
      if (place === undefined) break
      if (asking.from > place) continue
      bytes += this.bytesOf(place)
      if (chosen.length > 0 && bytes > bytesMax) break
      chosen.push(place)
      asking.from = place + 1
      this.#missing.remove(place, place + 1)
    }
    return chosen
  }

  /** They were asked for in vain. */
  free(places: readonly number[]): void {
    for (const place of places) {
      this.#missing.add(place, place + 1)
      for (const asking of this.#askings.values()) asking.from = Math.min(asking.from, place)
    }
  }

  /** A peer does not have one that it was asked for. */
  noteAbsent(shared: SharedFeed, place: number, now: number): void {
    this.#askingOf(shared).absences.note(place, now)
    this.free([place])
  }

  /** One has come whose hash is right. */
  take(shared: SharedFeed, place: number, bytes: Uint8Array): void {
    this.#askingOf(shared).absences.succeed()
    this.#left -= 1
    this.#cameBytes += bytes.length
    this.#unreadBytes += bytes.length
    this.#ready.push({ hash: (this.names[place] as ChunkName).hash, bytes })
    this.#wake()
  }

  /** The next one that has come, for who wants it. */
  shift(): Chunk | undefined {
    const chunk = this.#ready.shift()
    this.#unreadBytes -= chunk?.bytes.length ?? 0
    return chunk
  }

  /** A peer has said something new of the feed: it may have more chunks, too. */
  hear(shared: SharedFeed): void {
    this.#askings.get(shared)?.absences.hear()
  }

  /** What peers did not have some time ago they may have now. */
  believeAgain(now: number): void {
    for (const asking of this.#askings.values()) if (asking.absences.end(now)) asking.from = 0
  }

  /** The feed is not shared with that peer any more. */
  forget(shared: SharedFeed): void {
    this.#askings.delete(shared)
  }

  #askingOf(shared: SharedFeed): Asking {
    let asking = this.#askings.get(shared)
    if (asking === undefined) this.#askings.set(shared, (asking = { absences: new Absences(), from: 0 }))
    return asking
  }
}
