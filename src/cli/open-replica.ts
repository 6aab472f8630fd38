import { realpathSync } from 'node:fs'
import { resolve } from 'node:path'
import { PlaitError } from '../base/error.ts'
import { fileError } from '../drive/disk/file-error.ts'
import { folderState, readMarker, writeMarker } from '../drive/disk/marker.ts'
import type { ShareLink } from '../drive/share-link.ts'
import { listReplicas, newId, newSecret, readReplica, writeReplica, type Replica } from './replica-state.ts'

/** A replica that shares. */
export type ShareReplica = Replica & { readonly secret: Uint8Array }

/**
 * The replica that shares the folder at `path`: the same drive, secret and key each time, also when the folder has
 * been moved. A copy of a shared folder is another drive. Throws `FILE_FAILED`.
 */
export function openShareReplica(path: string): ShareReplica {
  const folder = realFolder(path)
  const known = knownShare(folder)
  if (known !== undefined) return { ...known, folder }
  const replicaId = newId()
  const replica: ShareReplica = {
    replicaId,
    driveId: newId(),
    role: 'share',
    folder,
    marked: false,
    secret: newSecret(),
  }
  writeReplica(replica)
  return { ...replica, marked: mark(replica) }
}

/** What a clone goes into. */
export interface CloneTarget {
  readonly folder: string
  readonly replicaId: string
  /** An earlier run has been here. */
  readonly again: boolean
  readonly missing: boolean
}

/**
 * Judges the folder that a clone is to go into; changes nothing. Throws `NOT_EMPTY` for one that has something else in
 * it, `FILE_FAILED` for what is not a folder.
 */
export function checkCloneTarget(path: string, link: ShareLink): CloneTarget {
  const folder = resolve(path)
  const state = folderState(folder)
  const facts = { path: folder }
  if (state === 'not-a-folder')
    throw new PlaitError('FILE_FAILED', `${folder} is not a folder; name a new or an empty one`, { facts })
  const marker = readMarker(folder)
  if (marker?.driveId === link.driveId && marker.role === 'clone')
    return { folder, replicaId: marker.replicaId, again: true, missing: false }
  if (state === 'filled') {
    const what =
      marker === undefined
        ? 'is not empty'
        : marker.driveId === link.driveId
          ? 'is the shared folder itself'
          : 'belongs to another drive'
    throw new PlaitError('NOT_EMPTY', `${folder} ${what}; name a new or an empty folder`, { facts })
  }
  return { folder, replicaId: newId(), again: false, missing: state === 'missing' }
}

function realFolder(path: string): string {
  try {
    const folder = realpathSync(path)
    if (folderState(folder) === 'not-a-folder')
      throw new PlaitError('FILE_FAILED', `${path} is not a folder; name a folder to share`, { facts: { path } })
    return folder
  } catch (error) {
    throw fileError(error, path)
  }
}

function knownShare(folder: string): ShareReplica | undefined {
  return (
    knownByMarker(folder) ??
    listReplicas()
      .filter(isShare)
      .find((replica) => !replica.marked && replica.folder === folder)
  )
}

function knownByMarker(folder: string): ShareReplica | undefined {
  const marker = readMarker(folder)
  if (marker?.role !== 'share') return undefined
  const replica = readReplica(marker.replicaId)
  if (replica === undefined || !isShare(replica) || replica.driveId !== marker.driveId) return undefined
  // If the folder of then still bears this marker, this one is a copy of it.
  const isCopy = replica.folder !== folder && readMarker(replica.folder)?.replicaId === replica.replicaId
  return isCopy ? undefined : replica
}

function isShare(replica: Replica): replica is ShareReplica {
  return replica.role === 'share' && replica.secret !== undefined
}

/** Where a marker stands already, it stays; and a folder that cannot be written to can be shared all the same. */
function mark(replica: ShareReplica): boolean {
  if (readMarker(replica.folder) !== undefined) return false
  try {
    writeMarker(replica.folder, replica)
    return true
  } catch {
    return false
  }
}
