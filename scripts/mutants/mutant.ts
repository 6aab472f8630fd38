import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A bug that somebody has planted, as a patch, to see whether a test finds it. */
export interface Mutant {
  /** The name of its file, without `.patch`. */
  readonly name: string
  readonly file: string
  /** What is wrong: the prose before the diff. */
  readonly bug: string
  /** What it changes, by path from the root. */
  readonly paths: readonly string[]
}

export const root: string = fileURLToPath(new URL('../../', import.meta.url))

const folder = join(root, 'test/mutants')

/** All mutants, by name. */
export function readMutants(): readonly Mutant[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.patch'))
    .sort()
    .map((name) => parseMutant(join(folder, name), name.slice(0, -'.patch'.length)))
}

/** The folders with the tests of the layers that a mutant changes. */
export function testFolders({ paths }: Mutant): readonly string[] {
  const layers = new Set(paths.map((path) => path.split('/')[1] ?? ''))
  return [...layers].flatMap((layer) => [`src/${layer}/`, `test/${layer}/`]).filter((path) => existsSync(root + path))
}

/** The world of the layer that a mutant changes: of the whole of them it has a few seeds only. */
export function worldOf({ paths }: Mutant): string {
  if (paths.some((path) => path.startsWith('src/causal/'))) return 'groups'
  if (paths.some((path) => path.startsWith('src/broadcast/'))) return 'broadcast'
  return paths.some((path) => path.startsWith('src/feed/')) ? 'feeds' : 'whole'
}

function parseMutant(file: string, name: string): Mutant {
  const text = readFileSync(file, 'utf8')
  const bug = text.slice(0, Math.max(0, text.search(/^(?:diff |--- )/m))).trim()
  const paths = [...text.matchAll(/^--- a\/(.+)$/gm)].map((match) => match[1] ?? '')
  return { name, file, bug, paths }
}
