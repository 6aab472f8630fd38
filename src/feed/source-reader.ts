import { PlaitError } from '../base/error.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { ChunkSource } from './chunk-api.ts'
import type { ChunkReader } from './sync/chunk-reader.ts'
import { TurnShare } from './turn-share.ts'

/** A source of chunks as the synchronizer reads it: what answers at once does not keep others from their turn. */
export class SourceReader implements ChunkReader {
  readonly #source: ChunkSource
  readonly #share: TurnShare

  constructor(source: ChunkSource, runtime: Pick<Runtime, 'clock' | 'timers'>) {
    this.#source = source
    this.#share = new TurnShare(runtime)
  }

  read(hash: Uint8Array, done: (bytes?: Uint8Array) => void): () => void {
    const ending = new AbortController()
    const { signal } = ending
    void this.#read(hash, signal, done)
    return () => ending.abort(new PlaitError('CANCELLED', 'nobody waits for this chunk any longer', { traced: false }))
  }

  async #read(hash: Uint8Array, signal: AbortSignal, done: (bytes?: Uint8Array) => void): Promise<void> {
    while (this.#share.isUsed && !signal.aborted) await this.#share.nextTurn()
    const bytes = signal.aborted ? undefined : await this.#bytesOf(hash, signal)
    if (!signal.aborted) done(bytes)
  }

  async #bytesOf(hash: Uint8Array, signal: AbortSignal): Promise<Uint8Array | undefined> {
    try {
      return await this.#source.read(hash, { signal })
    } catch {
      // What cannot be read is not here.
      return undefined
    }
  }
}
