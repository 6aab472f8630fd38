import { closeSync, constants, fstatSync, mkdirSync, openSync, readdirSync, readSync, writeSync } from 'node:fs'
import { isDriveId } from '../share-link.ts'
import { reservedName } from '../tree-path.ts'
import { Directory } from './directory.ts'
import { fileError, systemCode } from './file-error.ts'

/** What a folder says of itself, in `.plait/drive.json`. No secrets: whoever may read the folder may read it. */
export interface Marker {
  readonly driveId: string
  /** This copy of the drive, in this folder. */
  readonly replicaId: string
  readonly role: MarkerRole
}

export type MarkerRole = 'share' | 'clone'

const fileName = 'drive.json'
const markerBytesMax = 4_096
const { O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_TRUNC, O_WRONLY } = constants

/** The marker of the folder at `path`; undefined without a folder, without a marker, or with one that says nothing. */
export function readMarker(path: string): Marker | undefined {
  try {
    return parseMarker(inPlaitFolder(path, false, readText))
  } catch {
    return undefined
  }
}

/** Throws `FILE_FAILED` or `NO_SPACE`. */
export function writeMarker(path: string, marker: Marker): void {
  const { driveId, replicaId, role } = marker
  const bytes = new TextEncoder().encode(`${JSON.stringify({ driveId, replicaId, role })}\n`)
  try {
    inPlaitFolder(path, true, (plait) => {
      const fd = openSync(plait.at(fileName), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK, 0o600)
      try {
        writeSync(fd, bytes)
      } finally {
        closeSync(fd)
      }
    })
  } catch (error) {
    throw fileError(error, `${path}/${reservedName}/${fileName}`)
  }
}

/**
 * What is at `path`: nothing, something that is not a directory, an empty directory, or one with something in it.
 * Throws `FILE_FAILED`.
 */
export function folderState(path: string): 'missing' | 'not-a-folder' | 'empty' | 'filled' {
  try {
    return readdirSync(path).length === 0 ? 'empty' : 'filled'
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return 'missing'
    if (systemCode(error) === 'ENOTDIR') return 'not-a-folder'
    throw fileError(error, path)
  }
}

function inPlaitFolder<Result>(path: string, make: boolean, work: (plait: Directory) => Result): Result {
  const root = Directory.root(path)
  try {
    if (make) makePlaitFolder(root)
    const plait = root.open(reservedName)
    try {
      return work(plait)
    } finally {
      plait.close()
    }
  } finally {
    root.close()
  }
}

function makePlaitFolder(root: Directory): void {
  try {
    mkdirSync(root.at(reservedName), 0o700)
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error
  }
}

function readText(plait: Directory): string {
  const fd = openSync(plait.at(fileName), O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
  try {
    if (!fstatSync(fd).isFile()) return ''
    const bytes = new Uint8Array(markerBytesMax)
    return new TextDecoder().decode(bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, 0)))
  } finally {
    closeSync(fd)
  }
}

function parseMarker(text: string): Marker | undefined {
  const { driveId, replicaId, role } = JSON.parse(text) as Record<string, unknown>
  if (typeof driveId !== 'string' || !isDriveId(driveId) || typeof replicaId !== 'string' || !isDriveId(replicaId))
    return undefined
  return role === 'share' || role === 'clone' ? { driveId, replicaId, role } : undefined
}
