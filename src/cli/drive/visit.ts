import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { parseDriveLink } from '../../drive/drive-link.ts'
import type { Drive } from '../../drive/drive-api.ts'
import { joinDrive, openDrive } from '../../drive/drive.ts'
import { PlaitError } from '../../base/error.ts'
import type { Terminal } from '../terminal.ts'
import { listCopies, newCopyId, readCopy, removeCopy, storeOf, writeCopy, type Copy } from './copy-state.ts'
import { DriveHost, type HostFlags } from './drive-host.ts'
import { explainedShare } from './join-text.ts'

export interface VisitOptions {
  readonly flags: HostFlags
  readonly terminal: Terminal
  readonly waitMs: number
  readonly signal: AbortSignal
}

export function isLink(text: string): boolean {
  return text.trim().startsWith('plait:')
}

/**
 * Looks into a drive by its link, and clones nothing of it: this machine becomes a member that reads, with an empty folder of its own
 * beside the store; the same one the next time. Rejects as a clone does.
 */
export async function visit<Result>(
  text: string,
  { flags, terminal, waitMs, signal }: VisitOptions,
  work: (drive: Drive) => Promise<Result>,
): Promise<Result> {
  const link = parseDriveLink(text)
  const known = listCopies().find(({ origin, driveId }) => origin === 'visit' && driveId === link.driveId)
  const copyId = known?.copyId ?? newCopyId()
  const copy: Copy = known ?? { copyId, folder: join(storeOf(copyId), 'visit'), origin: 'visit' }
  let isJoined = known !== undefined
  try {
    mkdirSync(copy.folder, { recursive: true, mode: 0o700 })
    await using host = await DriveHost.open({ copy, role: 'clone', flags, terminal, waitMs })
    const drive = await host.use(async (options) => {
      const visiting = { ...options, signal, isPassive: true, isReadOnly: true }
      if (known?.driveId !== undefined) return openDrive(known.driveId, visiting)
      const drive = await joinDrive(text.trim(), visiting).catch((error: unknown) => {
        throw explainedShare(error, text)
      })
      isJoined = true
      writeCopy({ ...(readCopy(copyId) ?? copy), driveId: drive.id })
      return drive
    }, false)
    await caughtUp(drive, waitMs, signal)
    return await work(drive)
  } finally {
    terminal.live('')
    if (!isJoined) removeCopy(copyId)
  }
}

/** Until what the others have is known here. Rejects with `UNREACHABLE` when nobody comes. */
export async function caughtUp(drive: Drive, waitMs: number, signal: AbortSignal): Promise<void> {
  await connected(drive, waitMs, signal)
  if (drive.status().connected === 0)
    throw new PlaitError(
      'UNREACHABLE',
      'none of the other members can be reached; see that `plait share` or `plait sync` is running with one of them',
    )
  await drive.caughtUp({ signal })
}

/** Until somebody is connected, or it has taken too long. */
export async function connected(drive: Drive, waitMs: number, signal: AbortSignal): Promise<void> {
  const began = performance.now()
  while (drive.status().connected === 0 && performance.now() - began < waitMs) {
    signal.throwIfAborted()
    await new Promise((resolve) => setTimeout(resolve, lookMs))
  }
}

const lookMs = 50
