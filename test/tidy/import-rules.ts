import { posix } from 'node:path'
import { importableByLayer, layers, type Layer } from './layers.ts'
import { isShipped, type Rule } from './rule.ts'
import type { SourceFile } from './tree.ts'

const specifiers = /(?:\bfrom\s*|\bimport\s*\(\s*|^import\s+)(['"])([^'"]+)\1/gm

const reexport = /^export\s+(?:type\s+)?(?:\{[^}]*\}|\*[^'"]*)\s*from\s*['"][^'"]+['"]/gm

/** Lint sees `import ... from` in one line of text; this follows every form of import to the folder it really reaches. */
export const direction: Rule = {
  name: 'a layer imports only from those before it',
  applies: isShipped,
  check: (file) => relativeImports(file).flatMap((target) => misdirected(file.path, target)),
}

export const layersOnly: Rule = {
  name: 'src/ holds the layers and index.ts, nothing else',
  applies: (path) => path.startsWith('src/'),
  check: ({ path }) =>
    path === 'src/index.ts' || layerOf(path) !== undefined ? [] : [`${path}: src/ has the layers ${layers.join(', ')}`],
}

export const barrels: Rule = {
  name: 'only index.ts is a list of re-exports',
  applies: isShipped,
  check: (file) => {
    if (file.path === 'src/index.ts' || file.path === 'src/testing/index.ts') return []
    if (posix.basename(file.path) === 'index.ts') return [`${file.path}: name the file after what it holds`]
    const rest = file.text.replaceAll(reexport, '').replaceAll(/\/\/.*|\/\*[^]*?\*\//g, '')
    const barrel = /^export\s*\*/m.test(file.text) || (rest !== file.text && rest.trim() === '')
    return barrel ? [`${file.path}: import from where it is defined instead`] : []
  },
}

export const extensions: Rule = {
  name: 'a relative import ends in .ts',
  applies: (path) => path.endsWith('.ts'),
  check: (file) =>
    [...file.text.matchAll(specifiers)]
      .map((match) => match[2] ?? '')
      .filter((target) => /^\.\.?\//.test(target) && !/\.(ts|json|mjs)$/.test(target) && !target.includes('$'))
      .map((target) => `${file.path}: '${target}' does not end in .ts`),
}

function relativeImports(file: SourceFile): string[] {
  return [...file.text.matchAll(specifiers)].map((match) => match[2] ?? '').filter((target) => target.startsWith('.'))
}

function misdirected(path: string, target: string): string[] {
  const reached = posix.join(posix.dirname(path), target)
  const from = layerOf(path)
  const to = layerOf(reached)
  if (path === 'src/index.ts') return to === 'cli' ? [`${path}: nothing imports cli`] : []
  if (from === undefined || from === to) return []
  if (to === undefined) return [`${path}: '${target}' leaves the layers`]
  return importableByLayer.get(from)?.includes(to) ? [] : [`${path}: ${from} may not import ${to} ('${target}')`]
}

function layerOf(path: string): Layer | undefined {
  const [top, folder, rest] = path.split('/')
  return top === 'src' && rest !== undefined ? layers.find((layer) => layer === folder) : undefined
}
