import { createHash } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Chunk, ChunkSource } from 'plait'

/** So many chunks, named by their hashes, one after the other; those of two numbers or two lengths are never the same. */
export async function* chunksFrom(start: number, count: number, bytes: number): AsyncGenerator<Chunk> {
  for (let index = start; index < start + count; index += 1) {
    const chunk = new Uint8Array(bytes).fill(index & 255)
    new DataView(chunk.buffer).setUint32(0, index, true)
    // Nothing else should have to wait for all of them.
    if (index % 64 === 0) await nextTurn()
    yield { hash: sha256(chunk), bytes: chunk }
  }
}

/** Whether a chunk is the one of its hash. */
export function isChunk({ hash, bytes }: Chunk): boolean {
  return sha256(bytes).every((byte, at) => byte === hash[at])
}

/** Chunks in files, each under the name of its hash. */
export class ChunkFolder implements ChunkSource {
  readonly #path: string
  reads = 0

  constructor(path: string) {
    this.#path = path
  }

  async put(chunks: AsyncIterable<Chunk>): Promise<void> {
    await mkdir(this.#path, { recursive: true })
    for await (const { hash, bytes } of chunks) await writeFile(this.#fileOf(hash), bytes)
  }

  async read(hash: Uint8Array, { signal }: { readonly signal: AbortSignal }): Promise<Uint8Array | undefined> {
    this.reads += 1
    return readFile(this.#fileOf(hash), { signal }).catch(() => undefined)
  }

  #fileOf(hash: Uint8Array): string {
    return join(this.#path, Buffer.from(hash).toString('hex'))
  }
}

function sha256(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(createHash('sha256').update(bytes).digest())
}
