import { encodeHex } from '../../base/bytes.ts'
import { PlaitError } from '../../base/error.ts'
import { Queue } from '../../base/queue.ts'
import { Waiters } from '../../base/waiters.ts'
import type { Chunk, ChunkName } from '../../feed/chunk-api.ts'
import type { Timers } from '../../runtime/timers.ts'
import type { ContentSources } from './content-reader.ts'

type FetchChunks = ContentSources['remote']

/**
 * Joins what many files want in one turn to one request, and what several of them want at a time to one chunk: small files are fetched by
 * the hundreds, and each by itself would cost a message. What comes is handed on at once, also to who is slow: whoever asks bounds what
 * it asks for.
 */
export class ChunkRequests {
  readonly #upstream: FetchChunks
  readonly #timers: Pick<Timers, 'endOfTurn'>
  readonly #batchesByKey = new Map<string, Batch>()
  #next: Batch | undefined

  constructor(upstream: FetchChunks, timers: Pick<Timers, 'endOfTurn'>) {
    this.#upstream = upstream
    this.#timers = timers
  }

  /** As `ContentSources.remote`; the bytes may be shared with other files, and are not to be changed. */
  async *fetch(
    wanted: readonly ChunkName[],
    { signal }: { readonly signal: AbortSignal },
  ): AsyncGenerator<Chunk, void> {
    signal.throwIfAborted()
    const request = new Request()
    const batches = new Set(wanted.map((name) => this.#enter(name, request)))
    try {
      for (;;) {
        for (let chunk = request.came.shift(); chunk !== undefined; chunk = request.came.shift()) yield chunk
        if (request.failure !== undefined) throw request.failure.reason
        if (request.left.size === 0) return
        await request.changes.wait(signal)
      }
    } finally {
      for (const batch of batches) batch.leave(request)
    }
  }

  #enter(name: ChunkName, request: Request): Batch {
    const key = keyOf(name.hash, name.length)
    const known = this.#batchesByKey.get(key)
    const batch = known ?? this.#nextBatch(name)
    if (known === undefined) this.#batchesByKey.set(key, batch)
    batch.enter(key, name, request)
    return batch
  }

  /** A batch has a hash once: a list that lies about the length of a chunk keeps nobody from the right one. */
  #nextBatch({ hash }: ChunkName): Batch {
    if (this.#next !== undefined && !this.#next.hashes.has(encodeHex(hash))) return this.#next
    const batch = new Batch((key) => this.#batchesByKey.delete(key))
    this.#next = batch
    this.#timers.endOfTurn(() => {
      if (this.#next === batch) this.#next = undefined
      void batch.run(this.#upstream)
    })
    return batch
  }
}

/** What one file waits for. */
class Request {
  readonly left = new Set<string>()
  readonly came = new Queue<Chunk>()
  readonly changes = new Waiters()
  failure: { readonly reason: unknown } | undefined
}

/** Chunks that others are asked for together. */
class Batch {
  readonly #forget: (key: string) => void
  /** In hexadecimal, of all that it was ever to ask for. */
  readonly hashes = new Set<string>()
  readonly #namesByKey = new Map<string, ChunkName>()
  readonly #requestsByKey = new Map<string, Set<Request>>()
  readonly #ending = new AbortController()
  #isAsked = false

  /** `forget` is told of each chunk that it is not waited for any more. */
  constructor(forget: (key: string) => void) {
    this.#forget = forget
  }

  enter(key: string, name: ChunkName, request: Request): void {
    const requests = this.#requestsByKey.get(key)
    if (requests === undefined) {
      this.hashes.add(encodeHex(name.hash))
      this.#namesByKey.set(key, name)
      this.#requestsByKey.set(key, new Set([request]))
    } else requests.add(request)
    request.left.add(key)
  }

  /** A file wants nothing more of it; when none does, nobody is asked any more. */
  leave(request: Request): void {
    for (const [key, requests] of this.#requestsByKey) {
      requests.delete(request)
      if (requests.size === 0) this.#take(key)
    }
    if (this.#isAsked && this.#requestsByKey.size === 0)
      this.#ending.abort(new PlaitError('CANCELLED', 'nobody waits for these chunks any longer', { traced: false }))
  }

  async run(upstream: FetchChunks): Promise<void> {
    const { signal } = this.#ending
    try {
      this.#isAsked = true
      const names = [...this.#requestsByKey.keys()].map((key) => this.#namesByKey.get(key) as ChunkName)
      if (names.length === 0) return
      for await (const chunk of upstream(names, { signal })) {
        this.#deliver(keyOf(chunk.hash, chunk.bytes.length), chunk)
        this.#deliver(keyOf(chunk.hash, undefined), chunk)
      }
      for (const key of [...this.#requestsByKey.keys()]) this.#giveUp(key, undefined)
    } catch (reason) {
      for (const key of [...this.#requestsByKey.keys()]) this.#giveUp(key, { reason })
    }
  }

  #deliver(key: string, chunk: Chunk): void {
    for (const request of this.#take(key)) {
      request.left.delete(key)
      request.came.push(chunk)
      request.changes.wake()
    }
  }

  #giveUp(key: string, failure: { readonly reason: unknown } | undefined): void {
    for (const request of this.#take(key)) {
      request.left.delete(key)
      request.failure ??= failure
      request.changes.wake()
    }
  }

  #take(key: string): ReadonlySet<Request> {
    const requests = this.#requestsByKey.get(key)
    this.#requestsByKey.delete(key)
    if (requests !== undefined) this.#forget(key)
    return requests ?? new Set()
  }
}

function keyOf(hash: Uint8Array, length: number | undefined): string {
  return `${encodeHex(hash)} ${length ?? ''}`
}
