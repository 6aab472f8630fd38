import { afterAll, expect, it } from 'vitest'
import { nameOf, type Block } from './documents/blocks.ts'
import { ExamplePackage } from './documents/typescript-blocks.ts'
import { readTree } from './tidy/tree.ts'

// Each file of examples/ is a program of its own, which is compiled and run as a user would, and has to end well.

const examples: readonly Block[] = readTree()
  .filter(({ path }) => /^examples\/[^/]+\.ts$/.test(path))
  .map(({ path, text }) => ({ path, line: 1, language: 'ts', text }))
const all = new ExamplePackage(examples)
afterAll(() => all[Symbol.dispose]())

it('compile', () => {
  expect(examples.map(({ path }) => path)).toContain('examples/mailbox.ts')
  expect([...all.compile().values()].flat()).toEqual([])
})

it.concurrent.each(examples.map((block) => ({ name: nameOf(block), block })))(
  '$name runs and ends',
  { timeout: 300_000 },
  async ({ block }) => {
    expect(await all.run(block)).toBeUndefined()
  },
)
