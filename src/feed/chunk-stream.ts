import { Waiters } from '../base/waiters.ts'
import type { Chunk, ChunkName } from './chunk-api.ts'
import type { ChunkHost } from './feed-chunks.ts'
import { ChunkFetch } from './sync/chunk-fetch.ts'
import type { Replica } from './sync/replica.ts'

type Next = IteratorResult<Chunk, undefined>

/** Chunks as they come. Fetches them from when it begins until all are taken, it is given up, or it fails. */
export class ChunkStream implements AsyncIterator<Chunk, undefined> {
  readonly #host: ChunkHost
  readonly #fetch: ChunkFetch
  readonly #changes = new Waiters()
  readonly #keepsTogether: boolean
  readonly #ended: () => void
  #signal: AbortSignal | undefined
  #failure: { readonly reason: unknown } | undefined
  #isDone = false

  constructor(
    replica: Replica,
    host: ChunkHost,
    names: readonly ChunkName[],
    { keepsTogether, ended }: { readonly keepsTogether: boolean; readonly ended: () => void },
  ) {
    this.#host = host
    this.#fetch = new ChunkFetch(replica, names, () => this.#changes.wake())
    this.#keepsTogether = keepsTogether
    this.#ended = ended
  }

  begin(signal: AbortSignal | undefined): void {
    if (this.#isDone) return
    if (signal?.aborted === true) return this.fail(signal.reason)
    signal?.addEventListener('abort', this.#abort, { once: true })
    this.#signal = signal
    this.#host.synchronizer.chunks.begin(this.#fetch, this.#host.clock.now())
    this.#host.wake()
  }

  async next(): Promise<Next> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure.reason
      const chunk = this.#isDone ? undefined : this.#fetch.shift()
      if (chunk !== undefined) {
        this.#host.synchronizer.chunks.taken(this.#fetch, this.#host.clock.now())
        // What came with others in one message does not keep them, unless that is all right.
        const bytes = this.#keepsTogether ? chunk.bytes : chunk.bytes.slice()
        return { done: false, value: { hash: chunk.hash, bytes } }
      }
      if (this.#fetch.isDone) this.#end()
      if (this.#isDone) return { done: true, value: undefined }
      await this.#changes.wait()
    }
  }

  return(): Promise<Next> {
    this.#end()
    return Promise.resolve({ done: true, value: undefined })
  }

  /** Gives it up: who takes the next one is told why. */
  fail(reason: unknown): void {
    if (this.#isDone) return
    this.#failure = { reason }
    this.#end()
  }

  readonly #abort = (): void => this.fail(this.#signal?.reason)

  #end(): void {
    if (this.#isDone) return
    this.#isDone = true
    this.#signal?.removeEventListener('abort', this.#abort)
    this.#host.synchronizer.chunks.end(this.#fetch, this.#host.clock.now())
    this.#ended()
    this.#changes.wake()
  }
}
