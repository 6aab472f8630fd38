export type EntryKind = 'file' | 'directory' | 'link'

/** What a drive says of an entry at one time. */
export interface Version {
  readonly kind: EntryKind
  /** Permission bits only, 0 to 0o777. */
  readonly mode: number
  /** Nanoseconds since 1970. */
  readonly mtimeNs: bigint
  /** In bytes; 0 for directories and links. */
  readonly size: number
  /** What the content of a file is known by: see `content/page.ts`. 32 bytes; empty for directories and links. */
  readonly root: Uint8Array
  /** Of a link; empty for files and directories. */
  readonly target: string
}

/** Mode and modification time. */
export type VersionFacts = Pick<Version, 'mode' | 'mtimeNs'>

export const permissionBits = 0o777
