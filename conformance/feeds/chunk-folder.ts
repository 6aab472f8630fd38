import { createHash } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Chunk, ChunkSource } from 'plait'
import { blockOf } from './content.ts'

/** So many chunks, named by their hashes; those of two numbers or two lengths are never the same. */
export function chunksFrom(start: number, count: number, bytes: number): Chunk[] {
  return Array.from({ length: count }, (_value, index) => {
    const chunk = blockOf(start + index, bytes)
    return { hash: sha256(chunk), bytes: chunk }
  })
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

  async put(chunks: readonly Chunk[]): Promise<void> {
    await mkdir(this.#path, { recursive: true })
    for (const { hash, bytes } of chunks) await writeFile(this.#fileOf(hash), bytes)
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
