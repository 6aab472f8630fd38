import { deflateSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { blockOf, checkBlock, numberOf } from './corpus.ts'

const corpus = { blocks: 1_000, blockBytes: 100 }

test('a block follows from its number, and is told from another one', () => {
  const block = blockOf(7, corpus)
  expect(block.length).toBe(100)
  expect(numberOf(block)).toBe(7)
  expect(() => checkBlock(blockOf(7, corpus), 7, corpus)).not.toThrow()
  block[99] = (block[99] as number) ^ 1
  expect(() => checkBlock(block, 7, corpus)).toThrow('block 7')
  expect(() => checkBlock(blockOf(8, corpus), 7, corpus)).toThrow('block 7')
})

test('blocks cannot be packed, neither alone nor together', () => {
  const blocks = Buffer.concat(Array.from({ length: corpus.blocks }, (_, number) => blockOf(number, corpus)))
  expect(deflateSync(blocks).length).toBeGreaterThan(0.97 * blocks.length)
})
