import { utf8Length } from '../base/bytes.ts'
import { defaultLimits } from '../base/limits.ts'

/** What bounds a path inside a drive. */
export interface PathLimits {
  readonly pathBytes: number
  readonly pathComponentBytes: number
  readonly pathDepth: number
}

/**
 * The one name in a folder that is plait's own; no entry of a drive may bear it, in any spelling that a file system
 * might fold into it.
 */
export const reservedName = '.plait'

/** Longest target of a symbolic link, in bytes. */
export const linkTargetBytes = 4_095

/**
 * Why `path` may not stand for an entry of a drive, as the end of a sentence about it, or undefined when it may. A
 * good path is relative, has `/` between its names, and means the same place on every system; control characters are
 * allowed.
 */
export function pathProblem(path: string, limits: PathLimits = defaultLimits): string | undefined {
  if (path === '') return 'is empty'
  // A character has 1 to 3 bytes for each UTF-16 unit, so that long strings are refused before they are looked at.
  if (path.length > limits.pathBytes || utf8Length(path) > limits.pathBytes)
    return `is longer than ${limits.pathBytes} bytes`
  if (path.startsWith('/')) return 'is absolute'
  if (path.includes('\0')) return 'contains a NUL character'
  if (path.includes('\\')) return 'contains a backslash, which is a separator elsewhere'
  const names = path.split('/')
  if (names.length > limits.pathDepth) return `is deeper than ${limits.pathDepth} levels`
  for (const name of names) {
    const problem = nameProblem(name, limits)
    if (problem !== undefined) return problem
  }
  return undefined
}

/** Why the path of something in a good directory is none, as `pathProblem` says, which looks at all of it: names are mostly plain ones. */
export function childPathProblem(path: string, name: string, depth: number): string | undefined {
  const { pathBytes, pathComponentBytes, pathDepth } = defaultLimits
  const isShort = name.length * 3 <= pathComponentBytes && path.length * 3 <= pathBytes && depth <= pathDepth
  if (isShort && plainName.test(name)) return undefined
  return name.includes('/') ? 'has a slash in a name' : pathProblem(path)
}

/** Neither a path nor reserved, nor one that begins with a full stop. */
const plainName = /^[^./\\\0][^/\\\0]*$/

/**
 * Why a symbolic link at `path` may not point to `target`, or undefined when it may. `..` may only stand at the
 * beginning: its parents are real directories then, so that counting levels is enough, whatever other links the tree
 * has.
 */
export function linkTargetProblem(path: string, target: string): string | undefined {
  if (target === '') return 'is a symbolic link without a target'
  if (target.length > linkTargetBytes || utf8Length(target) > linkTargetBytes)
    return 'is a symbolic link with a target that is too long'
  if (target.includes('\0')) return 'is a symbolic link with a NUL character in its target'
  if (target.startsWith('/')) return 'is a symbolic link to an absolute path'
  let levels = path.split('/').length - 1
  let descended = false
  for (const name of target.split('/')) {
    if (name === '' || name === '.') continue
    if (name !== '..') descended = true
    else if (descended) return 'is a symbolic link whose target goes down and up again'
    else if (levels === 0) return 'is a symbolic link that leads out of the folder'
    else levels -= 1
  }
  return undefined
}

/** The directory that `path` is in; `''` is the root. */
export function parentPath(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')))
}

export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

export function childPath(directory: string, name: string): string {
  return directory === '' ? name : `${directory}/${name}`
}

function nameProblem(name: string, limits: PathLimits): string | undefined {
  if (name === '') return 'has an empty name in it'
  if (name === '.' || name === '..') return `has \`${name}\` in it`
  if (utf8Length(name) > limits.pathComponentBytes)
    return `has a name longer than ${limits.pathComponentBytes} bytes in it`
  if (name.length === reservedName.length && name.toLowerCase() === reservedName)
    return `has the reserved name \`${reservedName}\` in it`
  return undefined
}
