import type { EntryKind } from '../version.ts'

/** What the system says of one name in the folder. */
export interface DiskFacts {
  readonly kind: EntryKind
  /** Permission bits only, 0 to 0o777. */
  readonly mode: number
  /** Bytes of a file; 0 for what is none. */
  readonly size: number
  readonly mtimeNs: bigint
  readonly ctimeNs: bigint
  readonly inode: bigint
}

/** One name in the folder. */
export interface DiskEntry extends DiskFacts {
  /** Relative to the folder, `/` between names. */
  readonly path: string
  /** Where a link points; empty for what is none. */
  readonly target: string
}

/** One name in the folder, and what it holds. */
export interface KnownEntry extends DiskEntry {
  /** Names the content of a file, 32 bytes; empty for what is none. */
  readonly root: Uint8Array
}
