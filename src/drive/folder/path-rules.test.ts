import { expect, it, type TestContext } from 'vitest'
import { PathRules } from './path-rules.ts'
import type { MakePatternSet, PathRulesOptions } from './path-rules.ts'

/** The package whose patterns these are; not imported by name, since it need not be there. */
const packageName = 'ignore'

async function rulesFor(
  context: TestContext,
  options: Omit<PathRulesOptions, 'patternSet'>,
  files: Readonly<Record<string, string>> = {},
): Promise<PathRules> {
  const found = await import(packageName).catch(() => undefined)
  if (found === undefined) return context.skip('needs the package ignore')
  const { default: patternSet } = found as { readonly default: MakePatternSet }
  const rules = new PathRules({ patternSet, ...options })
  rules.enter('', files[''])
  for (const [directory, patterns] of Object.entries(files)) rules.enter(directory, patterns)
  return rules
}

/** Those that take part; a directory is written with a slash behind it. */
function taken(rules: PathRules, paths: readonly string[]): readonly string[] {
  return paths.filter((path) => !rules.leavesOut(path.replace(/\/$/, ''), path.endsWith('/')))
}

it('patterns that are given count more than those in files', async (context) => {
  const rules = await rulesFor(context, { ignore: ['*.log', '/build/', '!keep.log'] }, { '': '*.tmp\nkeep.log\n' })
  expect(taken(rules, ['a.log', 'keep.log', 'a.tmp', 'build/', 'build', 'build/x', 'sub/build/', 'a'])).toEqual([
    'keep.log',
    'build',
    'sub/build/',
    'a',
  ])
})

it('patterns in a directory count more than those above it, and for what is below alone', async (context) => {
  const files = {
    '': 'node_modules/\n*.tmp\n!important.tmp\n# no pattern\nsrc/**/gen\n',
    src: 'important.tmp\n!x.tmp\n/here\n',
  }
  const rules = await rulesFor(context, {}, files)
  const paths = ['node_modules/', 'node_modules', 'node_modules/a/b', 'a.tmp', 'important.tmp', 'here']
  expect(taken(rules, paths)).toEqual(['node_modules', 'important.tmp', 'here'])
  const below = ['src/important.tmp', 'src/x.tmp', 'src/here', 'src/sub/here', 'src/a/b/gen/', 'src/a/gen/x']
  expect(taken(rules, below)).toEqual(['src/x.tmp', 'src/sub/here'])
})

it('only what is picked takes part, and the way there', async (context) => {
  const rules = await rulesFor(context, { only: ['/photos/2026/', 'docs/*.md'] })
  const paths = [
    'photos/',
    'photos/2026/',
    'photos/2026/a/b',
    'photos/2025/',
    'docs/',
    'docs/a.md',
    'docs/a.txt',
    'x',
    'y/',
  ]
  expect(taken(rules, paths)).toEqual(['photos/', 'photos/2026/', 'photos/2026/a/b', 'docs/', 'docs/a.md'])
  const anywhere = await rulesFor(context, { only: ['*.jpg'] })
  expect(taken(anywhere, ['a/', 'a/b.jpg', 'a/b.txt'])).toEqual(['a/', 'a/b.jpg'])
})

it('names are taken as they are', async (context) => {
  const rules = await rulesFor(context, { ignore: ['a b', '\\!x', 'ä'] })
  expect(taken(rules, ['a b', '!x', 'ä', 'x\ny', '..x', '...', '__proto__'])).toEqual([
    'x\ny',
    '..x',
    '...',
    '__proto__',
  ])
})
