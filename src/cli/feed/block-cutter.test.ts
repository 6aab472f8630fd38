import fc from 'fast-check'
import { expect, it } from 'vitest'
import { concatBytes } from '../../base/bytes.ts'
import { PlaitError } from '../../base/error.ts'
import { LineCutter, SizeCutter, WholeCutter, type BlockCutter } from './block-cutter.ts'

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
const MiB = 1024 * 1024

function cut(cutter: BlockCutter, chunks: readonly Uint8Array[]): readonly Uint8Array[] {
  return [...chunks.flatMap((chunk) => [...cutter.push(chunk)]), ...cutter.end()]
}

/** What a cutter gives out before it fails, and the failure. */
function cutUntilError(cutter: BlockCutter, bytes: Uint8Array): { blocks: readonly string[]; error: unknown } {
  const blocks: string[] = []
  try {
    for (const block of cutter.push(bytes)) blocks.push(textOf(block))
    return { blocks, error: undefined }
  } catch (error) {
    return { blocks, error }
  }
}

/** The text in pieces, cut wherever chance has it. */
const pieces = fc.array(fc.string({ unit: fc.constantFrom('a', '\n', 'é', '\r') }).map(bytesOf), { maxLength: 12 })

it('cuts lines wherever the pieces end, and takes an unfinished last one', () => {
  fc.assert(
    fc.property(pieces, (chunks) => {
      const text = textOf(concatBytes(chunks))
      const lines = text.split('\n')
      if (lines.at(-1) === '') lines.pop()
      expect(cut(new LineCutter(), chunks).map(textOf)).toEqual(lines)
    }),
  )
})

it('cuts blocks of one size, and a last one of what is left', () => {
  fc.assert(
    fc.property(pieces, fc.integer({ min: 1, max: 5 }), (chunks, size) => {
      const whole = concatBytes(chunks)
      const blocks = cut(new SizeCutter(size), chunks)
      expect(concatBytes(blocks)).toEqual(whole)
      expect(blocks.map(({ length }) => length).slice(0, -1)).toEqual(
        new Array(Math.max(0, blocks.length - 1)).fill(size),
      )
      expect(blocks.length).toBe(Math.ceil(whole.length / size))
    }),
  )
})

it('takes all as one block, also when there is nothing', () => {
  expect(cut(new WholeCutter(), [bytesOf('a\n'), bytesOf('b')]).map(textOf)).toEqual(['a\nb'])
  expect(cut(new WholeCutter(), []).map(textOf)).toEqual([''])
  expect(cut(new WholeCutter(), [new Uint8Array(MiB)])).toHaveLength(1)
  const { error } = cutUntilError(new WholeCutter(), new Uint8Array(MiB + 1))
  expect(error).toMatchObject({ code: 'LIMIT', message: expect.stringContaining('nothing is appended') as string })
})

it('takes a line of exactly one block, and names one that is longer after it has given out those before', () => {
  const longest = 'x'.repeat(MiB)
  expect(cut(new LineCutter(), [bytesOf(longest.slice(1)), bytesOf('y\n')])).toHaveLength(1)
  for (const long of [`${longest}y\n`, `${longest}y`]) {
    const { blocks, error } = cutUntilError(new LineCutter(), bytesOf(`one\ntwo\n${long}`))
    expect(blocks).toEqual(['one', 'two'])
    expect(PlaitError.is(error) && error.facts['line']).toBe(3)
  }
  const cutter = new LineCutter()
  expect([...cutter.push(bytesOf(longest))]).toEqual([])
  expect(cutUntilError(cutter, bytesOf('y')).error).toMatchObject({ code: 'LIMIT' })
})
