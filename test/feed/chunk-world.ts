import { encodeHex } from '../../src/base/bytes.ts'
import type { Chunk, ChunkName } from '../../src/feed/chunk-api.ts'
import { sha256 } from '../../src/feed/node/sha256.ts'
import { ChunkFetch } from '../../src/feed/sync/chunk-fetch.ts'
import type { ChunkPacker } from '../../src/feed/sync/chunk-packer.ts'
import type { ChunkReader } from '../../src/feed/sync/chunk-reader.ts'
import type { Replica } from '../../src/feed/sync/replica.ts'
import { reader, type SyncNode, type SyncWorld } from './sync-world.ts'

/** The name of the feed that is shared. */
export const feed: Uint8Array = new Uint8Array(32).fill(3)

/** So many chunks, no two of them equal. */
export function chunksOf(count: number, bytes: number, salt = 1): readonly Chunk[] {
  return Array.from({ length: count }, (_, index) => {
    const chunk = new Uint8Array(bytes).fill(salt)
    new DataView(chunk.buffer).setUint32(0, index, true)
    return { hash: sha256.digest(chunk), bytes: chunk }
  })
}

/** Their names with their lengths. */
export function namesOf(chunks: readonly Chunk[]): readonly ChunkName[] {
  return chunks.map(({ hash, bytes }) => ({ hash, length: bytes.length }))
}

/** Chunks in memory, which are there as soon as they are asked for, or some time later. */
export class Shelf implements ChunkReader {
  readonly bytesByHash: Map<string, Uint8Array> = new Map()
  readonly #later: (run: () => void) => void
  reads = 0
  open = 0

  constructor(chunks: readonly Chunk[], later: (run: () => void) => void = (run) => run()) {
    this.#later = later
    this.put(chunks)
  }

  put(chunks: readonly Chunk[]): void {
    for (const { hash, bytes } of chunks) this.bytesByHash.set(encodeHex(hash), bytes)
  }

  read(hash: Uint8Array, done: (bytes?: Uint8Array) => void): () => void {
    this.reads += 1
    this.open += 1
    let isOpen = true
    const close = (): boolean => {
      const wasOpen = isOpen
      if (wasOpen) this.open -= 1
      isOpen = false
      return wasOpen
    }
    this.#later(() => void (close() && done(this.bytesByHash.get(encodeHex(hash)))))
    return close
  }
}

/** Another node that shares the feed, with these chunks or none. */
export function keeper(world: SyncWorld, name: string, shelf: ChunkReader | undefined, packer?: ChunkPacker): SyncNode {
  const node = world.node(name, packer)
  const { replica } = reader(feed)
  replica.chunkReader = shelf
  node.synchronizer.add(replica, world.now)
  return node
}

/** Somebody who shares the feed and has none. */
export function wanting(
  world: SyncWorld,
  packer?: ChunkPacker,
): { readonly node: SyncNode; readonly replica: Replica } {
  const node = world.node('clone', packer)
  const { replica } = reader(feed)
  node.synchronizer.add(replica, world.now)
  return { node, replica }
}

/** Somebody who wants chunks, and takes them as they come unless it is `lazy`. */
export class Taker {
  readonly fetch: ChunkFetch
  readonly came: Chunk[] = []
  readonly #node: SyncNode
  readonly #world: SyncWorld

  constructor(
    world: SyncWorld,
    node: SyncNode,
    replica: Replica,
    names: readonly ChunkName[],
    options: { readonly isLazy?: boolean } = {},
  ) {
    this.#world = world
    this.#node = node
    // Not within the call: who wants them is told, and comes for them.
    const wake = (): void => {
      if (options.isLazy !== true) world.later(0, () => this.take())
    }
    this.fetch = new ChunkFetch(replica, names, wake)
    node.synchronizer.chunks.begin(this.fetch, world.now)
  }

  get isDone(): boolean {
    return this.fetch.isDone
  }

  take(): void {
    for (let chunk = this.fetch.shift(); chunk !== undefined; chunk = this.fetch.shift()) {
      this.came.push(chunk)
      this.#node.synchronizer.chunks.taken(this.fetch, this.#world.now)
    }
    if (this.fetch.isDone) this.end()
  }

  end(): void {
    this.#node.synchronizer.chunks.end(this.fetch, this.#world.now)
  }

  /** Whether exactly these have come, each once. */
  hasExactly(chunks: readonly Chunk[]): boolean {
    const hex = ({ hash, bytes }: Chunk): string => `${encodeHex(hash)} ${encodeHex(sha256.digest(bytes))}`
    const expected = chunks.map(hex).sort()
    const actual = this.came.map(hex).sort()
    return expected.length === actual.length && expected.every((one, index) => one === actual[index])
  }
}
