import { emptyBytes, encodeHex } from '../base/bytes.ts'
import { PlaitError } from '../base/error.ts'
import type { Chunk, ChunkName, ChunkSource } from '../feed/chunk-api.ts'
import type { Feed } from '../feed/feed-api.ts'
import { hashBytes } from '../feed/hash.ts'
import { sha256 } from '../feed/node/sha256.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { assemble } from './content/assemble.ts'
import type { ChunkIndex, IndexedContent } from './content/chunk-index.ts'
import { ChunkRequests } from './content/chunk-requests.ts'
import { isOneChunk } from './content/chunker.ts'
import { contentBytes } from './content/content-bytes.ts'
import { contentChunks } from './content/content-reader.ts'
import type { ChunkOrigin, ContentSources } from './content/content-reader.ts'
import { FolderChunks } from './content/folder-chunks.ts'
import type { ByteRange, ContentName } from './content/manifest-walk.ts'
import type { ContentDigester } from './content/node/content-digester.ts'
import { ManifestPages } from './content/manifest-pages.ts'
import { FolderFiles } from './folder/folder-files.ts'
import type { PlaitFolder } from './folder/plait-folder.ts'
import type { ContentRoot } from './folder/scan.ts'
import type { ContentDoor, PartDoor, SmallContent, SmallDoor } from './folder/staging.ts'
import { PatientFetch } from './patient-fetch.ts'
import { RateLimit } from './rate-limit.ts'
import type { Version } from './version.ts'

export interface ContentsOptions {
  readonly folder: PlaitFolder
  readonly index: ChunkIndex
  /** On which all members ask for chunks and give them. */
  readonly feed: Feed
  readonly digester: ContentDigester
  readonly runtime: Pick<Runtime, 'clock' | 'timers'>
  /** Of what is given, and of what is taken. No limit when absent. */
  readonly bytesPerSecondMax?: number | undefined
  /** A file does not hold what it did when it was looked at. */
  readonly stale: (path: string) => void
}

/** Bytes of contents, and chunks, by where they came from since the drive was opened. */
export interface ContentCounts {
  readonly resumedBytes: number
  readonly localBytes: number
  readonly remoteBytes: number
  readonly remoteChunks: number
}

/** Files whose contents are written down at once. */
const foundMax = 256

const digest = (bytes: Uint8Array): Uint8Array => sha256.digest(bytes)
const emptyRoot = digest(new Uint8Array(0))

/** The contents of a folder's files: what is in them, who has what is not here, and giving away what is. */
export class Contents {
  readonly #options: ContentsOptions
  readonly #files: FolderFiles
  readonly #chunks: FolderChunks
  readonly #fetch: PatientFetch
  readonly #taken: RateLimit | undefined
  readonly #requests: ChunkRequests
  readonly #counts = { resumedBytes: 0, localBytes: 0, remoteBytes: 0, remoteChunks: 0 }
  readonly #pagesByRoot = new Map<string, ManifestPages>()
  #found: IndexedContent[] = []

  constructor(options: ContentsOptions) {
    this.#options = options
    const { folder, index, feed, runtime, stale } = options
    this.#files = new FolderFiles(folder.root)
    this.#chunks = new FolderChunks({ files: this.#files, index, digest, timers: runtime.timers, stale })
    this.#fetch = new PatientFetch(feed, runtime)
    const rate = options.bytesPerSecondMax
    this.#taken = rate === undefined ? undefined : new RateLimit(runtime, rate)
    this.#requests = new ChunkRequests((wanted, { signal }) => this.#remote(wanted, signal), runtime.timers)
    feed.serveChunks(rate === undefined ? this.#chunks : limited(this.#chunks, new RateLimit(runtime, rate)))
    folder.history.onHeld = (path, heldPath) => void this.moved(path, heldPath)
  }

  get counts(): ContentCounts {
    return { ...this.#counts }
  }

  /** Reads a file, names its content, and remembers which chunks it has. */
  readonly rootOf: ContentRoot = async (file, path) => {
    const content = await this.#options.digester.read(file.descriptor, file.size)
    // It has become shorter, which whoever has opened it sees.
    if (content === undefined) return new Uint8Array(hashBytes)
    this.#found.push({ path, ...content })
    if (this.#found.length >= foundMax) await this.flush()
    return content.root
  }

  /** Resolves when what was found can be given to others. */
  async flush(): Promise<void> {
    const found = this.#found
    this.#found = []
    if (found.length > 0) await this.#options.index.put(found)
  }

  readonly door: ContentDoor = async (version, write, options) => {
    const pages = this.#pagesOf(version)
    if (version.size === 0 && sameRoot(version.root, emptyRoot)) return
    for await (const { bytes, origin } of contentChunks(version, this.#sources, {
      digest,
      onPage: pages.add,
      signal: options.signal,
    })) {
      this.#count(origin, bytes.length)
      await write(bytes)
    }
  }

  readonly small: SmallDoor = async (versions, options) => {
    const known = new Map<string, SmallContent>([[encodeHex(emptyRoot), { bytes: emptyBytes }]])
    try {
      await this.#fetchSmall(versions, known, options.signal ?? new AbortController().signal)
    } catch (error) {
      return versions.map(({ root }) => known.get(encodeHex(root)) ?? { error })
    }
    return versions.map(({ root }) => known.get(encodeHex(root)) ?? { error: superseded() })
  }

  readonly assemble: PartDoor = async (version, part, options) => {
    const pages = this.#pagesOf(version)
    let last = { resumedBytes: 0, localBytes: 0, remoteBytes: 0 }
    await assemble(version, this.#sources, part, {
      digest,
      onPage: pages.add,
      signal: options.signal,
      progress: (now) => {
        this.#count('place', now.resumedBytes - last.resumedBytes)
        this.#count('local', now.localBytes - last.localBytes)
        this.#count('remote', now.remoteBytes - last.remoteBytes)
        last = now
      },
    })
  }

  /** A range of a content, from wherever it is. */
  read(content: ContentName, range: ByteRange, signal?: AbortSignal): AsyncIterable<Uint8Array> {
    return contentBytes(content, this.#sources, { digest, range, signal })
  }

  /** A file was written here: others may have it from now on. */
  placed(path: string, version: Version): void {
    const { size, root } = version
    const key = encodeHex(root)
    const pages = isOneChunk(size) ? [] : this.#pagesByRoot.get(key)?.inOrder(root)
    // Of what was put together in another way the next scan finds out.
    if (pages !== undefined) this.#found.push({ path, size, root, pages })
  }

  moved(from: string, to: string): Promise<void> {
    return this.#options.index.move(from, to).catch(() => undefined)
  }

  forget(path: string): Promise<void> {
    return this.#options.index.forget(path)
  }

  /** Names lead elsewhere, and what is being fetched is over. */
  settle(): void {
    this.#files.forget()
    this.#pagesByRoot.clear()
  }

  close(): void {
    this.#options.feed.serveChunks(undefined)
    this.#options.folder.history.onHeld = () => undefined
    this.#chunks.close()
    this.#files.forget()
  }

  get #sources(): ContentSources {
    return {
      local: (hash, options) => this.#chunks.read(hash, options),
      remote: (wanted, options) => this.#requests.fetch(wanted, options),
    }
  }

  /** From this disk, and then from others. */
  async #fetchSmall(
    versions: readonly Version[],
    known: Map<string, SmallContent>,
    signal: AbortSignal,
  ): Promise<void> {
    const absentByKey = new Map<string, ChunkName>()
    for (const { root, size } of versions) {
      const key = encodeHex(root)
      if (known.has(key) || absentByKey.has(key)) continue
      const bytes = await this.#chunks.read(root, { signal })
      if (bytes?.length === size) {
        this.#count('local', size)
        known.set(key, { bytes })
      } else absentByKey.set(key, { hash: root, length: size })
    }
    if (absentByKey.size === 0) return
    for await (const { hash, bytes } of this.#remote([...absentByKey.values()], signal)) {
      this.#count('remote', bytes.length)
      known.set(encodeHex(hash), { bytes })
    }
  }

  #pagesOf({ root }: Version): ManifestPages {
    const key = encodeHex(root)
    let pages = this.#pagesByRoot.get(key)
    if (pages === undefined) this.#pagesByRoot.set(key, (pages = new ManifestPages()))
    return pages
  }

  #count(origin: ChunkOrigin, bytes: number): void {
    if (origin === 'place') this.#counts.resumedBytes += bytes
    else if (origin === 'local') this.#counts.localBytes += bytes
    else this.#counts.remoteBytes += bytes
  }

  async *#remote(wanted: readonly ChunkName[], signal: AbortSignal): AsyncGenerator<Chunk, void> {
    for await (const chunk of this.#fetch.chunks(wanted, { signal })) {
      this.#counts.remoteChunks += 1
      if (this.#taken !== undefined) await this.#taken.take(chunk.bytes.length, signal)
      yield chunk
    }
  }
}

/** What is not here costs nothing. */
function limited(source: ChunkSource, limit: RateLimit): ChunkSource {
  return {
    read: async (hash, options) => {
      const bytes = await source.read(hash, options)
      if (bytes !== undefined) await limit.take(bytes.length, options.signal)
      return bytes
    },
  }
}

function superseded(): PlaitError {
  return new PlaitError('SUPERSEDED', 'nobody has this version any more; a later one has taken its place')
}

function sameRoot(left: Uint8Array, right: Uint8Array): boolean {
  return encodeHex(left) === encodeHex(right)
}
