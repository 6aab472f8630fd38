import { bytesEqual, encodeHex } from '../../base/bytes.ts'
import type { DiskFile } from '../../runtime/disk.ts'
import { contentChunks } from './content-reader.ts'
import type { ChunkOrigin, ContentOptions, ContentSources } from './content-reader.ts'
import type { Digest } from './manifest-builder.ts'
import type { ChunkPlace, ContentName } from './manifest-walk.ts'
import { SequentialWriter } from './sequential-writer.ts'
import type { PieceFile } from './sequential-writer.ts'

/** The file that is being put together, under a name that is not its own yet. */
export type AssemblySink = Pick<DiskFile, 'size' | 'truncate'> & PieceFile

/** Bytes of the file by where they came from: they were in the sink before, were on this disk elsewhere, or others sent them. */
export interface AssemblyProgress {
  readonly resumedBytes: number
  readonly localBytes: number
  readonly remoteBytes: number
}

export interface AssemblyOptions extends Omit<ContentOptions, 'range'> {
  /** Called for each chunk that is in its place. */
  readonly progress?: (progress: AssemblyProgress) => void
}

/** Chunks of the sink that are remembered, in case they come again. */
const rememberedMax = 16_384

/**
 * Writes the content of a file into `sink`, in order: resolves when all of it is there and nothing behind it, not synced. What the sink has
 * already, from a run that was interrupted, is hashed and kept where it is right. Rejects as `contentChunks` does, and with what the sink
 * rejects with (`NO_SPACE`); the sink is then good for another try.
 */
export async function assemble(
  content: ContentName,
  sources: Omit<ContentSources, 'inPlace'>,
  sink: AssemblySink,
  options: AssemblyOptions,
): Promise<AssemblyProgress> {
  const begun = await sink.size()
  if (begun > content.size) await sink.truncate(content.size)
  const writer = new SequentialWriter(sink)
  const assembly = new Assembly(writer, options.digest)
  const all: ContentSources = {
    local: async (hash, { signal }) => (await assembly.again(hash)) ?? (await sources.local(hash, { signal })),
    remote: (wanted, { signal }) => sources.remote(wanted, { signal }),
    ...(begun > 0 && { inPlace: (place) => assembly.bytesIn(place, begun) }),
  }
  try {
    for await (const chunk of contentChunks(content, all, options)) {
      if (chunk.origin !== 'place') await writer.write(chunk.offset, chunk.bytes)
      assembly.note(chunk)
      options.progress?.(assembly.progress())
    }
  } catch (error) {
    // Nothing is written any more when this has ended.
    await writer.flush().catch(() => undefined)
    throw error
  }
  await writer.flush()
  return assembly.progress()
}

class Assembly {
  readonly #sink: SequentialWriter
  readonly #digest: Digest
  readonly #writtenByHash = new Map<string, ChunkPlace>()
  readonly #bytesByOrigin: Record<ChunkOrigin, number> = { place: 0, local: 0, remote: 0 }

  constructor(sink: SequentialWriter, digest: Digest) {
    this.#sink = sink
    this.#digest = digest
  }

  progress(): AssemblyProgress {
    const { place, local, remote } = this.#bytesByOrigin
    return { resumedBytes: place, localBytes: local, remoteBytes: remote }
  }

  /** A chunk is in its place. */
  note({ hash, length, offset, origin }: ChunkPlace & { readonly origin: ChunkOrigin }): void {
    this.#bytesByOrigin[origin] += length
    this.#writtenByHash.set(encodeHex(hash), { hash, length, offset })
    if (this.#writtenByHash.size <= rememberedMax) return
    for (const oldest of this.#writtenByHash.keys()) {
      this.#writtenByHash.delete(oldest)
      return
    }
  }

  /** A chunk that stands further to the front in this very file. */
  async again(hash: Uint8Array): Promise<Uint8Array | undefined> {
    const place = this.#writtenByHash.get(encodeHex(hash))
    return place && (await this.bytesIn(place, Infinity))
  }

  /** The bytes that an earlier run has left at a place, if they are right. */
  async bytesIn({ hash, length, offset }: ChunkPlace, end: number): Promise<Uint8Array | undefined> {
    if (offset + length > end) return undefined
    const bytes = await this.#sink.read(offset, length)
    return bytes.length === length && bytesEqual(this.#digest(bytes), hash) ? bytes : undefined
  }
}
