import { expect, it } from 'vitest'
import { PlaitError } from '../../base/error.ts'
import { sha256 } from '../../feed/node/sha256.ts'
import { SeededRandom } from '../../runtime/simulated/random.ts'
import { Scheduler } from '../../runtime/simulated/scheduler.ts'
import { simulatedRuntime } from '../../runtime/simulated/simulated-runtime.ts'
import type { IndexedContent } from './chunk-index.ts'
import { FolderChunks } from './folder-chunks.ts'
import { MemoryChunkIndex } from './memory-chunk-index.ts'
import type { FileDoor, ReadableFile } from './open-files.ts'

const digest = (bytes: Uint8Array): Uint8Array => sha256.digest(bytes)
const random = new SeededRandom('folder')

/** Files in memory, which can be replaced under those who have them open. */
class Folder implements FileDoor {
  readonly filesByPath = new Map<string, Uint8Array>()
  opened = 0
  openNow = 0
  openMax = 0
  readsMax = 0
  #reads = 0

  async open(path: string): Promise<ReadableFile> {
    const bytes = this.filesByPath.get(path)
    if (bytes === undefined) throw new PlaitError('FILE_FAILED', `${path} does not exist`)
    this.opened += 1
    this.openNow += 1
    this.openMax = Math.max(this.openMax, this.openNow)
    return {
      read: async (offset, length) => {
        this.#reads += 1
        this.readsMax = Math.max(this.readsMax, this.#reads)
        for (let turn = 0; turn < 3; turn += 1) await Promise.resolve()
        this.#reads -= 1
        return bytes.slice(offset, offset + length)
      },
      close: async () => void (this.openNow -= 1),
    }
  }
}

function contentOf(path: string, bytes: Uint8Array): IndexedContent {
  return { path, size: bytes.length, root: digest(bytes), pages: [] }
}

function setting(): {
  folder: Folder
  index: MemoryChunkIndex
  chunks: FolderChunks
  stale: string[]
  scheduler: Scheduler
} {
  const folder = new Folder()
  const index = new MemoryChunkIndex()
  const stale: string[] = []
  const scheduler = new Scheduler()
  const { timers } = simulatedRuntime({ scheduler })
  const chunks = new FolderChunks({ files: folder, index, digest, timers, stale: (path) => stale.push(path) })
  return { folder, index, chunks, stale, scheduler }
}
const { signal } = new AbortController()

it('gives what a file holds, from wherever it is', async () => {
  const { folder, index, chunks, stale } = setting()
  const bytes = random.bytes(5_000)
  folder.filesByPath.set('second', bytes)
  await index.put([contentOf('first', bytes), contentOf('second', bytes)])
  expect(await chunks.read(digest(bytes), { signal })).toEqual(bytes)
  expect(stale).toEqual(['first'])
  // It could not be read, which need not last.
  folder.filesByPath.set('first', bytes)
  folder.filesByPath.delete('second')
  expect(await chunks.read(digest(bytes), { signal })).toEqual(bytes)
  expect(await chunks.read(digest(random.bytes(5)), { signal })).toBeUndefined()
})

it('never gives a wrong chunk: the place of one that has changed is forgotten, and told', async () => {
  const { folder, index, chunks, stale } = setting()
  const bytes = random.bytes(5_000)
  await index.put([contentOf('file', bytes)])
  for (const changed of [bytes.slice(0, 4_999), random.bytes(5_000), new Uint8Array(0)]) {
    folder.filesByPath.set('file', changed)
    await index.put([contentOf('file', bytes)])
    expect(await chunks.read(digest(bytes), { signal })).toBeUndefined()
    expect(await index.places(digest(bytes))).toEqual([])
  }
  expect(stale).toEqual(['file', 'file', 'file'])
})

it('looks again by its name at a file that was open, before it calls a place wrong', async () => {
  const { folder, index, chunks, stale } = setting()
  const [before, after] = [random.bytes(300), random.bytes(300)]
  folder.filesByPath.set('file', before)
  await index.put([contentOf('file', before)])
  expect(await chunks.read(digest(before), { signal })).toEqual(before)
  folder.filesByPath.set('file', after)
  await index.put([contentOf('file', after)])
  expect(await chunks.read(digest(after), { signal })).toEqual(after)
  expect(stale).toEqual([])
  expect(folder.opened).toBe(2)
})

it('keeps few files open, for a moment, and reads few chunks at once', async () => {
  const { folder, index, chunks, scheduler } = setting()
  const files = Array.from({ length: 100 }, (_none, number) => ({ path: `file ${number}`, bytes: random.bytes(100) }))
  for (const { path, bytes } of files) folder.filesByPath.set(path, bytes)
  await index.put(files.map(({ path, bytes }) => contentOf(path, bytes)))
  const all = await Promise.all(files.map(({ bytes }) => chunks.read(digest(bytes), { signal })))
  expect(all).toEqual(files.map(({ bytes }) => bytes))
  expect(folder.readsMax).toBe(8)
  expect(folder.openMax).toBeLessThanOrEqual(16 + 8)
  const last = files.at(-1) as (typeof files)[number]
  const { opened } = folder
  await chunks.read(digest(last.bytes), { signal })
  expect(folder.opened).toBe(opened)
  await chunks.read(digest(files[0]?.bytes as Uint8Array), { signal })
  expect(folder.opened).toBe(opened + 1)
  while (scheduler.step(5_000)) await settled()
  await settled()
  expect(folder.openNow).toBe(0)
})

it('gives up when nobody waits, also in the line, and lets the others have their turn', async () => {
  const { folder, index, chunks } = setting()
  const files = Array.from({ length: 30 }, (_none, number) => ({ path: `file ${number}`, bytes: random.bytes(100) }))
  for (const { path, bytes } of files) folder.filesByPath.set(path, bytes)
  await index.put(files.map(({ path, bytes }) => contentOf(path, bytes)))
  const ending = new AbortController()
  const reads = files.map(({ bytes }, number) =>
    chunks.read(digest(bytes), { signal: number % 2 === 0 ? signal : ending.signal }),
  )
  const settling = Promise.allSettled(reads)
  ending.abort(new Error('enough'))
  const results = await settling
  expect(results.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThanOrEqual(15)
  for (const [number, result] of results.entries()) {
    if (number % 2 === 0) expect(result).toMatchObject({ status: 'fulfilled', value: files[number]?.bytes })
    else if (result.status === 'rejected') expect(result.reason).toEqual(new Error('enough'))
  }
  chunks.close()
  await settled()
  expect(folder.openNow).toBe(0)
})

async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve()
}
