/** What an entry of a drive is. */
export type EntryKind = 'file' | 'directory' | 'link'

/** What an entry holds, as it was written once: the value of its register. */
export interface Version {
  readonly kind: EntryKind
  /** Permission bits only, 0 to 0o777. */
  readonly mode: number
  /** Nanoseconds since 1970. */
  readonly mtimeNs: bigint
  /** Bytes of a file; 0 for what is none. */
  readonly size: number
  /** Names the content of a file, 32 bytes; empty for directories and links. */
  readonly root: Uint8Array
  /** Where a link points; empty for what is none. */
  readonly target: string
}
