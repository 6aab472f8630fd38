import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bytesEqual, encodeHex } from '../../base/bytes.ts'
import { PlaitError } from '../../base/error.ts'
import type { Chunk, ChunkName } from '../../feed/chunk-api.ts'
import { sha256 } from '../../feed/node/sha256.ts'
import type { DiskFile } from '../../runtime/disk.ts'
import { SimulatedDisk } from '../../runtime/simulated/disk.ts'
import { SeededRandom } from '../../runtime/simulated/random.ts'
import { assemble } from './assemble.ts'
import type { AssemblyProgress } from './assemble.ts'
import { Chunker, isOneChunk } from './chunker.ts'
import { contentBytes } from './content-bytes.ts'
import type { ContentSources } from './content-reader.ts'
import { ManifestBuilder } from './manifest-builder.ts'
import type { ContentName } from './manifest-walk.ts'

const digest = (bytes: Uint8Array): Uint8Array => sha256.digest(bytes)
const MiB = 1024 * 1024

interface Made extends ContentName {
  readonly bytes: Uint8Array
  /** Chunks and pages. */
  readonly partsByHash: ReadonlyMap<string, Uint8Array>
  readonly pages: ReadonlySet<string>
}

function make(bytes: Uint8Array): Made {
  const partsByHash = new Map<string, Uint8Array>()
  const pages = new Set<string>()
  const { length: size } = bytes
  if (isOneChunk(size)) {
    const root = digest(bytes)
    return { bytes, size, root, partsByHash: partsByHash.set(encodeHex(root), bytes), pages }
  }
  const builder = new ManifestBuilder(digest, (page) => {
    partsByHash.set(encodeHex(page.hash), page.bytes)
    pages.add(encodeHex(page.hash))
  })
  const chunker = new Chunker()
  for (let start = 0; start < size;) {
    const end = chunker.next(bytes, start, size) ?? size
    const chunk = bytes.subarray(start, end)
    const hash = digest(chunk)
    partsByHash.set(encodeHex(hash), chunk)
    builder.add(hash, chunk.length)
    start = end
  }
  return { bytes, size, root: builder.finish(), partsByHash, pages }
}

/** What others have: it comes in another order than it was asked for, some turns later. */
class Others {
  readonly has: (key: string) => boolean
  readonly askedTimes = new Map<string, number>()
  readonly #made: Made
  readonly #random: SeededRandom
  /** Bytes that were asked for and have not come. */
  owedBytes = 0
  owedBytesMax = 0
  isStuck = false

  constructor(made: Made, seed: string, has: (key: string) => boolean = () => true) {
    this.#made = made
    this.#random = new SeededRandom(seed)
    this.has = has
  }

  async *chunks(wanted: readonly ChunkName[], { signal }: { readonly signal: AbortSignal }): AsyncGenerator<Chunk> {
    const found: Chunk[] = []
    for (const { hash, length } of wanted) {
      const key = encodeHex(hash)
      this.askedTimes.set(key, (this.askedTimes.get(key) ?? 0) + 1)
      const bytes = this.#made.partsByHash.get(key)
      if (bytes === undefined || !this.has(key)) continue
      if (length !== undefined && length !== bytes.length) throw new Error('asked for with another length')
      this.owedBytes += bytes.length
      found.push({ hash, bytes: bytes.slice() })
    }
    this.owedBytesMax = Math.max(this.owedBytesMax, this.owedBytes)
    if (this.isStuck)
      await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
    for (const chunk of this.#random.shuffle(found)) {
      for (let turns = this.#random.integer(0, 4); turns > 0; turns -= 1) await Promise.resolve()
      this.owedBytes -= chunk.bytes.length
      yield chunk
    }
  }
}

const nothingHere = async (): Promise<undefined> => undefined

function sourcesOf(others: Others, local: ContentSources['local'] = nothingHere): ContentSources {
  return { local, remote: (wanted, options) => others.chunks(wanted, options) }
}

async function sinkOn(disk: SimulatedDisk = new SimulatedDisk()): Promise<DiskFile> {
  return disk.open('sink', { create: true })
}

async function contentOf(sink: DiskFile): Promise<Uint8Array> {
  return sink.read(0, await sink.size())
}

/** Repeats itself now and then, as files do. */
function fileBytes(size: number, seed: string): Uint8Array {
  const random = new SeededRandom(seed)
  const bytes = random.bytes(size)
  if (size > 4 * MiB) {
    bytes.copyWithin(2 * MiB, 0, MiB)
    bytes.fill(0, 3 * MiB, 4 * MiB)
  }
  return bytes
}

const large = make(fileBytes(6 * MiB, 'large'))

describe('a file', () => {
  it.each([0, 1, 1_000, 256 * 1024, 256 * 1024 + 1, 3 * MiB])('of %i bytes is fetched whole', async (size) => {
    const made = make(fileBytes(size, 'whole'))
    const sink = await sinkOn()
    const steps: AssemblyProgress[] = []
    const done = await assemble(made, sourcesOf(new Others(made, 'a')), sink, {
      digest,
      progress: (step) => steps.push(step),
    })
    expect(bytesEqual(await contentOf(sink), made.bytes)).toBe(true)
    expect(done).toEqual({ resumedBytes: 0, localBytes: 0, remoteBytes: size })
    expect(steps.at(-1) ?? done).toEqual(done)
  })

  it('comes from here, from others, and from an earlier run, in any mixture, each chunk from others once', async () => {
    const keys = [...large.partsByHash.keys()]
    const fraction = fc.double({ min: 0, max: 1, noNaN: true })
    await fc.assert(
      fc.asyncProperty(
        fc.nat(),
        fraction,
        fraction,
        fc.integer({ min: 1, max: 20 }),
        async (seed, here, begun, windowChunks) => {
          const random = new SeededRandom(seed)
          const local = new Map(keys.filter(() => random.real() < here).map((key) => [key, large.partsByHash.get(key)]))
          const others = new Others(large, `others ${seed}`, (key) => !local.has(key))
          const sink = await sinkOn()
          const start = Math.floor(begun * large.size)
          await sink.write(0, large.bytes.slice(0, start))
          // What an interrupted run has left may be torn, or too long.
          if (start > 1_000_000) await sink.write(random.integer(0, start - 5), random.bytes(5))
          if (random.real() < 0.2) await sink.write(large.size, random.bytes(1_000))
          const windowBytes = windowChunks * 65_536
          const sources = sourcesOf(others, async (hash) => local.get(encodeHex(hash)))
          const done = await assemble(large, sources, sink, { digest, windowBytes })
          expect(bytesEqual(await contentOf(sink), large.bytes)).toBe(true)
          expect(done.resumedBytes + done.localBytes + done.remoteBytes).toBe(large.size)
          expect(Math.max(0, ...others.askedTimes.values())).toBeLessThanOrEqual(1)
          expect(others.owedBytesMax).toBeLessThanOrEqual(windowBytes + 256 * 1024 + 10_000)
        },
      ),
      { numRuns: 40 },
    )
  })

  it('that repeats itself is sent once, however long it is', async () => {
    const made = make(new Uint8Array(40 * MiB))
    const others = new Others(made, 'zeros')
    const sink = await sinkOn()
    const done = await assemble(made, sourcesOf(others), sink, { digest, windowBytes: MiB })
    expect(done.remoteBytes).toBeLessThanOrEqual(MiB + 256 * 1024)
    expect([...others.askedTimes.values()]).toEqual([1, 1])
    expect(await sink.size()).toBe(made.size)
  })

  it('that was interrupted goes on where it was', async () => {
    const sink = await sinkOn()
    const ending = new AbortController()
    const reason = new Error('enough')
    const progress = ({ remoteBytes }: AssemblyProgress): void => {
      if (remoteBytes > 2 * MiB) ending.abort(reason)
    }
    const others = new Others(large, 'interrupted')
    await expect(assemble(large, sourcesOf(others), sink, { digest, signal: ending.signal, progress })).rejects.toBe(
      reason,
    )
    const left = await sink.size()
    expect(left).toBeGreaterThan(2 * MiB)
    const again = new Others(large, 'again')
    const done = await assemble(large, sourcesOf(again), sink, { digest })
    expect(done.resumedBytes).toBe(left)
    expect(bytesEqual(await contentOf(sink), large.bytes)).toBe(true)
  })
})

describe('it fails', () => {
  it('with SUPERSEDED when nobody has a chunk or a page any more, and what came stays for another try', async () => {
    const chunks = [...large.partsByHash.keys()].filter((key) => !large.pages.has(key))
    for (const lost of [chunks[0], chunks.at(-1), encodeHex(large.root)]) {
      const sink = await sinkOn()
      const others = new Others(large, 'lost', (key) => key !== lost)
      await expect(assemble(large, sourcesOf(others), sink, { digest })).rejects.toMatchObject({ code: 'SUPERSEDED' })
      await assemble(large, sourcesOf(new Others(large, 'found')), sink, { digest })
      expect(bytesEqual(await contentOf(sink), large.bytes)).toBe(true)
    }
  })

  it('with NO_SPACE when the disk is full, and goes on when there is room', async () => {
    const disk = new SimulatedDisk({ capacityBytes: 3 * MiB })
    const sink = await sinkOn(disk)
    await expect(assemble(large, sourcesOf(new Others(large, 'full')), sink, { digest })).rejects.toMatchObject({
      code: 'NO_SPACE',
    })
    disk.capacityBytes = Infinity
    const done = await assemble(large, sourcesOf(new Others(large, 'room')), sink, { digest })
    expect(done.resumedBytes).toBeGreaterThan(2 * MiB)
    expect(bytesEqual(await contentOf(sink), large.bytes)).toBe(true)
  })

  it('with the reason of the signal, before and while others are silent', async () => {
    const reason = new Error('enough')
    const others = new Others(large, 'silent')
    await expect(
      assemble(large, sourcesOf(others), await sinkOn(), { digest, signal: AbortSignal.abort(reason) }),
    ).rejects.toBe(reason)
    expect(others.askedTimes.size).toBe(0)
    others.isStuck = true
    const ending = new AbortController()
    const silent = assemble(large, sourcesOf(others), await sinkOn(), { digest, signal: ending.signal })
    await Promise.resolve()
    ending.abort(reason)
    await expect(silent).rejects.toBe(reason)
  })

  it('with PROTOCOL when the manifest lies about its chunks, its pages or its size', async () => {
    const chunks = [...large.partsByHash].filter(([key]) => !large.pages.has(key))
    const entries = chunks
      .slice(0, 20)
      .map(([key, bytes]) => ({ hash: Uint8Array.from(Buffer.from(key, 'hex')), length: bytes.length }))
    const parts = new Map(large.partsByHash)
    const builder = new ManifestBuilder(digest, (page) => parts.set(encodeHex(page.hash), page.bytes))
    let size = 0
    for (const [index, { hash, length }] of entries.entries()) {
      const told = index === 7 ? length - 1 : length
      builder.add(hash, told)
      size += told
    }
    const root = builder.finish()
    const local = async (hash: Uint8Array): Promise<Uint8Array | undefined> => parts.get(encodeHex(hash))
    const silent = new Others(large, 'none', () => false)
    for (const lie of [
      { root, size },
      { root, size: size + 1 },
      { root: entries[0]?.hash as Uint8Array, size },
      { root: entries[0]?.hash as Uint8Array, size: 5 },
    ])
      await expect(assemble(lie, sourcesOf(silent, local), await sinkOn(), { digest })).rejects.toSatisfy(
        (error) => PlaitError.is(error) && ['PROTOCOL', 'LIMIT'].includes(error.code),
      )
  })
})

it('gives a range of a file by few chunks', async () => {
  const place = fc.integer({ min: 0, max: large.size })
  await fc.assert(
    fc.asyncProperty(place, fc.integer({ min: 0, max: 300_000 }), async (start, length) => {
      const others = new Others(large, 'range')
      const end = Math.min(large.size, start + length)
      const pieces: Uint8Array[] = []
      for await (const piece of contentBytes(large, sourcesOf(others), { digest, range: { start, end } }))
        pieces.push(piece)
      expect(bytesEqual(Buffer.concat(pieces), large.bytes.subarray(start, end))).toBe(true)
      expect(others.askedTimes.size).toBeLessThan(3 + length / 16_384)
    }),
    { numRuns: 60 },
  )
})

it('asks for nothing more when its reader stops', async () => {
  const others = new Others(large, 'stopped')
  for await (const piece of contentBytes(large, sourcesOf(others), { digest, windowBytes: 200_000 })) {
    expect(piece.length).toBeGreaterThan(0)
    break
  }
  const { size } = others.askedTimes
  for (let turn = 0; turn < 100; turn += 1) await Promise.resolve()
  expect(others.askedTimes.size).toBe(size)
  expect(size).toBeLessThan(10)
})
