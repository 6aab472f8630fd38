import type { TreeEntry } from './entry.ts'
import { compareTreePaths, linkTargetProblem, parentPath, pathProblem } from './tree-path.ts'

/**
 * Judges the entries of a listing as they come. A listing runs depth first: the folder itself (`''`), a directory
 * before what is in it, siblings in ascending order. So duplicates and clashes are found by a look at the entry
 * before, however long the listing is.
 */
export class ListingOrder {
  #last: string | undefined
  /** The directories that the entries to come may be in: the last one accepted and those above it. */
  #open: string[] = ['']

  /** Why this entry is refused, as the end of a sentence about its path, or undefined when it is accepted. */
  problem(entry: TreeEntry): string | undefined {
    if (entry.path === '') return this.#rootProblem(entry)
    const problem = pathProblem(entry.path) ?? this.#placeProblem(entry.path)
    if (problem !== undefined) return problem
    const targetProblem = entry.kind === 'symlink' ? linkTargetProblem(entry.path, entry.target) : undefined
    if (targetProblem !== undefined) return targetProblem
    this.#last = entry.path
    if (entry.kind === 'directory') this.#open.push(entry.path)
    return undefined
  }

  #rootProblem(entry: TreeEntry): string | undefined {
    if (entry.kind !== 'directory') return 'is the folder itself, and not a directory'
    if (this.#last !== undefined) return 'is the folder itself, and not the first entry'
    this.#last = ''
    return undefined
  }

  #placeProblem(path: string): string | undefined {
    if (this.#last !== undefined && this.#last !== '' && compareTreePaths(path, this.#last) <= 0)
      return 'comes twice or out of order'
    const parent = parentPath(path)
    while (this.#open.length > 1 && !isInside(parent, this.#open.at(-1) as string)) this.#open.pop()
    if (this.#open.at(-1) !== parent) return 'is in a directory that the listing does not have'
    return undefined
  }
}

function isInside(path: string, directory: string): boolean {
  return path === directory || path.startsWith(`${directory}/`)
}
