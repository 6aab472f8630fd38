import { mkdtempSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Chunk, ChunkName } from '../../../feed/chunk-api.ts'
import { sha256 } from '../../../feed/node/sha256.ts'
import { SeededRandom } from '../../../runtime/simulated/random.ts'
import { systemRuntime } from '../../../runtime/system/system-runtime.ts'
import { MemoryView } from '../../../store/memory-view.ts'
import { assemble } from '../assemble.ts'
import type { AssemblyProgress } from '../assemble.ts'
import { FolderChunks } from '../folder-chunks.ts'
import type { ContentName } from '../manifest-walk.ts'
import { ViewChunkIndex } from '../view-chunk-index.ts'
import { ContentDigester } from './content-digester.ts'

const MiB = 1024 * 1024
const digest = (bytes: Uint8Array): Uint8Array => sha256.digest(bytes)
const random = new SeededRandom('story')
let base: string
let digester: ContentDigester

beforeAll(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), 'plait-content-')))
  digester = new ContentDigester(systemRuntime())
})
afterAll(async () => {
  await digester.close()
  rmSync(base, { recursive: true, force: true })
})

/** One folder with all that it takes to give its content away, and to take that of others. */
class Copy {
  readonly root: string
  readonly #index: ViewChunkIndex
  readonly #disk: ReturnType<typeof systemRuntime>['disk']
  readonly #chunks: FolderChunks
  readonly stale: string[] = []

  private constructor(root: string, index: ViewChunkIndex) {
    const runtime = systemRuntime({ root })
    const files = { open: (path: string) => runtime.disk.open(path, { create: false }) }
    this.root = root
    this.#disk = runtime.disk
    this.#index = index
    const stale = (path: string): void => void this.stale.push(path)
    this.#chunks = new FolderChunks({ files, index, digest, timers: runtime.timers, stale })
  }

  static async open(): Promise<Copy> {
    return new Copy(mkdtempSync(join(base, 'copy-')), await ViewChunkIndex.open(new MemoryView()))
  }

  /** What is in a file, which is known from now on. */
  async publish(name: string, bytes?: Uint8Array): Promise<ContentName> {
    if (bytes !== undefined) writeFileSync(join(this.root, name), bytes)
    const result = await digester.digest({ path: name, place: join(this.root, name) })
    if (result.kind !== 'content') throw new Error('nobody writes here')
    await this.#index.put([{ path: name, ...result.content }])
    return result.content
  }

  async fetch(name: string, content: ContentName, from: Copy): Promise<AssemblyProgress> {
    const sink = await this.#disk.open(`${name}.tmp`, { create: true })
    const sources = {
      local: (hash: Uint8Array) => this.#chunks.read(hash),
      remote: (wanted: readonly ChunkName[]) => from.#give(wanted),
    }
    try {
      return await assemble(content, sources, sink, { digest })
    } finally {
      await sink.close()
      await this.#disk.rename(`${name}.tmp`, name)
      await this.publish(name)
    }
  }

  async *#give(wanted: readonly ChunkName[]): AsyncGenerator<Chunk> {
    for (const { hash } of wanted) {
      const bytes = await this.#chunks.read(hash)
      if (bytes !== undefined) yield { hash, bytes }
    }
  }

  close(): void {
    this.#chunks.close()
  }
}

it('goes from folder to folder, and then only what has changed', async () => {
  const [first, second] = [await Copy.open(), await Copy.open()]
  const same = (name: string): void =>
    expect(readFileSync(join(first.root, name)).equals(readFileSync(join(second.root, name)))).toBe(true)
  const bytes = random.bytes(8 * MiB)

  const whole = await second.fetch('film', await first.publish('film', bytes), first)
  same('film')
  expect(whole).toEqual({ resumedBytes: 0, localBytes: 0, remoteBytes: bytes.length })

  const changed = Buffer.concat([bytes.subarray(0, 5 * MiB), random.bytes(1024), bytes.subarray(5 * MiB)])
  const part = await second.fetch('film', await first.publish('film', changed), first)
  same('film')
  expect(part.remoteBytes).toBeLessThan(300_000)

  // Another name, a part of it, and another copy: nothing is sent.
  for (const [name, content] of [
    ['copy', changed],
    ['end', changed.subarray(2 * MiB)],
  ] as const) {
    const copied = await second.fetch(name, await first.publish(name, content), first)
    same(name)
    expect(copied.remoteBytes).toBeLessThan(300_000)
  }
  const small = await second.fetch('small', await first.publish('small', random.bytes(100)), first)
  same('small')
  expect(small.remoteBytes).toBe(100)

  // What has changed unnoticed is given to nobody, and noticed.
  const before = await first.publish('note', random.bytes(MiB))
  writeFileSync(join(first.root, 'note'), random.bytes(MiB))
  await expect(second.fetch('note', before, first)).rejects.toMatchObject({ code: 'SUPERSEDED' })
  expect(new Set(first.stale)).toEqual(new Set(['note']))
  expect(statSync(join(second.root, 'note')).size).toBe(0)
  first.close()
  second.close()
})
