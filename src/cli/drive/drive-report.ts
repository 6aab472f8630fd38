import type { ErrorCode } from '../../base/error.ts'
import type { Drive, DriveProblem } from '../../drive/drive-api.ts'
import type { Hold } from '../../drive/plan/guard.ts'
import { jsonLine, printable } from '../printable.ts'
import { ProgressReport } from '../progress-report.ts'
import type { Terminal } from '../terminal.ts'
import { countOf, formatBytes, formatCount, formatDuration } from '../units.ts'
import { driveLine } from './drive-line.ts'

export interface ReportOptions {
  readonly json: boolean
  /** What does not work with a file. */
  readonly verb: 'copied' | 'shared'
  /** Problems that are not told. */
  readonly quiet?: readonly ErrorCode[]
}

/** It comes when somebody comes who has it. */
const waited: readonly ErrorCode[] = ['UNREACHABLE']

/** Says what becomes of a drive: problems, conflicts, and what somebody has to decide. */
export function reportDrive(drive: Drive, terminal: Terminal, { json, verb, quiet = waited }: ReportOptions): void {
  drive.addEventListener('problem', ({ detail }) => {
    if (detail.error !== undefined && quiet.includes(detail.error.code)) return
    if (json)
      terminal.print(jsonLine({ event: 'problem', path: detail.path, reason: detail.reason, ...codeOf(detail) }))
    else terminal.note(`not ${verb}: ${printable(`${detail.path || '.'} ${detail.reason}`)}`)
  })
  drive.addEventListener('conflict', ({ detail }) => {
    if (json) terminal.print(jsonLine({ event: 'conflict', path: detail.path }))
    else
      terminal.note(
        `two versions were written at the same time; one of them is now ${printable(detail.path)}: see \`plait conflicts\``,
      )
  })
  drive.addEventListener('hold', ({ detail }) => {
    if (json) terminal.print(jsonLine({ event: 'hold', ...detail }))
    else terminal.note(`waiting: ${holdText(detail)}`)
  })
  drive.addEventListener('failed', ({ detail }) => {
    if (json) terminal.print(jsonLine({ event: 'failed', code: detail.error.code, message: detail.error.message }))
    else terminal.note(`plait: ${printable(detail.error.message)}`)
  })
}

export function holdText(hold: Hold): string {
  switch (hold.reason) {
    case 'marker-gone':
      return 'the marker in .plait/ is gone: perhaps another disk is mounted there, or none; nothing is done until it is back'
    case 'empty':
      return `all ${countOf(hold.files, 'file')} are gone: if that is meant, run plait sync with --allow-deletions`
    case 'many-deletions':
      return `${formatCount(hold.deleted)} of ${countOf(hold.files, 'file')} would be deleted: if that is meant, run plait sync with --allow-deletions`
  }
}

/** A line that is renewed while the drive works. */
export function showProgress(drive: Drive, opening: string, terminal: Terminal, json: boolean): ProgressReport {
  return new ProgressReport(
    {
      opening,
      done: () => {
        const { filesDone, bytesDone } = drive.status().progress
        return { items: filesDone, bytes: bytesDone }
      },
      line: (rate) => driveLine(drive.status(), rate),
      facts: () => {
        const { progress, phase, connected } = drive.status()
        return { ...progress, phase, connected }
      },
    },
    { terminal, json },
  )
}

/** What came of it, in a line. */
export function summarize(drive: Drive, elapsedMs: number, terminal: Terminal, json: boolean): void {
  const { progress, counts } = drive.status()
  const { filesDone, bytesDone, unchanged, failed } = progress
  if (json) {
    const bytesPerSecond = Math.round((bytesDone * 1_000) / elapsedMs)
    const facts = { folder: drive.folder, ...progress, ...counts, elapsedMs: Math.round(elapsedMs), bytesPerSecond }
    return terminal.print(jsonLine({ event: 'summary', ...facts }))
  }
  const speed = `${formatDuration(elapsedMs)}, ${formatBytes((bytesDone * 1_000) / elapsedMs)}/s`
  const parts = [
    filesDone === 0
      ? 'nothing fetched'
      : `${countOf(filesDone, 'file')} fetched (${formatBytes(bytesDone)} in ${speed})`,
  ]
  if (unchanged > 0) parts.push(`${formatCount(unchanged)} already right`)
  if (failed > 0) parts.push(`${formatCount(failed)} not copied, see above`)
  terminal.print(`${printable(drive.folder)}: ${parts.join(', ')}`)
}

function codeOf({ error }: DriveProblem): { readonly code?: string } {
  return error === undefined ? {} : { code: error.code }
}
