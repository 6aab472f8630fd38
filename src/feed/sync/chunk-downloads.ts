import { PlaitError } from '../../base/error.ts'
import { malformed } from '../../wire/reader.ts'
import { copyHash, hashBytes, sameHash, type TreeHash } from '../hash.ts'
import { packings, type ChunksMessage, type PackedMessage } from '../messages.ts'
import type { ChunkPacker } from './chunk-packer.ts'
import type { ChunkName } from '../chunk-api.ts'
import type { ChunkList } from '../chunk-schemas.ts'
import type { ChunkFetch } from './chunk-fetch.ts'
import { openRequestsMax, requestBytesMin, requestShareMin } from './downloads.ts'
import type { RemotePeer, Say, SharedFeed } from './shared-feed.ts'
import { excuse, noteUseful, noteUseless } from './useless.ts'

/** Chunks that one peer was asked for. */
export interface ChunkRequest {
  readonly number: number
  readonly fetch: ChunkFetch
  /** Of the fetch, in the order in which they were asked for; and how many of them are answered. */
  readonly places: readonly number[]
  answered: number
  /** What each counts for. */
  readonly sizes: readonly number[]
  /** How many bytes were asked for at most, the last chunk aside. */
  readonly bytes: number
  owedBytes: number
  receivedBytes: number
  readonly sentAt: number
  progressAt: number
}

/**
 * Asks one peer for chunks, and takes what it answers: nothing is given on before its hash is right. Throws what a peer has to be ended
 * with.
 */
export class ChunkDownloads {
  readonly #peer: RemotePeer
  readonly #say: Say
  readonly #hash: TreeHash
  readonly #packer: ChunkPacker | undefined

  constructor(
    peer: RemotePeer,
    say: Say,
    { hash, packer }: { readonly hash: TreeHash; readonly packer?: ChunkPacker },
  ) {
    this.#peer = peer
    this.#say = say
    this.#hash = hash
    this.#packer = packer
  }

  /**
   * Asks once for chunks that are missing and may be there, if the window takes more. What has come and is not taken by who wants it counts
   * as if it were on its way yet. Returns whether something was asked for.
   */
  ask(fetch: ChunkFetch, now: number): boolean {
    const { window, owedBytes, openRequests, restsUntil, isGone, byReplica } = this.#peer
    if (!fetch.isMissingAny || isGone || now < restsUntil || openRequests >= openRequestsMax) return false
    const taken = owedBytes + fetch.unreadBytes
    if (taken > window.bytes * (1 - requestShareMin)) return false
    const shared = byReplica.get(fetch.replica)
    if (shared?.isShared !== true) return false
    const most = Math.max(requestBytesMin, Math.min(window.bytes / 2, window.bytes - taken))
    const places = fetch.choose(shared, most)
    if (places.length === 0) return false
    this.#request(shared, fetch, places, now)
    return true
  }

  /** Some of what was asked for, or the word that it is not there. */
  take(shared: SharedFeed, { request: number, last, chunks }: ChunksMessage, now: number): void {
    const bytes = chunks.reduce((sum, chunk) => sum + (chunk?.length ?? 0), 0)
    const request = shared.chunkRequests.get(number)
    if (request === undefined) return noteUseless(this.#peer, bytes)
    if (chunks.length > request.places.length - request.answered) throw malformed('chunks not asked for')
    if (request.answered === 0) this.#peer.window.noteAnswer(now - request.sentAt)
    request.progressAt = now
    this.#peer.window.noteBytes(bytes, now)
    for (const chunk of chunks) this.#takeOne(shared, request, chunk, now)
    noteUseful(this.#peer, bytes)
    if (last || request.answered === request.places.length) this.#drop(shared, request)
  }

  /** The same in fewer bytes. */
  takePacked(shared: SharedFeed, { request, last, lengths, packed }: PackedMessage, now: number): void {
    if (!shared.chunkRequests.has(request)) return noteUseless(this.#peer, packed.length)
    if (this.#packer === undefined) throw lie('PROTOCOL', 'packed chunks, which nobody has asked for')
    const bytesMax = lengths.reduce<number>((sum, length) => sum + (length ?? 0), 0)
    const bytes = bytesMax === 0 ? undefined : this.#packer.unpack(packed, bytesMax)
    if (bytes?.length !== bytesMax) throw lie('CORRUPT', 'chunks that cannot be unpacked')
    let at = 0
    const chunks = lengths.map((length) => {
      if (length === undefined) return undefined
      at += length
      return bytes.subarray(at - length, at)
    })
    this.take(shared, { feed: 0, request, last, chunks }, now)
  }

  /** The peer refuses: it has none of what it still owes. */
  refused(shared: SharedFeed, number: number, now: number): void {
    const request = shared.chunkRequests.get(number)
    if (request === undefined) return
    for (const place of request.places.slice(request.answered)) request.fetch.noteAbsent(shared, place, now)
    request.answered = request.places.length
    this.#drop(shared, request)
  }

  /** Nothing more is taken of it: what is missing may be asked for elsewhere. */
  release(shared: SharedFeed, number: number): void {
    const request = shared.chunkRequests.get(number)
    if (request === undefined) return
    excuse(this.#peer, Math.max(request.owedBytes, request.bytes - request.receivedBytes))
    this.#drop(shared, request)
  }

  releaseAll(shared: SharedFeed): void {
    for (const number of shared.chunkRequests.keys()) this.release(shared, number)
  }

  /** Nobody wants it any longer. */
  stop(fetch: ChunkFetch): void {
    const shared = this.#peer.byReplica.get(fetch.replica)
    for (const request of shared?.chunkRequests.values() ?? []) {
      if (shared === undefined || request.fetch !== fetch) continue
      this.#say(shared, 'cancel', { request: request.number })
      this.release(shared, request.number)
    }
  }

  #request(shared: SharedFeed, fetch: ChunkFetch, places: readonly number[], now: number): void {
    const sizes = places.map((place) => fetch.bytesOf(place))
    const owedBytes = sizes.reduce((sum, size) => sum + size, 0)
    const { hashes, lengths } = listOf(places.map((place) => fetch.names[place] as ChunkName))
    // What is only estimated may be more than that.
    const bytes = lengths.includes(undefined) ? 2 * owedBytes : owedBytes
    const number = (shared.lastRequest += 1)
    const rest = { answered: 0, receivedBytes: 0, sentAt: now, progressAt: now }
    shared.chunkRequests.set(number, { number, fetch, places, sizes, bytes, owedBytes, ...rest })
    this.#peer.owedBytes += owedBytes
    this.#peer.openRequests += 1
    this.#peer.turn = 'blocks'
    const packs = this.#packer === undefined ? 0 : packings.zstd
    this.#say(shared, 'fetch', { request: number, bytes, packings: packs, chunks: { hashes, lengths } })
  }

  #takeOne(shared: SharedFeed, request: ChunkRequest, bytes: Uint8Array | undefined, now: number): void {
    const { fetch, answered } = request
    const place = request.places[answered] as number
    const { hash, length } = fetch.names[place] as ChunkName
    if (bytes !== undefined) {
      if (bytes.length !== (length ?? bytes.length))
        throw lie('PROTOCOL', 'a chunk of another length than it was asked for')
      if (request.receivedBytes > request.bytes) throw lie('LIMIT', 'more bytes than it was asked for')
      if (!sameHash(this.#hash.digest(bytes), 0, hash, 0))
        throw lie('CORRUPT', 'a chunk that is not the one of its hash')
    }
    const owed = Math.min(request.owedBytes, request.sizes[answered] as number)
    request.answered += 1
    request.owedBytes -= owed
    request.receivedBytes += bytes?.length ?? 0
    this.#peer.owedBytes -= owed
    if (bytes === undefined) fetch.noteAbsent(shared, place, now)
    else fetch.take(shared, place, bytes)
  }

  #drop(shared: SharedFeed, request: ChunkRequest): void {
    if (shared.chunkRequests.delete(request.number)) this.#peer.openRequests -= 1
    this.#peer.owedBytes -= request.owedBytes
    if (this.#peer.owedBytes === 0) this.#peer.window.noteIdle()
    request.fetch.free(request.places.slice(request.answered))
  }
}

function listOf(names: readonly ChunkName[]): ChunkList {
  const hashes = new Uint8Array(names.length * hashBytes)
  for (const [index, { hash }] of names.entries()) copyHash(hash, 0, hashes, index * hashBytes)
  return { hashes, lengths: names.map(({ length }) => length) }
}

function lie(code: 'PROTOCOL' | 'LIMIT' | 'CORRUPT', what: string): PlaitError {
  return new PlaitError(code, `the other side sent ${what}`, { traced: false })
}
