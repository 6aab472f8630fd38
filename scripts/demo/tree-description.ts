import { createHash } from 'node:crypto'
import { closeSync, lstatSync, openSync, readdirSync, readlinkSync, readSync, type BigIntStats } from 'node:fs'
import { join } from 'node:path'

/** All that there is to say of what is in a folder, apart from `.plait/` at its top; nothing of the folder itself. */
export interface TreeDescription {
  /** One line for each path: kind, mode, time, content. */
  readonly lineByPath: ReadonlyMap<string, string>
  /** SHA-256 over all paths and lines. */
  readonly hash: string
  readonly summary: string
}

export function describeTree(root: string): TreeDescription {
  const lineByPath = new Map<string, string>()
  const counts = { files: 0, directories: 0, links: 0, others: 0, bytes: 0 }
  const visit = (path: string): void => {
    const full = join(root, path)
    const stats = lstatSync(full, { bigint: true })
    if (path !== '')
      lineByPath.set(path, `${kindOf(stats)} ${modeOf(stats)} ${secondsOf(stats)} ${contentOf(stats, full)}`)
    if (stats.isFile()) {
      counts.files += 1
      counts.bytes += Number(stats.size)
    } else if (stats.isSymbolicLink()) counts.links += 1
    else if (!stats.isDirectory()) counts.others += 1
    else {
      counts.directories += 1
      for (const name of readdirSync(full).sort()) if (path !== '' || name !== '.plait') visit(join(path, name))
    }
  }
  visit('')
  const hash = createHash('sha256')
  for (const [path, line] of lineByPath) hash.update(`${JSON.stringify(path)} ${line}\n`)
  const { files, directories, links, others, bytes } = counts
  const summary = `${files} files, ${directories} directories, ${links} links, ${bytes} bytes${others > 0 ? `, ${others} others` : ''}`
  return { lineByPath, hash: hash.digest('hex'), summary }
}

/** What is not the same, path by path. */
export function differences(left: TreeDescription, right: TreeDescription): readonly string[] {
  const paths = new Set([...left.lineByPath.keys(), ...right.lineByPath.keys()])
  return [...paths].flatMap((path) => {
    const [one, other] = [left.lineByPath.get(path) ?? 'missing', right.lineByPath.get(path) ?? 'missing']
    return one === other ? [] : [`${JSON.stringify(path)}: ${one} here, ${other} there`]
  })
}

function kindOf(stats: BigIntStats): string {
  if (stats.isFile()) return 'file'
  if (stats.isDirectory()) return 'directory'
  return stats.isSymbolicLink() ? 'link' : 'other'
}

/** Permissions and the special bits; those of a link mean nothing. */
function modeOf(stats: BigIntStats): string {
  return stats.isSymbolicLink() ? '-' : (Number(stats.mode) & 0o7777).toString(8)
}

/** Time of the last change as a double of seconds, the precision with which Node can set a time: neighbours are 240 ns apart. */
export function secondsOf(stats: BigIntStats): number {
  const nanoseconds = stats.mtimeNs % 1_000_000_000n
  return Number((stats.mtimeNs - nanoseconds) / 1_000_000_000n) + Number(nanoseconds) / 1e9
}

function contentOf(stats: BigIntStats, path: string): string {
  if (stats.isSymbolicLink()) return JSON.stringify(readlinkSync(path))
  return stats.isFile() ? hashOf(path) : '-'
}

function hashOf(path: string): string {
  const hash = createHash('sha256')
  const fd = openSync(path, 'r')
  const block = new Uint8Array(1024 * 1024)
  for (let count = readSync(fd, block); count > 0; count = readSync(fd, block)) hash.update(block.subarray(0, count))
  closeSync(fd)
  return hash.digest('hex')
}
