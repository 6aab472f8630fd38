import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bytesEqual, encodeHex } from '../../base/bytes.ts'
import { sha256 } from '../../feed/node/sha256.ts'
import { SeededRandom } from '../../runtime/simulated/random.ts'
import { MemoryView } from '../../store/memory-view.ts'
import type { ViewChange } from '../../store/view.ts'
import { chunksOf, leavesOf, placesMax } from './chunk-index.ts'
import type { ChunkIndex, IndexedContent } from './chunk-index.ts'
import { tables } from './chunk-rows.ts'
import { chunkBytesMax, chunkBytesMin } from './chunker.ts'
import { ManifestBuilder } from './manifest-builder.ts'
import type { NamedPage } from './manifest-builder.ts'
import { MemoryChunkIndex } from './memory-chunk-index.ts'
import { ViewChunkIndex } from './view-chunk-index.ts'

const digest = (bytes: Uint8Array): Uint8Array => sha256.digest(bytes)

function small(path: string, byte: number): IndexedContent {
  const bytes = new Uint8Array(100).fill(byte)
  return { path, size: bytes.length, root: digest(bytes), pages: [] }
}

function large(path: string, count: number, seed: string): IndexedContent {
  const random = new SeededRandom(seed)
  const pages: NamedPage[] = []
  const builder = new ManifestBuilder(digest, (page) => pages.push(page))
  let size = 0
  for (let index = 0; index < count; index += 1) {
    const length = random.integer(chunkBytesMin, chunkBytesMax)
    builder.add(random.bytes(32), length)
    size += length
  }
  return { path, size, root: builder.finish(), pages }
}

/** Of files as they can be: a few contents under a few names. */
const paths = ['a', 'b', 'c/d']
const contents = [
  ...[1, 2].map((byte) => small('', byte)),
  ...['x', 'y'].map((seed) => large('', 200, seed)),
  { path: '', size: 0, root: digest(new Uint8Array(0)), pages: [] },
]
const chunksIn = (content: IndexedContent): { hash: Uint8Array; length: number; offset: number }[] => [
  ...chunksOf(content, leavesOf(content.pages)),
]

const allHashes = contents.flatMap((content) => chunksIn(content).map(({ hash }) => hash))
const allPages = contents.flatMap(({ pages }) => pages)

const indexes: readonly (readonly [string, () => Promise<{ index: ChunkIndex; view?: MemoryView }>])[] = [
  ['in memory', async () => ({ index: new MemoryChunkIndex() })],
  [
    'in a view',
    async () => {
      const view = new MemoryView()
      return { index: await ViewChunkIndex.open(view), view }
    },
  ],
]

/** Whatever says where a chunk is, or a page. */
async function expectToKnow(
  index: ChunkIndex,
  known: ReadonlyMap<string, IndexedContent>,
  gone: ReadonlySet<string>,
): Promise<void> {
  const expected = new Map<string, string[]>()
  for (const [path, content] of known) {
    expect(await index.content(path)).toEqual({ size: content.size, root: content.root })
    for (const { hash, offset, length } of chunksIn(content)) {
      const place = `${path} ${offset} ${length}`
      if (gone.has(`${encodeHex(hash)} ${place}`)) continue
      const key = encodeHex(hash)
      expected.set(key, [...(expected.get(key) ?? []), place])
    }
  }
  for (const hash of allHashes) {
    const found = (await index.places(hash)).map(({ path, offset, length }) => `${path} ${offset} ${length}`)
    const there = expected.get(encodeHex(hash)) ?? []
    if (found.sort().join() !== there.sort().join()) expect(found).toEqual(there)
  }
  for (const { hash, bytes } of allPages) {
    const isKnown = [...known.values()].some(({ pages }) => pages.some((page) => bytesEqual(page.hash, hash)))
    expect(await index.page(hash)).toEqual(isKnown ? bytes : undefined)
  }
}

describe.each(indexes)('an index %s', (_where, open) => {
  const path = fc.constantFrom(...paths)
  const put = fc.record({ kind: fc.constant('put' as const), path, content: fc.nat(contents.length - 1) })
  const move = fc.record({ kind: fc.constant('move' as const), path, to: path })
  const forget = fc.record({ kind: fc.constant('forget' as const), path })
  const lose = fc.record({ kind: fc.constant('lose' as const), path, chunk: fc.nat(199) })

  it('knows what files hold, and nothing of what they held, whatever becomes of them', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(put, put, move, forget, lose), { maxLength: 12 }), async (steps) => {
        const { index, view } = await open()
        const known = new Map<string, IndexedContent>()
        let gone = new Set<string>()
        const release = (path: string): void =>
          void (gone = new Set([...gone].filter((one) => !one.includes(` ${path} `))))
        for (const step of steps) {
          const content = known.get(step.path)
          if (step.kind === 'put') {
            const fresh = { ...(contents[step.content] as IndexedContent), path: step.path }
            await index.put([fresh])
            release(step.path)
            known.set(step.path, fresh)
          } else if (step.kind === 'move') {
            await index.move(step.path, step.to)
            if (content === undefined || step.path === step.to) continue
            release(step.to)
            gone = new Set([...gone].map((one) => one.replace(` ${step.path} `, ` ${step.to} `)))
            known.delete(step.path)
            known.set(step.to, { ...content, path: step.to })
          } else if (step.kind === 'forget') {
            await index.forget(step.path)
            release(step.path)
            known.delete(step.path)
          } else if (content !== undefined) {
            const chunk = chunksIn(content)[step.chunk]
            if (chunk === undefined) continue
            const place = { path: step.path, offset: chunk.offset, length: chunk.length }
            await index.forgetPlace(chunk.hash, place)
            gone.add(`${encodeHex(chunk.hash)} ${place.path} ${place.offset} ${place.length}`)
          }
        }
        await expectToKnow(index, known, gone)
        expect(await index.places(digest(new Uint8Array(0)))).toEqual([])
        for (const path of paths) await index.forget(path)
        if (view !== undefined) await expectEmpty(view)
      }),
      { numRuns: 40 },
    )
  })

  it('takes many at once, the last one of a name', async () => {
    const { index } = await open()
    const many = Array.from({ length: 300 }, (_none, number) => small(`file ${number % 250}`, number % 7))
    await index.put([...many, large('large', 1_500, 'many')])
    expect((await index.content('file 3'))?.root).toEqual(small('', 253 % 7).root)
    expect(await index.places(small('', 3).root)).toHaveLength(placesMax)
    expect(await index.places(chunksIn(large('', 1_500, 'many'))[1_499]?.hash as Uint8Array)).toHaveLength(1)
  })
})

async function expectEmpty(view: MemoryView): Promise<void> {
  for (const table of Object.values(tables)) {
    if (table !== tables.next) expect([table, await view.entries(table)]).toEqual([table, []])
  }
}

describe('an index in a view that fails', () => {
  class FailingView extends MemoryView {
    left = Infinity

    override async transact(cursor: number, changes: readonly ViewChange[]): Promise<void> {
      this.left -= 1
      if (this.left < 0) throw new Error('out of order')
      await super.transact(cursor, changes)
    }
  }

  it('has all of a file or nothing, and leaves nothing when it is opened again', async () => {
    const content = large('large', 5_000, 'interrupted')
    let failures = 0
    for (let commits = 0; ; commits += 1) {
      const view = new FailingView()
      view.left = commits
      const index = await ViewChunkIndex.open(view)
      const isPut = await index.put([content]).then(
        () => true,
        () => false,
      )
      view.left = Infinity
      const again = await ViewChunkIndex.open(view)
      const [first] = chunksIn(content)
      expect(await again.places(first?.hash as Uint8Array)).toHaveLength(isPut ? 1 : 0)
      await again.forget('large')
      await expectEmpty(view)
      if (isPut) break
      failures += 1
    }
    expect(failures).toBeGreaterThan(2)
  })
})
