import type { BigIntStats } from 'node:fs'

/** What the system says of a file: while all of it stays the same, so does the content, as far as the clock of the system tells. */
export interface FileFacts {
  /** Permission bits only. */
  readonly mode: number
  readonly size: number
  readonly mtimeNs: bigint
  readonly ctimeNs: bigint
  readonly inode: bigint
}

export function factsOf(stats: BigIntStats): FileFacts {
  const { mode, size, mtimeNs, ctimeNs, ino } = stats
  return { mode: Number(mode & 0o777n), size: Number(size), mtimeNs, ctimeNs, inode: ino }
}

/** Whether nobody has written between the two looks. The mode may differ: its change moves the ctime, and is a change. */
export function sameFacts(one: FileFacts, other: FileFacts): boolean {
  return (
    one.size === other.size &&
    one.mtimeNs === other.mtimeNs &&
    one.ctimeNs === other.ctimeNs &&
    one.inode === other.inode
  )
}
