import { closeSync, constants, fstatSync, openSync, readSync, renameSync, writeSync } from 'node:fs'
import type { Directory } from '../disk/directory.ts'
import { reservedName } from '../tree-path.ts'

/** What a folder says of itself, in `.plait/drive.json`. No secrets: whoever may read the folder may read it. */
export interface FolderMarker {
  /** The drive that it is. */
  readonly drive: string
  /** This copy of it. */
  readonly copy: string
}

const fileName = 'drive.json'
const bytesMax = 4_096
const { O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_TRUNC, O_WRONLY } = constants

/** The marker in an open folder; undefined without one, or with one that says nothing. */
export function readFolderMarker(root: Directory): FolderMarker | undefined {
  let plait: Directory | undefined
  let fd: number | undefined
  try {
    plait = root.open(reservedName)
    fd = openSync(plait.at(fileName), O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
    if (!fstatSync(fd).isFile()) return undefined
    const bytes = new Uint8Array(bytesMax)
    const text = new TextDecoder().decode(bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, 0)))
    const { drive, copy } = JSON.parse(text) as Record<string, unknown>
    return typeof drive === 'string' && typeof copy === 'string' ? { drive, copy } : undefined
  } catch {
    return undefined
  } finally {
    if (fd !== undefined) closeSync(fd)
    plait?.close()
  }
}

/** Whole or not at all; `.plait` is there. Throws errors of the system. */
export function writeFolderMarker(root: Directory, { drive, copy }: FolderMarker): void {
  const plait = root.open(reservedName)
  try {
    const fd = openSync(plait.at(`${fileName}.new`), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK, 0o600)
    try {
      writeSync(fd, new TextEncoder().encode(`${JSON.stringify({ drive, copy })}\n`))
    } finally {
      closeSync(fd)
    }
    renameSync(plait.at(`${fileName}.new`), plait.at(fileName))
  } finally {
    plait.close()
  }
}
