import { parentPath } from '../tree-path.ts'

/** What the package `ignore` gives: patterns as in gitignore, for paths relative to the directory in which they stand. */
export interface PatternSet {
  add(patterns: string | readonly string[]): PatternSet
  test(path: string): { readonly ignored: boolean; readonly unignored: boolean }
}

/** `ignore({ allowRelativePaths: false })` of the package `ignore`. */
export type MakePatternSet = () => PatternSet

export interface PathRulesOptions {
  readonly patternSet: MakePatternSet
  /** As in gitignore, relative to the folder. They count more than those of any file. */
  readonly ignore?: readonly string[]
  /** Nothing but what matches, and what is in it. */
  readonly only?: readonly string[]
}

/** Patterns that do not stand in a file of the folder. */
export type GivenPatterns = Required<Pick<PathRulesOptions, 'only' | 'ignore'>>

/**
 * Which paths take part. What does not is neither looked at nor touched: not published, not deleted when the patterns change, and
 * not written when others have it.
 */
export class PathRules {
  readonly given: GivenPatterns
  readonly #patternSet: MakePatternSet
  readonly #ignored: PatternSet | undefined
  readonly #only: PatternSet | undefined
  /** Directories that have to be gone through to come to what matches; undefined: all. */
  readonly #onlyParents: ReadonlySet<string> | undefined
  readonly #setsByDirectory = new Map<string, PatternSet>()
  readonly #ignoredDirectories = new Map<string, boolean>()

  constructor(options: PathRulesOptions) {
    const { patternSet, ignore = [], only = [] } = options
    this.#patternSet = patternSet
    this.given = { only: [...only], ignore: [...ignore] }
    this.#ignored = ignore.length === 0 ? undefined : patternSet().add(ignore)
    this.#only = only.length === 0 ? undefined : patternSet().add(only)
    this.#onlyParents = parentsOf(only)
  }

  /** The same for other patterns; those of files are not known to it. */
  having(given: GivenPatterns): PathRules {
    return new PathRules({ patternSet: this.#patternSet, ...given })
  }

  /** The walk has come into a directory: with the patterns that stand there. */
  enter(directory: string, patterns: string | undefined): void {
    if (directory === '') this.#ignoredDirectories.clear()
    this.#setsByDirectory.delete(directory)
    if (patterns === undefined) return
    this.#setsByDirectory.set(directory, this.#patternSet().add(patterns))
  }

  /** Whether a path is left out, of which the directories are known not to be. */
  ignores(path: string, isDirectory: boolean): boolean {
    const shown = isDirectory ? `${path}/` : path
    const given = this.#ignored?.test(shown)
    if (given?.ignored === true) return true
    if (this.#only !== undefined && !this.#isPicked(this.#only, path, isDirectory)) return true
    if (given?.unignored === true) return false
    for (let directory = parentPath(path); ; directory = parentPath(directory)) {
      const set = this.#setsByDirectory.get(directory)
      const result = set?.test(directory === '' ? shown : shown.slice(directory.length + 1))
      if (result?.ignored === true) return true
      if (result?.unignored === true || directory === '') return false
    }
  }

  /** Whether a path or a directory that it is in is left out. */
  leavesOut(path: string, isDirectory: boolean): boolean {
    const parent = parentPath(path)
    return (parent !== '' && this.#isIgnoredDirectory(parent)) || this.ignores(path, isDirectory)
  }

  #isIgnoredDirectory(path: string): boolean {
    const known = this.#ignoredDirectories.get(path)
    if (known !== undefined) return known
    const isIgnored = this.leavesOut(path, true)
    this.#ignoredDirectories.set(path, isIgnored)
    return isIgnored
  }

  #isPicked(only: PatternSet, path: string, isDirectory: boolean): boolean {
    // A set answers for what is in a directory that matches, too.
    if (only.test(isDirectory ? `${path}/` : path).ignored) return true
    return isDirectory && (this.#onlyParents === undefined || this.#onlyParents.has(path))
  }
}

/** The directories above the beginnings of patterns; undefined when a pattern may match in any directory. */
function parentsOf(patterns: readonly string[]): ReadonlySet<string> | undefined {
  const parents = new Set<string>()
  for (const pattern of patterns) {
    const names = pattern.replace(/^\//, '').replace(/\/$/, '').split('/')
    const isAnchored = pattern.startsWith('/') || names.length > 1
    if (!isAnchored) return undefined
    for (let count = 1; count < names.length; count += 1) {
      const parent = names.slice(0, count).join('/')
      if (/[*?[\\]/.test(parent)) return undefined
      parents.add(parent)
    }
  }
  return parents
}
