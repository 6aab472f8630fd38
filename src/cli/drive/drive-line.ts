import type { DrivePhase, DriveStatus } from '../../drive/drive-api.ts'
import type { Progress } from '../../drive/progress.ts'
import type { Rate } from '../rate.ts'
import { countOf, formatBytes, formatCount, formatDuration } from '../units.ts'

const phases: Readonly<Record<Exclude<DrivePhase, 'joining' | 'applying'>, string>> = {
  looking: 'looking at the folder',
  publishing: 'telling the others what has changed',
  idle: 'up to date',
  closed: 'closing',
}

/** Nearly nothing comes: what is left would be a number that nobody believes. */
const leftMaxMs = 24 * 3_600_000

/** What a drive is doing, with how far it is; undefined before anything is known. */
export function driveLine({ phase, progress, connected, hold, problems }: DriveStatus, rate: Rate): string | undefined {
  if (phase === 'joining' || (progress.entries === 0 && progress.filesTotal === 0)) return undefined
  const peers = connected === 0 ? 'nobody connected' : countOf(connected, 'peer')
  if (phase === 'applying' && progress.filesDone < progress.filesTotal)
    return [progressLine(progress, rate), peers, progress.path].filter((part) => part !== '').join(', ')
  if (phase === 'applying') return `setting names, times and modes, ${peers}`
  if (phase !== 'idle') return `${phases[phase]}, ${peers}`
  const isDone = hold === undefined && problems.length === 0
  return `${isDone ? phases.idle : 'waiting'}, ${fetched(progress)}${peers}`
}

/** `412 of 10,000 files, 18.2 MB of 46.1 MB, 85.0 MB/s, 3 s left`; a `+` while the listing goes on. */
export function progressLine(progress: Readonly<Progress>, rate: Rate): string {
  const { filesDone, filesTotal, bytesDone, bytesTotal, listed, failed } = progress
  const more = listed ? '' : '+'
  const leftMs = listed ? rate.leftMs(filesTotal - filesDone, bytesTotal - bytesDone) : undefined
  const parts = [
    `${formatCount(filesDone)} of ${formatCount(filesTotal)}${more} files`,
    `${formatBytes(bytesDone)} of ${formatBytes(bytesTotal)}${more}`,
    `${formatBytes(rate.bytesPerSecond)}/s`,
  ]
  if (leftMs !== undefined && leftMs < leftMaxMs) parts.push(`${formatDuration(leftMs)} left`)
  if (failed > 0) parts.push(`${formatCount(failed)} failed`)
  return parts.join(', ')
}

function fetched({ filesDone, bytesDone }: Readonly<Progress>): string {
  return filesDone === 0 ? '' : `${countOf(filesDone, 'file')} fetched (${formatBytes(bytesDone)}), `
}
