import { bytesEqual } from '../../base/bytes.ts'
import { Waiters } from '../../base/waiters.ts'
import type { ChunkSource } from '../../feed/chunk-api.ts'
import type { Timers } from '../../runtime/timers.ts'
import type { ChunkIndex, FilePlace } from './chunk-index.ts'
import type { Digest } from './manifest-builder.ts'
import { OpenFiles } from './open-files.ts'
import type { FileDoor } from './open-files.ts'

export interface FolderChunksOptions {
  readonly files: FileDoor
  readonly index: ChunkIndex
  readonly digest: Digest
  readonly timers: Timers
  /** A file does not hold what it did when it was indexed, or cannot be read: it is to be looked at again. */
  readonly stale?: (path: string) => void
  /** Chunks that are read at once, for everybody together: each holds up to 256 KiB. */
  readonly readsMax?: number
}

/**
 * The chunks and pages that are in the folder, read from its files when they are asked for. None is given away that was not hashed after
 * it was read: files may change at any time.
 */
export class FolderChunks implements ChunkSource {
  readonly #index: ChunkIndex
  readonly #digest: Digest
  readonly #files: OpenFiles
  readonly #stale: (path: string) => void
  readonly #changes = new Waiters()
  #readsLeft: number

  constructor({ files, index, digest, timers, stale = () => undefined, readsMax = 8 }: FolderChunksOptions) {
    this.#index = index
    this.#digest = digest
    this.#files = new OpenFiles(files, timers)
    this.#stale = stale
    this.#readsLeft = readsMax
  }

  /** The bytes with that hash; undefined when no file has them any more. Rejects with the signal's reason, and when the index fails. */
  async read(hash: Uint8Array, { signal }: { readonly signal?: AbortSignal } = {}): Promise<Uint8Array | undefined> {
    while (this.#readsLeft === 0) await this.#changes.wait(signal)
    signal?.throwIfAborted()
    this.#readsLeft -= 1
    try {
      return (await this.#chunk(hash, signal)) ?? (await this.#page(hash))
    } finally {
      this.#readsLeft += 1
      this.#changes.wake()
    }
  }

  /** Closes what is open; reads may go on afterwards. */
  close(): void {
    this.#files.close()
  }

  async #chunk(hash: Uint8Array, signal: AbortSignal | undefined): Promise<Uint8Array | undefined> {
    for (const place of await this.#index.places(hash)) {
      signal?.throwIfAborted()
      const bytes = (await this.#bytesAt(place, hash)) ?? (await this.#bytesAgain(place, hash))
      if (bytes !== undefined) return bytes
      this.#stale(place.path)
    }
    return undefined
  }

  /** What was open may have been replaced meanwhile by the very file that the index means. */
  async #bytesAgain(place: FilePlace, hash: Uint8Array): Promise<Uint8Array | undefined> {
    this.#files.forget(place.path)
    return this.#bytesAt(place, hash, () => this.#index.forgetPlace(hash, place))
  }

  /** Undefined when they cannot be read, which need not last, and when they are others: only then `wrong` is called. */
  async #bytesAt(
    { path, offset, length }: FilePlace,
    hash: Uint8Array,
    wrong?: () => Promise<void>,
  ): Promise<Uint8Array | undefined> {
    const bytes = await this.#files.use(path, (file) => file.read(offset, length)).catch(() => undefined)
    if (bytes === undefined || this.#isRight(bytes, hash)) return bytes
    await wrong?.()
    return undefined
  }

  async #page(hash: Uint8Array): Promise<Uint8Array | undefined> {
    const bytes = await this.#index.page(hash)
    return bytes !== undefined && this.#isRight(bytes, hash) ? bytes : undefined
  }

  #isRight(bytes: Uint8Array, hash: Uint8Array): boolean {
    return bytesEqual(this.#digest(bytes), hash)
  }
}
