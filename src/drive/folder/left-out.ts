import { lstatSync } from 'node:fs'
import type { View } from '../../store/view.ts'
import { DirectoryTree } from '../disk/directory-tree.ts'
import type { Directory } from '../disk/directory.ts'
import { systemCode } from '../disk/file-error.ts'
import type { Agreement } from '../plan/item.ts'
import { baseName, parentPath } from '../tree-path.ts'
import type { GivenPatterns, PathRules } from './path-rules.ts'

/**
 * Without what is left out and not in the folder: it may have been deleted there to save room, which nobody is to hear of, and when it
 * takes part again it comes again. `isSeen`: what the folder has that takes part.
 */
export function withoutLeftOut(
  agreement: Agreement,
  rules: PathRules,
  root: Directory,
  isSeen: (path: string) => boolean = () => false,
): Agreement {
  const gone: string[] = []
  const tree = new DirectoryTree(root)
  try {
    for (const [path, { version }] of agreement)
      if (!isSeen(path) && rules.leavesOut(path, version.kind === 'directory') && !isThere(tree, path)) gone.push(path)
  } finally {
    tree.clear()
  }
  if (gone.length === 0) return agreement
  const left = new Map(agreement)
  for (const path of gone) left.delete(path)
  return left
}

/** What the drive left out the last time that it was open, by patterns that it was given. */
export async function patternsBefore(view: View): Promise<GivenPatterns> {
  const [entry] = await view.entries(table)
  try {
    const { only, ignore } = JSON.parse(new TextDecoder().decode(entry?.value)) as GivenPatterns
    return { only, ignore }
  } catch {
    return { only: [], ignore: [] }
  }
}

export async function keepPatterns(view: View, { only, ignore }: GivenPatterns): Promise<void> {
  const value = new TextEncoder().encode(JSON.stringify({ only, ignore }))
  await view.transact(view.cursor, [{ table, key: new Uint8Array(1), value }])
}

const table = 'patterns'

function isThere(tree: DirectoryTree, path: string): boolean {
  try {
    return lstatSync(tree.open(parentPath(path)).at(baseName(path)), { throwIfNoEntry: false }) !== undefined
  } catch (error) {
    // What cannot be looked at may be there.
    return systemCode(error) !== 'ENOENT' && systemCode(error) !== 'ENOTDIR'
  }
}
