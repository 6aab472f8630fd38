import { mkdirSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const packages = fileURLToPath(new URL('../../node_modules', import.meta.url))
const texts = new Set(['.js', '.mjs', '.cjs', '.ts', '.mts', '.cts', '.json', '.md', '.txt', '.css'])
const filesOfDirectory = 12
const packagesWithout = /(^|\/)\./

/**
 * Source text as it is, of the packages that package-lock.json names, cut into so many files, most of them small and some
 * large: the same tree at each place with the same packages.
 */
export function makeSourceTree(
  folder: string,
  { files, bytes }: { readonly files: number; readonly bytes: number },
  made: (path: string, number: number) => void,
): void {
  const text = sourceText(bytes)
  const ends = endsOf(files, bytes)
  let start = 0
  for (const [number, end] of ends.entries()) {
    const module = Math.floor(number / filesOfDirectory)
    const directory = join(folder, `package-${module % 17}`, `module-${module}`)
    mkdirSync(directory, { recursive: true })
    const path = join(directory, `source-${number}.ts`)
    writeFileSync(path, text.subarray(start, end))
    made(path, number)
    start = end
  }
}

/** Where each file ends. Sizes go from a sixteenth to sixteen times the one in the middle. */
function endsOf(files: number, bytes: number): number[] {
  const weights = Array.from({ length: files }, (_, number) => 2 ** (((number * 7_919) % 1_021) / 127.6 - 4))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  let sum = 0
  return weights.map((weight) => Math.round(((sum += weight) / total) * bytes))
}

function sourceText(bytes: number): Uint8Array {
  const root = realpathSync(packages)
  const paths = readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && texts.has(extname(entry.name)))
    .map(({ parentPath, name }) => join(parentPath, name).slice(root.length + 1))
    .filter((path) => !packagesWithout.test(path))
    .toSorted()
  const parts: Uint8Array[] = []
  let length = 0
  for (const path of paths) {
    if (length >= bytes) break
    const part = readFileSync(join(root, path))
    parts.push(part)
    length += part.length
  }
  if (length < bytes) throw new Error(`node_modules has ${length} bytes of text instead of ${bytes}: run npm ci`)
  return Buffer.concat(parts).subarray(0, bytes)
}
