import type { DriveEntry } from '../../drive/drive-api.ts'
import type { HistoryEntry } from '../../drive/folder/history.ts'

/** What is asked of a program that keeps a folder in sync. */
export type DriveRequest =
  | { readonly command: 'drive-entries' }
  | { readonly command: 'drive-history' }
  /** To a path of the folder at which nothing is. */
  | { readonly command: 'drive-restore'; readonly id: string; readonly path: string }
  | ({ readonly command: 'drive-invite' } & DriveInvitation)
  | { readonly command: 'drive-revoke'; readonly link: string }

export interface DriveInvitation {
  readonly role: 'read' | 'write'
  /** Any number when absent. */
  readonly uses?: number
  /** For ever when absent. */
  readonly validMs?: number
}

/** As it stands in JSON: times in nanoseconds are texts. */
export interface EntryFacts extends Pick<DriveEntry, 'path' | 'isConflict' | 'isHere'> {
  readonly kind: string
  readonly mode: number
  readonly size: number
  readonly mtimeNs: string
}

export interface HistoryFacts extends Pick<HistoryEntry, 'id' | 'path' | 'kind' | 'size' | 'whenMs' | 'why'> {}

export interface DriveAnswers {
  readonly 'drive-entries': { readonly entries: readonly EntryFacts[] }
  readonly 'drive-history': { readonly history: readonly HistoryFacts[] }
  readonly 'drive-restore': { readonly path: string }
  readonly 'drive-invite': { readonly link: string }
  readonly 'drive-revoke': { readonly link: string }
}

/** They wait for a disk. */
export const driveTimeoutsMs: Readonly<Record<DriveRequest['command'], number>> = {
  'drive-entries': 10_000,
  'drive-history': 10_000,
  'drive-restore': 60_000,
  'drive-invite': 10_000,
  'drive-revoke': 10_000,
}

/** Undefined for another question. */
export function parseDriveRequest(fields: Readonly<Record<string, unknown>>): DriveRequest | undefined {
  const { command, id, path, link, role, uses, validMs } = fields
  switch (command) {
    case 'drive-entries':
    case 'drive-history':
      return { command }
    case 'drive-restore':
      return { command, id: String(id), path: String(path) }
    case 'drive-revoke':
      return { command, link: String(link) }
    case 'drive-invite':
      return {
        ...{ command, role: role === 'write' ? 'write' : 'read' },
        ...(typeof uses === 'number' && { uses }),
        ...(typeof validMs === 'number' && { validMs }),
      }
    default:
      return undefined
  }
}
