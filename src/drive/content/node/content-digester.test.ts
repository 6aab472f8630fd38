import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { encodeHex } from '../../../base/bytes.ts'
import { sha256 } from '../../../feed/node/sha256.ts'
import { SeededRandom } from '../../../runtime/simulated/random.ts'
import { systemRuntime } from '../../../runtime/system/system-runtime.ts'
import { chunksOf, leavesOf } from '../chunk-index.ts'
import { ContentDigester } from './content-digester.ts'
import type { DigestResult } from './content-digester.ts'
import type { FileContent } from './file-content.ts'

const KiB = 1024
const MiB = 1024 * KiB
const random = new SeededRandom('digester')
let folder: string
let digester: ContentDigester

beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'plait-digest-')))
  digester = new ContentDigester(systemRuntime())
})
afterAll(async () => {
  await digester.close()
  rmSync(folder, { recursive: true, force: true })
})

const at = (name: string): { path: string; place: string } => ({ path: name, place: join(folder, name) })

/** Written long enough ago that its times tell it from another one. */
function write(name: string, bytes: Uint8Array): void {
  writeFileSync(join(folder, name), bytes)
}

function contentOf(result: DigestResult): FileContent {
  if (result.kind !== 'content') throw new Error(`the file is ${result.kind}`)
  return result.content
}

/** Each chunk has the bytes that stand there. */
function expectToName(content: FileContent, bytes: Uint8Array): void {
  expect(content.size).toBe(bytes.length)
  let end = 0
  for (const { hash, length, offset } of chunksOf(content, leavesOf(content.pages))) {
    expect(offset).toBe(end)
    end += length
    expect(encodeHex(sha256.digest(bytes.subarray(offset, end)))).toBe(encodeHex(hash))
  }
  expect(end).toBe(bytes.length)
  for (const { hash, bytes: page } of content.pages) expect(encodeHex(sha256.digest(page))).toBe(encodeHex(hash))
}

it.each([0, 1, 256 * KiB, 256 * KiB + 1, 5 * MiB, 17 * MiB + 7])(
  'finds what is in a file of %i bytes',
  async (size) => {
    const bytes = random.bytes(size)
    write('file', bytes)
    const told: number[] = []
    const result = await digester.digest(at('file'), { progress: (count) => told.push(count) })
    expectToName(contentOf(result), bytes)
    expect(result).toMatchObject({ facts: { size, mode: 0o644 } })
    expect(told).toEqual(size > 16 * MiB ? [16 * MiB] : [])
    const again = contentOf(await digester.digest(at('file')))
    expect(again.root).toEqual(contentOf(result).root)
  },
)

it('reads many at once, large ones and small ones', async () => {
  const files = Array.from({ length: 40 }, (_none, number) => ({
    name: `many ${number}`,
    bytes: random.bytes(number % 4 === 0 ? MiB + number : number),
  }))
  for (const { name, bytes } of files) write(name, bytes)
  const results = await Promise.all(files.map(({ name }) => digester.digest(at(name))))
  for (const [index, result] of results.entries()) expectToName(contentOf(result), files[index]?.bytes as Uint8Array)
  expect(results).toHaveLength(files.length)
})

it('does not let what is small wait for what is large', async () => {
  write('film', random.bytes(64 * MiB))
  write('text', random.bytes(MiB))
  const order: string[] = []
  const noted = async (name: string): Promise<void> => {
    expect((await digester.digest(at(name))).kind).toBe('content')
    order.push(name)
  }
  await Promise.all(['film', 'film', 'text'].map(noted))
  expect(order).toEqual(['text', 'film', 'film'])
})

it('says of what was changed just now that it may change without a trace', async () => {
  write('fresh', random.bytes(10))
  expect(await digester.digest(at('fresh'))).toMatchObject({ isSettled: false })
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect(await digester.digest(at('fresh'))).toMatchObject({ isSettled: true })
})

it('reads a file again that changes, and leaves one for later that changes all the time', async () => {
  const bytes = random.bytes(40 * MiB)
  write('changing', bytes)
  let changes = 0
  const changeOnce = (): void => {
    if (changes > 0) return
    changes += 1
    appendFileSync(join(folder, 'changing'), 'x')
  }
  const result = await digester.digest(at('changing'), { progress: changeOnce })
  expect(contentOf(result).size).toBe(bytes.length + 1)
  const always = await digester.digest(at('changing'), {
    progress: () => appendFileSync(join(folder, 'changing'), 'x'),
  })
  expect(always).toEqual({ kind: 'changing' })
  const shorter = await digester.digest(at('changing'), {
    progress: () => writeFileSync(join(folder, 'changing'), 'short'),
  })
  expect(contentOf(shorter).size).toBe(5)
  // Its time may be what it was.
  write('backdated', bytes)
  utimesSync(join(folder, 'backdated'), 1, 1)
  let written = 0
  const backdate = (): void => {
    written += 1
    writeFileSync(join(folder, 'backdated'), bytes)
    utimesSync(join(folder, 'backdated'), 1, 1)
  }
  expect(await digester.digest(at('backdated'), { progress: backdate })).toEqual({ kind: 'changing' })
  expect(written).toBeGreaterThan(2)
})

it('of a file whose name is given to another one meanwhile tells what it was', async () => {
  const [first, second] = [random.bytes(20 * MiB), random.bytes(10)]
  write('name', first)
  write('other', second)
  const result = await digester.digest(at('name'), {
    progress: () => renameSync(join(folder, 'other'), join(folder, 'name')),
  })
  expect(result).toMatchObject({ facts: { size: 10 } })
  // The rename changed the ctime of what had the name, so that it is looked at again, by its name.
  expectToName(contentOf(result), second)
})

it('ends when nobody waits, and reads the next one', async () => {
  write('long', random.bytes(64 * MiB))
  const ending = new AbortController()
  const reason = new Error('enough')
  const ended = digester.digest(at('long'), { signal: ending.signal, progress: () => ending.abort(reason) })
  await expect(ended).rejects.toBe(reason)
  await expect(digester.digest(at('long'), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  const order: string[] = []
  const before = digester.digest(at('long')).then(() => order.push('before'))
  const waiting = new AbortController()
  const behind = digester
    .digest(at('long'), { signal: waiting.signal })
    .catch((error: unknown) => order.push(String(error)))
  await new Promise((resolve) => setTimeout(resolve, 5))
  waiting.abort(reason)
  await Promise.all([before, behind])
  expect(order).toEqual(['Error: enough', 'before'])
})

it('refuses what is not a regular file, without waiting for anybody', async () => {
  mkdirSync(join(folder, 'directory'))
  symlinkSync('file', join(folder, 'link'))
  execFileSync('mkfifo', [join(folder, 'fifo')])
  const server = createServer().listen(join(folder, 'socket'))
  for (const name of ['directory', 'link', 'fifo', 'socket', 'missing', 'file/below'])
    await expect(digester.digest(at(name))).rejects.toMatchObject({ code: 'FILE_FAILED', facts: { path: name } })
  server.close()
})

it('rejects what was being read when it is closed', async () => {
  write('closed', random.bytes(64 * MiB))
  const closing = new ContentDigester(systemRuntime(), { workers: 2 })
  const reads = Promise.allSettled([1, 2, 3].map(() => closing.digest(at('closed'))))
  await new Promise((resolve) => setTimeout(resolve, 20))
  await closing.close()
  await closing.close()
  for (const result of await reads) {
    if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'ABORTED' })
  }
  await expect(closing.digest(at('closed'))).rejects.toMatchObject({ code: 'ABORTED' })
})
