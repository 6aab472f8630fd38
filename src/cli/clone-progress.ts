import type { Progress } from '../drive/progress.ts'
import type { ProgressSource } from './progress-report.ts'
import type { Rate } from './rate.ts'
import { formatBytes, formatCount, formatDuration } from './units.ts'

/** The progress of a clone of a folder. */
export function cloneProgress(progress: Readonly<Progress>, opening: string): ProgressSource {
  return {
    opening,
    done: () => ({ items: progress.filesDone, bytes: progress.bytesDone }),
    line: (rate) => (progress.entries === 0 ? undefined : progressLine(progress, rate)),
    facts: () => ({ ...progress }),
  }
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
  if (leftMs !== undefined) parts.push(`${formatDuration(leftMs)} left`)
  if (failed > 0) parts.push(`${formatCount(failed)} failed`)
  return parts.join(', ')
}
