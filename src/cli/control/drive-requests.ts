import type { DriveEntry } from '../../drive/drive-api.ts'
import type { HistoryEntry } from '../../drive/folder/history.ts'
import type { DriveVerification } from '../../drive/verification.ts'

/** What is asked of a program that keeps a folder in sync. */
export type DriveRequest =
  | { readonly command: 'drive-entries' }
  | { readonly command: 'drive-history' }
  /** To a path of the folder at which nothing is. */
  | { readonly command: 'drive-restore'; readonly id: string; readonly path: string }
  /** Some of the bytes of a file, `readBytesMax` at most. */
  | { readonly command: 'drive-read'; readonly path: string; readonly start: number; readonly end: number }
  | { readonly command: 'drive-verify' }
  | { readonly command: 'drive-repair' }
  | { readonly command: 'drive-resolve'; readonly path: string; readonly keep: 'this' | 'other' }
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

export interface VerificationFacts extends Pick<
  DriveVerification,
  'files' | 'bytes' | 'damaged' | 'edited' | 'absent'
> {
  /** Of a repair: what could not be brought back. */
  readonly problems: readonly { readonly path: string; readonly reason: string }[]
}

export const readBytesMax: number = 1024 * 1024

export interface DriveAnswers {
  readonly 'drive-entries': { readonly entries: readonly EntryFacts[] }
  readonly 'drive-history': { readonly history: readonly HistoryFacts[] }
  readonly 'drive-restore': { readonly path: string }
  /** In base64. */
  readonly 'drive-read': { readonly bytes: string }
  readonly 'drive-verify': VerificationFacts
  readonly 'drive-repair': VerificationFacts
  readonly 'drive-resolve': { readonly path: string }
  readonly 'drive-invite': { readonly link: string }
  readonly 'drive-revoke': { readonly link: string }
}

/** They wait for a disk. */
export const driveTimeoutsMs: Readonly<Record<DriveRequest['command'], number>> = {
  'drive-entries': 10_000,
  'drive-history': 10_000,
  'drive-restore': 60_000,
  'drive-read': 60_000,
  // All of a folder is read.
  'drive-verify': 12 * 3_600_000,
  'drive-repair': 12 * 3_600_000,
  'drive-resolve': 600_000,
  'drive-invite': 10_000,
  'drive-revoke': 10_000,
}

export function isDriveRequest(request: { readonly command: string }): request is DriveRequest {
  return request.command.startsWith('drive-')
}

/** Undefined for another question. */
export function parseDriveRequest(fields: Readonly<Record<string, unknown>>): DriveRequest | undefined {
  const { command, id, path, link, role, uses, validMs, start, end, keep } = fields
  switch (command) {
    case 'drive-entries':
    case 'drive-history':
    case 'drive-verify':
    case 'drive-repair':
      return { command }
    case 'drive-read':
      return { command, path: String(path), start: Number(start), end: Number(end) }
    case 'drive-resolve':
      return { command, path: String(path), keep: keep === 'other' ? 'other' : 'this' }
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
