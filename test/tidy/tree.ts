import { execFileSync } from 'node:child_process'
import { existsSync, lstatSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** One text of the project: its path from the root, with slashes, and what it says. */
export interface SourceFile {
  readonly path: string
  readonly text: string
}

export const root: string = fileURLToPath(new URL('../../', import.meta.url))

const texts = /(\.(ts|mts|mjs|js|json|jsonc|md|sh|yml|yaml|txt|patch)|\/\.?[A-Za-z]+|^\.?[A-Za-z]+)$/

/** The rules' own bad files: they say what nobody may say. */
const specimens = ['test/tidy/bad-files.ts', 'test/tidy/lint-cases.ts']

/** Every text that git knows or would add: what is ignored is nobody's business here. */
export function readTree(): SourceFile[] {
  const listed = execFileSync(
    'git',
    ['-c', 'safe.directory=*', 'ls-files', '-z', '--cached', '--others', '--exclude-standard'],
    { cwd: root },
  )
  return listed
    .toString()
    .split('\0')
    .filter(
      (path) =>
        !specimens.includes(path) && texts.test(path) && existsSync(root + path) && lstatSync(root + path).isFile(),
    )
    .map((path) => ({ path, text: readFileSync(root + path, 'utf8') }))
}
