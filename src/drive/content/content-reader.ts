import { bytesEqual, encodeHex } from '../../base/bytes.ts'
import { PlaitError } from '../../base/error.ts'
import { Queue } from '../../base/queue.ts'
import { Waiters } from '../../base/waiters.ts'
import type { Chunk, ChunkName } from '../../feed/chunk-api.ts'
import { malformed } from '../../wire/reader.ts'
import type { Digest, NamedPage } from './manifest-builder.ts'
import { ManifestWalk } from './manifest-walk.ts'
import type { ByteRange, ChunkPlace, ContentName } from './manifest-walk.ts'

/** From where a chunk was taken. */
export type ChunkOrigin = 'place' | 'local' | 'remote'

export interface ContentChunk extends ChunkPlace {
  /** Not to be changed: chunks that are the same may share it. */
  readonly bytes: Uint8Array
  readonly origin: ChunkOrigin
}

/** Where the bytes of a file may be. What each of them gives is verified already, by its hash. */
export interface ContentSources {
  /** A chunk or page of this disk; undefined when it is not here. `FolderChunks` is one. */
  local(hash: Uint8Array, options: { readonly signal: AbortSignal }): Promise<Uint8Array | undefined>
  /** Chunks and pages of others, in any order, each hash once; what is still wanted when it ends nobody has. `feed.chunks` is one. */
  remote(wanted: readonly ChunkName[], options: { readonly signal: AbortSignal }): AsyncIterable<Chunk>
  /** The bytes that already stand where they are to be, if there is such a place and they are right. Asked first. */
  inPlace?(place: ChunkPlace): Promise<Uint8Array | undefined>
}

export interface ContentOptions {
  readonly digest: Digest
  /** Only chunks with bytes of it. */
  readonly range?: ByteRange | undefined
  /** Bytes of chunks that are held or on their way, at most, one chunk aside. */
  readonly windowBytes?: number
  readonly signal?: AbortSignal | undefined
  /** Called with each page of the manifest that was gone through, each hash once or more. */
  readonly onPage?: ((page: NamedPage) => void) | undefined
}

const windowBytesDefault = 16 * 1024 * 1024
/** What is asked for at a time, once something is on its way. */
const batchBytes = 2 * 1024 * 1024

/** A chunk in its turn, which has come or is still on its way. */
interface Slot {
  readonly place: ChunkPlace
  bytes: Uint8Array | undefined
  origin: ChunkOrigin
}

/**
 * The chunks of a file in their order, from wherever they are: what is on this disk is read, the rest is asked of others, ahead and with
 * the pages that lead to it, in a bounded window. Rejects with `SUPERSEDED` when nobody has one any more, `PROTOCOL` or `LIMIT` when the
 * manifest is not what it should be, the signal's reason, and whatever a source rejects with.
 */
export async function* contentChunks(
  content: ContentName,
  sources: ContentSources,
  options: ContentOptions,
): AsyncGenerator<ContentChunk, void> {
  const { signal } = options
  signal?.throwIfAborted()
  const reader = new ContentReader(content, sources, options)
  const abort = (): void => reader.end(signal?.reason)
  signal?.addEventListener('abort', abort, { once: true })
  try {
    for (;;) {
      const chunk = await reader.next()
      if (chunk === undefined) return
      yield chunk
    }
  } finally {
    signal?.removeEventListener('abort', abort)
    reader.end(new PlaitError('CANCELLED', 'nobody reads on', { traced: false }))
  }
}

class ContentReader {
  readonly #walk: ManifestWalk
  readonly #sources: ContentSources
  readonly #windowBytes: number
  readonly #onPage: (page: NamedPage) => void
  readonly #slots = new Queue<Slot>()
  /** Those of `#slots` and the one that was given out last, by their hash: a chunk that comes again is not asked for again. */
  readonly #slotsByHash = new Map<string, Slot[]>()
  #given: Slot | undefined
  readonly #changes = new Waiters()
  readonly #ending = new AbortController()
  readonly #waiting: { readonly signal: AbortSignal } = { signal: this.#ending.signal }
  #batch: ChunkName[] = []
  #batchBytes = 0
  /** Of chunks that are in `#slots`. */
  #heldBytes = 0
  /** Streams of chunks from others. */
  #streams = 0
  #isFilled = false
  #failure: { readonly reason: unknown } | undefined

  constructor(content: ContentName, sources: ContentSources, options: ContentOptions) {
    const { digest, range, windowBytes, onPage } = options
    this.#walk = new ManifestWalk(content, digest, { range })
    this.#sources = sources
    this.#windowBytes = windowBytes ?? windowBytesDefault
    this.#onPage = onPage ?? (() => undefined)
    this.#inBackground(this.#fill())
  }

  async next(): Promise<ContentChunk | undefined> {
    // Whoever asks for the next one has put the last one where it can be found.
    if (this.#given !== undefined) this.#leave(this.#given)
    this.#given = undefined
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure.reason
      const first = this.#slots.peek()
      if (first?.bytes !== undefined) {
        this.#given = this.#slots.shift()
        this.#heldBytes -= first.place.length
        this.#changes.wake()
        return { ...first.place, bytes: first.bytes, origin: first.origin }
      }
      if (first === undefined && this.#isFilled) return undefined
      await this.#changes.wait()
    }
  }

  /** Nothing is asked for any more, and who waits is told why. */
  end(reason: unknown): void {
    this.#failure ??= { reason }
    this.#ending.abort(reason)
    this.#changes.wake()
  }

  /** Goes through the manifest as far as there is room, and finds each chunk or asks for it. */
  async #fill(): Promise<void> {
    while (!this.#walk.isDone && this.#failure === undefined) {
      const room = this.#heldBytes < this.#windowBytes
      if (room) await this.#findPages()
      const place = room ? this.#walk.next() : undefined
      if (place !== undefined) await this.#find(place)
      else if (!(room && this.#walk.isDone)) {
        this.#ask()
        await this.#changes.wait()
      }
    }
    this.#ask()
    this.#isFilled = true
    this.#changes.wake()
  }

  async #findPages(): Promise<void> {
    const missing: Uint8Array[] = []
    for (let wanted = this.#walk.wanted(); wanted.length > 0; wanted = this.#walk.wanted()) {
      for (const hash of wanted) {
        const bytes = await this.#sources.local(hash, this.#waiting)
        if (bytes === undefined) missing.push(hash)
        else this.#give(hash, bytes)
      }
    }
    if (missing.length > 0) this.#inBackground(this.#fetchPages(missing))
  }

  #give(hash: Uint8Array, bytes: Uint8Array): void {
    this.#walk.give(hash, bytes)
    this.#onPage({ hash, level: bytes[0] ?? 0, bytes })
  }

  async #find(place: ChunkPlace): Promise<void> {
    const slot: Slot = { place, bytes: undefined, origin: 'remote' }
    this.#slots.push(slot)
    this.#heldBytes += place.length
    const [same] = this.#enter(slot)
    if (same !== undefined && same !== slot) {
      checkLength(same.place.length, place)
      slot.bytes = same.bytes
      slot.origin = 'local'
      this.#changes.wake()
      return
    }
    slot.bytes = await this.#sources.inPlace?.(place)
    if (slot.bytes !== undefined) slot.origin = 'place'
    else {
      slot.bytes = await this.#sources.local(place.hash, this.#waiting)
      if (slot.bytes !== undefined) slot.origin = 'local'
    }
    if (slot.bytes !== undefined) {
      checkLength(slot.bytes.length, place)
      this.#changes.wake()
      return
    }
    this.#batch.push({ hash: place.hash, length: place.length })
    this.#batchBytes += place.length
    // The first one does not wait for others: its round trip is what those behind it hide in.
    if (this.#batchBytes >= batchBytes || this.#streams === 0) this.#ask()
  }

  /** All that have its hash, the first of them first. */
  #enter(slot: Slot): readonly Slot[] {
    const key = encodeHex(slot.place.hash)
    const slots = this.#slotsByHash.get(key)
    if (slots === undefined) {
      const only = [slot]
      this.#slotsByHash.set(key, only)
      return only
    }
    slots.push(slot)
    return slots
  }

  #leave(slot: Slot): void {
    const key = encodeHex(slot.place.hash)
    const slots = this.#slotsByHash.get(key)
    slots?.splice(slots.indexOf(slot), 1)
    if (slots?.length === 0) this.#slotsByHash.delete(key)
  }

  #ask(): void {
    if (this.#batch.length === 0) return
    const wanted = this.#batch
    this.#batch = []
    this.#batchBytes = 0
    this.#inBackground(this.#fetchChunks(wanted))
  }

  async #fetchChunks(wanted: readonly ChunkName[]): Promise<void> {
    let left = wanted.length
    this.#streams += 1
    for await (const { hash, bytes } of this.#sources.remote(wanted, this.#waiting)) {
      const slots = this.#slotsByHash.get(encodeHex(hash)) ?? []
      if (slots[0] === undefined || slots[0].bytes !== undefined) continue
      left -= 1
      for (const slot of slots) {
        checkLength(bytes.length, slot.place)
        slot.bytes = bytes
      }
      this.#changes.wake()
    }
    this.#streams -= 1
    if (left > 0) throw missing(left, 'chunks')
  }

  async #fetchPages(hashes: readonly Uint8Array[]): Promise<void> {
    const left = [...hashes]
    const wanted = hashes.map((hash) => ({ hash }))
    for await (const { hash, bytes } of this.#sources.remote(wanted, this.#waiting)) {
      const index = left.findIndex((one) => bytesEqual(one, hash))
      if (index < 0) continue
      left.splice(index, 1)
      this.#give(hash, bytes)
      this.#changes.wake()
    }
    if (left.length > 0) throw missing(left.length, 'pages of the manifest')
  }

  #inBackground(work: Promise<void>): void {
    work.catch((error: unknown) => this.end(error))
  }
}

/** A manifest may lie about the length of a chunk that others have, too. */
function checkLength(length: number, place: ChunkPlace): void {
  if (length !== place.length) throw malformed(`a manifest with ${place.length} bytes for a chunk of ${length}`)
}

function missing(count: number, what: string): PlaitError {
  return new PlaitError(
    'SUPERSEDED',
    `nobody has ${count} ${what} of this version any more; a later one has taken its place`,
    {
      facts: { missing: count },
    },
  )
}
