import { closeSync, constants, fchmodSync, fdatasyncSync, fstatSync, openSync, unlinkSync, writeSync } from 'node:fs'
import { systemCode } from './file-error.ts'
import { setFileTime } from './file-times.ts'
import { nameFresh } from './temp-file.ts'

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants

/** A small file that is to be where nothing is. */
export interface FreshFile {
  /** Where it is written first: nothing is there. */
  readonly temp: string
  /** Where it is to appear whole: a name in an open directory. */
  readonly place: string
  readonly bytes: Uint8Array
  readonly mode: number
  readonly mtimeNs: bigint
}

/** What the system says of a file that was placed, or the name of its error: nothing is left of the file then. */
export type Placement =
  | {
      readonly inode: bigint
      readonly mode: number
      readonly size: number
      readonly mtimeNs: bigint
      readonly ctimeNs: bigint
    }
  | { readonly code: string }

/** Places many files, each whole or not at all. */
export interface FilePlacer {
  /** Placements in the order of the files. `isSynced`: the bytes are on the disk before they get their names. Rejects when closed. */
  place(files: readonly FreshFile[], isSynced: boolean): Promise<readonly Placement[]>
  close(): Promise<void>
}

/** Places files in this thread, which stands still meanwhile. */
export const placerHere: FilePlacer = {
  place: (files, isSynced) => Promise.resolve(placeFresh(files, isSynced)),
  close: () => Promise.resolve(),
}

/** All are written before the first of them is waited for: the disk takes them together then. */
export function placeFresh(files: readonly FreshFile[], isSynced: boolean): readonly Placement[] {
  const written = files.map(write)
  if (isSynced) for (const file of written) if (file.code === undefined) attempt(file, () => fdatasyncSync(file.fd))
  return written.map((file): Placement => {
    const stats = file.code === undefined ? attempt(file, () => name(file)) : undefined
    if (stats === undefined) return { code: file.code ?? '' }
    const { ino: inode, mode, size, mtimeNs, ctimeNs } = stats
    return { inode, mode: Number(mode) & 0o7777, size: Number(size), mtimeNs, ctimeNs }
  })
}

interface Written {
  readonly file: FreshFile
  fd: number
  code: string | undefined
}

function write(file: FreshFile): Written {
  const written: Written = { file, fd: -1, code: undefined }
  attempt(written, () => {
    written.fd = openSync(file.temp, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY, 0o600)
    const { bytes } = file
    for (let offset = 0; offset < bytes.length;) offset += writeSync(written.fd, bytes, offset)
    fchmodSync(written.fd, file.mode)
    setFileTime(written.fd, file.mtimeNs)
  })
  return written
}

function name({ file: { temp, place }, fd }: Written): ReturnType<typeof statsOf> {
  nameFresh(temp, place)
  const stats = statsOf(fd)
  closeSync(fd)
  return stats
}

function statsOf(fd: number) {
  return fstatSync(fd, { bigint: true })
}

/** What fails leaves nothing behind. */
function attempt<Result>(written: Written, work: () => Result): Result | undefined {
  try {
    return work()
  } catch (error) {
    written.code = systemCode(error) || 'EIO'
    discard(written)
    return undefined
  }
}

function discard({ file, fd }: Written): void {
  if (fd < 0) return
  try {
    closeSync(fd)
    unlinkSync(file.temp)
  } catch {
    // What cannot be removed is removed by the next run.
  }
}
