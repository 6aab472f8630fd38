import { PlaitError } from '../base/error.ts'
import { defaultLimits } from '../base/limits.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { Chunk, ChunkName, ChunkOptions, ChunkSource } from './chunk-api.ts'
import { ChunkStream } from './chunk-stream.ts'
import { hashBytes } from './hash.ts'
import { SourceReader } from './source-reader.ts'
import type { Replica } from './sync/replica.ts'
import type { Synchronizer } from './sync/synchronizer.ts'

/** What fetching and serving chunks needs of the node. */
export interface ChunkHost extends Pick<Runtime, 'clock' | 'timers'> {
  readonly synchronizer: Synchronizer
  /** Something may have to be looked after from now on. */
  wake(): void
}

/** The chunks that are exchanged with those who share one open feed. */
export class FeedChunks {
  readonly #replica: Replica
  readonly #host: ChunkHost
  readonly #streams = new Set<ChunkStream>()
  #ended: PlaitError | undefined

  constructor(replica: Replica, host: ChunkHost) {
    this.#replica = replica
    this.#host = host
  }

  serve(source: ChunkSource | undefined): void {
    this.#replica.chunkReader = source && new SourceReader(source, this.#host)
  }

  fetch(
    wanted: Iterable<Uint8Array | ChunkName>,
    { signal, keepsTogether = false }: ChunkOptions,
  ): AsyncIterable<Chunk> {
    const names = Array.from(wanted, nameOf)
    return {
      [Symbol.asyncIterator]: () => {
        const ended = (): void => void this.#streams.delete(stream)
        const stream = new ChunkStream(this.#replica, this.#host, names, { keepsTogether, ended })
        this.#streams.add(stream)
        if (this.#ended !== undefined) stream.fail(this.#ended)
        stream.begin(signal)
        return stream
      },
    }
  }

  /** Nothing more comes of it: who waits is told why. */
  end(reason: PlaitError): void {
    this.#ended ??= reason
    for (const stream of this.#streams) stream.fail(reason)
  }
}

function nameOf(wanted: Uint8Array | ChunkName): ChunkName {
  const { hash, length } = wanted instanceof Uint8Array ? { hash: wanted, length: undefined } : wanted
  if (!(hash instanceof Uint8Array) || hash.length !== hashBytes)
    throw new PlaitError('INVALID_ARGUMENT', 'a chunk is named by a SHA-256 of 32 bytes')
  const { feedBlockBytes } = defaultLimits
  if (length !== undefined && !(Number.isSafeInteger(length) && length >= 0 && length <= feedBlockBytes)) {
    throw new PlaitError('INVALID_ARGUMENT', `a chunk has at most ${feedBlockBytes} bytes, not ${length}`)
  }
  return { hash: hash.slice(), length }
}
