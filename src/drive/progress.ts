/**
 * How far a clone is. Counts of files are of regular files; directories and symbolic links are made as they are
 * listed.
 */
export interface Progress {
  /** Changes of this folder that others have been told of, since the drive was opened. */
  published: number
  /** The listing is complete: totals will not grow because of it. */
  listed: boolean
  entries: number
  /** Files that need to be fetched, and those that are in their place. */
  filesTotal: number
  filesDone: number
  bytesTotal: number
  /** Bytes of content that are here, also of files that are not whole yet. */
  bytesDone: number
  /** Files that were right already. */
  unchanged: number
  /** Entries that could not be had. */
  failed: number
  /** Where something is being done; empty when nothing is. */
  path: string
}

export function startProgress(): Progress {
  return {
    published: 0,
    listed: false,
    entries: 0,
    filesTotal: 0,
    filesDone: 0,
    bytesTotal: 0,
    bytesDone: 0,
    unchanged: 0,
    failed: 0,
    path: '',
  }
}
