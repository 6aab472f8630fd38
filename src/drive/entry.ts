/** What a listing says of one name in a drive. */
export type TreeEntry = FileEntry | DirectoryEntry | LinkEntry

/** Mode and modification time. */
export interface VersionFacts {
  /** Permission bits only, 0 to 0o777. */
  readonly mode: number
  /** Nanoseconds since 1970. */
  readonly mtimeNs: bigint
}

export interface EntryFacts extends VersionFacts {
  /** Relative to the folder, `/` between names; `''` is the folder itself. */
  readonly path: string
}

export interface FileEntry extends EntryFacts {
  readonly kind: 'file'
  readonly size: number
}

export interface DirectoryEntry extends EntryFacts {
  readonly kind: 'directory'
}

export interface LinkEntry extends EntryFacts {
  readonly kind: 'symlink'
  readonly target: string
}

/** Something in the folder that cannot be shared. */
export interface SkippedEntry {
  readonly kind: 'skipped'
  /** For people: not necessarily a path that exists. */
  readonly path: string
  /** The end of a sentence that begins with the path. */
  readonly reason: string
}

export type ListingRecord = TreeEntry | SkippedEntry

export const permissionBits = 0o777
