import { isAside } from './item.ts'
import type { Agreement } from './item.ts'
import type { Disk } from './match.ts'

/** Why something is not done before somebody says so. */
export type Hold =
  /** The marker of the folder is gone: perhaps another disk is mounted there, or none. Nothing is done at all. */
  | { readonly reason: 'marker-gone' }
  /** There were files, and there is nothing any more. Nothing is done at all. */
  | { readonly reason: 'empty'; readonly files: number }
  /** Most of the files would be deleted. Everything else is done. */
  | { readonly reason: 'many-deletions'; readonly deleted: number; readonly files: number }

/** Deletions up to this many ask nobody. */
const deletionsFree = 10

/** Whether the folder looks like one that is not there, rather than one in which everything was deleted. */
export function folderHold(agreement: Agreement, disk: Disk, isMarked: boolean): Hold | undefined {
  if (!isMarked) return { reason: 'marker-gone' }
  const files = countFiles(agreement)
  if (files === 0) return undefined
  // Nearly always the first one says it.
  for (const path of disk.entries.keys()) if (!isAside(path)) return undefined
  for (const path of agreement.keys()) if (disk.isSeen(path)) return { reason: 'empty', files }
  return undefined
}

/**
 * Whether so many deletions are asked about: more than ten files, and more than half of all. `recent` were deleted a short while ago, and
 * count as if they were still to be: many that come one after the other are as many as those that come at once.
 */
export function deletionsHold(agreement: Agreement, planned: number, recent = 0): Hold | undefined {
  if (planned === 0) return undefined
  const files = countFiles(agreement) + recent
  const deleted = planned + recent
  return deleted > deletionsFree && deleted * 2 > files ? { reason: 'many-deletions', deleted, files } : undefined
}

function countFiles(agreement: Agreement): number {
  let files = 0
  for (const { version } of agreement.values()) if (version.kind === 'file') files += 1
  return files
}
