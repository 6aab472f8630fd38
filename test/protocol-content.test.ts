import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { decodeHex, encodeHex } from '../src/base/bytes.ts'
import { Chunker, isOneChunk } from '../src/drive/content/chunker.ts'
import { gear, mixed } from '../src/drive/content/gear.ts'
import { ManifestBuilder } from '../src/drive/content/manifest-builder.ts'
import type { NamedPage } from '../src/drive/content/manifest-builder.ts'
import { decodePage, pageBytesMax, pageEntriesMax, pageEntriesMin, pageLevelMax } from '../src/drive/content/page.ts'
import { sha256 } from '../src/feed/node/sha256.ts'

const page = readFileSync(new URL('../PROTOCOL.md', import.meta.url), 'utf8')
const chapter = page.slice(page.indexOf('## Content of files'), page.indexOf('## Errors on the wire'))
const digest = (bytes: Uint8Array): Uint8Array => sha256.digest(bytes)

function vector(name: string): string {
  const rows = [...chapter.matchAll(/^\| (.+?) +\| `([0-9a-f ]+)` +\|$/gm)].filter(([, title]) =>
    title?.startsWith(name),
  )
  expect(rows, name).toHaveLength(1)
  return rows[0]?.[2] as string
}

interface Made {
  readonly root: string
  readonly lengths: readonly number[]
  readonly pages: readonly NamedPage[]
}

function made(bytes: Uint8Array): Made {
  const { length } = bytes
  if (isOneChunk(length)) return { root: encodeHex(digest(bytes)), lengths: [length], pages: [] }
  const pages: NamedPage[] = []
  const builder = new ManifestBuilder(digest, (one) => pages.push(one))
  const chunker = new Chunker()
  const lengths: number[] = []
  for (let start = 0; start < length;) {
    const end = chunker.next(bytes, start, length) ?? length
    builder.add(digest(bytes.subarray(start, end)), end - start)
    lengths.push(end - start)
    start = end
  }
  return { root: encodeHex(builder.finish()), lengths, pages }
}

function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value, true)
  return bytes
}

it('has the gear table of the code', () => {
  const word = (index: number): string => ((gear[index] as number) >>> 0).toString(16).padStart(8, '0')
  expect(vector('gear table: entries')).toBe([0, 1, 255].map(word).join(' '))
  const table = new Uint8Array(1024)
  for (const [index, bits] of gear.entries()) table.set(u32(bits), index * 4)
  expect(vector('gear table: SHA-256')).toBe(encodeHex(digest(table)))
})

it('has chunks, pages and roots that the code makes, too', () => {
  expect(vector('root of the bytes 616263')).toBe(made(new TextEncoder().encode('abc')).root)
  const sample = made(Uint8Array.from({ length: 1_048_576 }, (_none, index) => mixed(index) & 255))
  expect(vector('lengths of the chunks of the sample')).toBe(sample.lengths.join(' '))
  expect(vector('root of the sample')).toBe(sample.root)
  const zeros = made(new Uint8Array(262_145))
  expect(vector('page above 262,145 bytes')).toBe(encodeHex(zeros.pages[0]?.bytes as Uint8Array))
  expect(vector('root of 262,145 bytes')).toBe(zeros.root)
  const pages: NamedPage[] = []
  const builder = new ManifestBuilder(digest, (one) => pages.push(one))
  for (let index = 0; index < 20_000; index += 1) builder.add(digest(u32(index)), 16_384 + index)
  expect(vector('root above 20,000 chunks')).toBe(encodeHex(builder.finish()))
  expect(pages.at(-1)?.level).toBe(1)
})

it('has a page that is refused', () => {
  const bytes = decodeHex(vector('refused')) as Uint8Array
  const root = (length: number): object => decodePage(bytes, { level: undefined, length, isLast: true })
  expect(() => root(262_144)).toThrow(expect.objectContaining({ code: 'PROTOCOL' }))
  expect(root(262_145)).toMatchObject({ level: 0, lengths: [262_144, 1] })
})

it('has the bounds of the code', () => {
  const number = (value: number): string => value.toLocaleString('en')
  for (const sentence of [
    `| at most ${number(pageBytesMax)} `,
    `| at most ${pageLevelMax}; `,
    `| 1 to ${number(pageEntriesMax)}; `,
    `at least the ${pageEntriesMin}th`,
  ])
    expect(chapter).toContain(sentence)
})
