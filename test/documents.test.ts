import { existsSync } from 'node:fs'
import { afterAll, describe, expect, it } from 'vitest'
import { wireErrorNumbers } from '../src/base/error.ts'
import { blocksOf, fileOf, isDocument, isFailing, languages, nameOf, type Block } from './documents/blocks.ts'
import { ShellSession } from './documents/shell-blocks.ts'
import { ExamplePackage } from './documents/typescript-blocks.ts'
import { readTree, root } from './tidy/tree.ts'

// Documents cannot lie: every block of them is compiled and run, every script and file that they name is there.

const tree = readTree()
const documents = tree.filter((file) => isDocument(file.path))
const blocks = documents.flatMap(blocksOf)
const textOf = (path: string): string => tree.find((file) => file.path === path)?.text ?? ''

/** The README's two commands: they install and test from nothing, so `.ci/run` runs them, on a fresh clone. */
const isRunByCi = (block: Block): boolean =>
  block.language === 'sh' && /^npm ci && npm (run )?\w+$/.test(block.text.trim())

describe('documents', () => {
  it('are all there', () => {
    const paths = documents.map((file) => file.path)
    expect(paths).toEqual(
      expect.arrayContaining([
        'ARCHITECTURE.md',
        'CHANGELOG.md',
        'CONTRIBUTING.md',
        'PROTOCOL.md',
        'README.md',
        'SECURITY.md',
        'TESTING.md',
      ]),
    )
  })

  it('have blocks in known languages only, so that none escapes', () => {
    expect(blocks.filter((block) => !languages.includes(block.language)).map(nameOf)).toEqual([])
  })

  it('have JSON that is JSON', () => {
    const broken = blocks.filter((block) => block.language === 'json' && !isJson(block.text))
    expect(broken.map(nameOf)).toEqual([])
  })

  it("leave to continuous integration what it runs: the README's two commands", () => {
    const commands = blocks.filter(isRunByCi)
    expect(commands.map((block) => [block.path, block.text.trim()])).toEqual([
      ['README.md', 'npm ci && npm run demo'],
      ['README.md', 'npm ci && npm test'],
    ])
    for (const block of commands) expect(textOf('.ci/run')).toContain(block.text.trim())
  })

  it('name scripts that exist', () => {
    const { scripts } = JSON.parse(textOf('package.json')) as { scripts: Record<string, string> }
    for (const { path, text } of documents) {
      const named = [...text.matchAll(/\bnpm (?:run ([\w:]+)|(test)\b)/g)].map((match) => match[1] ?? match[2] ?? '')
      expect(named.filter((name) => !(name in scripts)).map((name) => `${path}: npm run ${name}`)).toEqual([])
    }
  })

  it('link to files that exist', () => {
    for (const { path, text } of documents) {
      const linked = [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)].map((match) => match[1] ?? '')
      expect(linked.filter((target) => !existsSync(root + target)).map((target) => `${path}: ${target}`)).toEqual([])
    }
  })

  it('name source files that exist', () => {
    for (const { path, text } of documents) {
      const named = [...text.matchAll(/(?<![\w/.*-])([\w-]+\/[\w/-]+\.(?:ts|mjs))\b/g)].map((match) => match[1] ?? '')
      expect(
        named
          .filter((file) => !existsSync(root + file) && !existsSync(`${root}src/${file}`))
          .map((file) => `${path}: ${file}`),
      ).toEqual([])
    }
  })

  it('explain every error code: those that cross the wire in PROTOCOL.md, the others in ARCHITECTURE.md', () => {
    const source = textOf('src/base/error.ts')
    const local = [...source.slice(source.indexOf('type LocalErrorCode')).matchAll(/^ {2}\| '(\w+)'/gm)].map(
      (match) => match[1] ?? '',
    )
    expect(local).toContain('UNREACHABLE')
    expect(local.filter((code) => !new RegExp(`^\\| \`${code}\` `, 'm').test(textOf('ARCHITECTURE.md')))).toEqual([])
    const wire = Object.keys(wireErrorNumbers)
    expect(
      wire.filter((code) => !new RegExp(`^\\|\\s*\\d+\\s*\\|\\s*${code}\\s*\\|`, 'm').test(textOf('PROTOCOL.md'))),
    ).toEqual([])
  })
})

describe('ts blocks', () => {
  const examples = blocks.filter((block) => block.language === 'ts')
  const all = new ExamplePackage(examples)
  afterAll(() => all[Symbol.dispose]())

  it('compile', () => {
    expect([...all.compile().values()].flat()).toEqual([])
  })

  const endingWell = examples.filter((block) => !isFailing(block))
  it.concurrent.each(endingWell.map((block) => ({ name: nameOf(block), block })))(
    '$name runs and ends',
    { timeout: 300_000 },
    async ({ block }) => {
      expect(await all.run(block)).toBeUndefined()
    },
  )
})

/** The example in the middle of TESTING.md: what it says about a bug that a seed finds is what happens. */
describe('the bug in TESTING.md', () => {
  const own = blocks.filter(({ path }) => path === 'TESTING.md')
  const all = new ExamplePackage(own.filter(({ language }) => language === 'ts'))
  afterAll(() => all[Symbol.dispose]())
  const buggy = own.find((block) => fileOf(block) === 'find.ts') as Block
  const mended = own[own.findIndex((block) => fileOf(block) === 'mended-counter.ts') + 1] as Block
  const shown = (word: string): string =>
    own
      .filter(({ words }) => words?.includes(word))
      .flatMap(({ text }) => text)
      .join('')

  it('is found by a seed, which is printed, and replayed to the same hash', { timeout: 300_000 }, async () => {
    expect(isFailing(buggy)).toBe(true)
    const found = await all.observe(buggy, {}, 100_000)
    expect(found.code, found.said).toBe(1)
    expect(masked(found.said)).toEqual(expect.arrayContaining(masked(shown('printed'))))
    const seed = /PLAIT_SEED=(\d+) /.exec(found.said)?.[1] ?? ''
    const replayed = await all.observe(buggy, { PLAIT_SEED: seed })
    const again = await all.observe(buggy, { PLAIT_SEED: seed })
    expect(replayed.code, replayed.said).toBe(1)
    expect(masked(replayed.said)).toEqual(expect.arrayContaining(masked(shown('replayed'))))
    expect(again.said).toBe(replayed.said)
    const violation = new RegExp(`^seed ${seed}: .* ms: the counter shows .*$`, 'm')
    expect(violation.exec(replayed.said)?.[0]).toBe(violation.exec(found.said)?.[0])
  })

  it('is mended: the same seeds go well, and do try again', { timeout: 300_000 }, async () => {
    const { code, said } = await all.observe(mended, {}, 100_000)
    expect(code, said).toBe(0)
    expect(said).toMatch(/^100 seeds, 0 failed; faults \d+\n$/)
    const counts = [buggy, mended].map(
      ({ text }) => /runSeeds\(\{ (count: \d+).*reaches: \['retried'\]/.exec(text)?.[1],
    )
    expect(counts).toEqual(['count: 100', 'count: 100'])
  })
})

describe('sh blocks', () => {
  it('find the program built', () => {
    expect(existsSync(`${root}dist/cli/main.js`), 'dist/cli/main.js is missing: run `npm run build` first').toBe(true)
  })

  it.each(documents.map((file) => file.path))('of %s run from top to bottom', { timeout: 300_000 }, async (path) => {
    const session = new ShellSession()
    const failures: string[] = []
    for (const block of blocks.filter((one) => one.path === path && one.language === 'sh' && !isRunByCi(one))) {
      const failure = await session.run(block)
      if (failure !== undefined) failures.push(`${nameOf(block)}: ${failure}`)
    }
    expect([...failures, ...(await session.end())]).toEqual([])
  })
})

describe('a bad block', () => {
  const block = (line: number, text: string): Block => ({ path: 'BAD.md', line, language: 'ts', text })
  const bad = {
    type: block(1, "import { PlaitError } from 'plait'\nconst code: number = new PlaitError('PROTOCOL', '').code\n"),
    name: block(2, "import { noSuchName } from 'plait'\nconsole.log(noSuchName)\n"),
    throws: block(3, "import { PlaitError } from 'plait'\nthrow new PlaitError('PROTOCOL', 'as it should')\n"),
    rejects: block(4, "void Promise.reject(new Error('nobody waits'))\nexport {}\n"),
    global: block(5, 'Object.assign(globalThis, { leaked: 1 })\nexport {}\n'),
    endless: block(6, "import { createNode } from 'plait'\nawait createNode({ listen: ['tcp://127.0.0.1:0'] })\n"),
    good: block(7, "import { PlaitError } from 'plait'\nawait Promise.resolve(PlaitError)\n"),
  }
  const all = new ExamplePackage(Object.values(bad))
  afterAll(() => all[Symbol.dispose]())

  it('does not compile', () => {
    const errors = all.compile()
    expect(errors.get('BAD.md:1')).toEqual([expect.stringContaining('TS2322')])
    expect(errors.get('BAD.md:2')).toEqual([expect.stringContaining('noSuchName')])
    expect(errors.get('BAD.md:7')).toEqual([])
  })

  it.concurrent.each([
    { block: bad.name, reason: /noSuchName/ },
    { block: bad.throws, reason: /ended with 1[^]*as it should/ },
    { block: bad.rejects, reason: /ended with 1[^]*nobody waits/ },
    { block: bad.global, reason: /defined globals: leaked/ },
    { block: bad.endless, reason: /did not end by itself/, timeoutMs: 3_000 },
  ])('does not pass: $reason', { timeout: 300_000 }, async ({ block: example, reason, timeoutMs }) => {
    expect(await all.run(example, timeoutMs)).toMatch(reason)
  })

  it('stands beside a good one that does', async () => {
    expect(await all.run(bad.good)).toBeUndefined()
  })

  it('of shell fails too', { timeout: 300_000 }, async () => {
    const session = new ShellSession()
    const shell = (text: string): Block => ({ path: 'BAD.md', line: 1, language: 'sh', text })
    expect(await session.run(shell('ls photos\nfalse\ntrue\n'))).toMatch(/ended with 1\n2024\nharbour.jpg/)
    expect(await session.run(shell('ls nowhere\n'))).toMatch(/nowhere/)
    expect(await session.run(shell('test -d photos\n'))).toBeUndefined()
    expect(
      await session.run(shell("trap 'exit 3' INT\necho plait://a@b:1/d/x#r.y.z\nwhile true; do sleep 0.1; done\n")),
    ).toBeUndefined()
    expect(await session.run(shell('test LINK = "plait://a@b:1/d/x#r.y.z"\n'))).toBeUndefined()
    expect(await session.end()).toEqual([expect.stringContaining('after Ctrl-C: it ended with 3')])
  })

  it('is not overlooked', () => {
    expect(blocksOf({ path: 'BAD.md', text: 'a\n\n```js\nb\n```\n\n````ts\n```\nc\n````\n' })).toEqual([
      { path: 'BAD.md', line: 3, language: 'js', text: 'b\n' },
      { path: 'BAD.md', line: 7, language: 'ts', text: '```\nc\n' },
    ])
    expect(blocksOf({ path: 'BAD.md', text: '```ts a.ts fails\nb\n```\n' })).toEqual([
      { path: 'BAD.md', line: 1, language: 'ts', text: 'b\n', words: ['a.ts', 'fails'] },
    ])
    expect(() => blocksOf({ path: 'BAD.md', text: '```ts\nb\n' })).toThrow('never closed')
  })
})

/** Lines without what is another one whenever plait changes: numbers, hashes, the folder. */
function masked(text: string): string[] {
  return text
    .trim()
    .split('\n')
    .map((line) =>
      line
        .replaceAll(/\b[0-9a-f]{16}\b/g, 'HASH')
        .replaceAll(/\d+(\.\d+)?/g, 'N')
        .replaceAll('../', ''),
    )
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
