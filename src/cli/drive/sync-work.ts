import { PlaitError } from '../../base/error.ts'
import type { Drive, DriveProblem, DriveReport } from '../../drive/drive-api.ts'
import { jsonLine, printable } from '../printable.ts'
import type { StopSignals } from '../stop-signals.ts'
import type { Terminal } from '../terminal.ts'
import { countOf, formatBytes } from '../units.ts'
import { reportDrive, showProgress, summarize } from './drive-report.ts'

export interface SyncWork {
  readonly drive: Drive
  readonly terminal: Terminal
  readonly json: boolean
  /** What is said before anything has come. */
  readonly opening: string
  /** How long to look for others. */
  readonly waitMs: number
  readonly signal: AbortSignal
  readonly startedMs: number
}

const lookMs = 50
const againMs = 200
/** So long the others have for what was written here. */
const handOnMs = 5_000

/** Brings everything over, and ends. The exit code. */
export async function fetchOnce(work: SyncWork): Promise<number> {
  const { drive, terminal, json, opening, signal, startedMs } = work
  reportDrive(drive, terminal, { json, verb: 'copied', quiet: ['UNREACHABLE', 'NO_SPACE'] })
  const report = showProgress(drive, opening, terminal, json)
  let result: DriveReport
  try {
    const watch = new AbortController()
    const giveUp = AbortSignal.any([signal, watch.signal])
    const done = whileConnected(work, watch)
    try {
      await drive.caughtUp({ signal: giveUp })
      result = await drive.sync({ signal: giveUp, isLooking: false })
      result = await whileSomethingComes(work, result, giveUp)
      await untilHandedOn(work, giveUp)
    } finally {
      watch.abort()
      await done
    }
  } finally {
    report.close()
  }
  for (const problem of result.problems) if (problem.error?.code === 'UNREACHABLE') noteMissing(problem, work)
  const full = result.problems.find(({ error }) => error?.code === 'NO_SPACE')
  if (full?.error !== undefined) throw full.error
  summarize(drive, performance.now() - startedMs, terminal, json)
  return result.problems.length === 0 && result.hold === undefined ? 0 : 1
}

/** What was written here is nowhere else until somebody has fetched it; who has not by then gets it the next time. */
async function untilHandedOn({ drive, terminal, json }: SyncWork, signal: AbortSignal): Promise<void> {
  if (drive.status().progress.published === 0) return
  const enough = AbortSignal.any([signal, AbortSignal.timeout(handOnMs)])
  try {
    await drive.copied({ signal: enough })
  } catch {
    signal.throwIfAborted()
    if (json) terminal.print(jsonLine({ event: 'kept-back' }))
    else terminal.note('nobody has all of what was written here yet; it is handed on the next time')
  }
}

/** What nobody has now may come when somebody else does; but not for ever. */
async function whileSomethingComes(
  { drive, waitMs }: SyncWork,
  first: DriveReport,
  signal: AbortSignal,
): Promise<DriveReport> {
  const bytesHere = (): number => {
    const { counts, progress } = drive.status()
    return counts.remoteBytes + counts.localBytes + progress.filesDone
  }
  let report = first
  let [bytes, cameAt] = [bytesHere(), performance.now()]
  while (isWaiting(report) && performance.now() - cameAt < waitMs) {
    await new Promise((resolve) => setTimeout(resolve, againMs))
    report = await drive.sync({ signal })
    if (bytesHere() !== bytes) [bytes, cameAt] = [bytesHere(), performance.now()]
  }
  return report
}

function noteMissing({ path, reason }: DriveProblem, { terminal, json }: SyncWork): void {
  if (json) terminal.print(jsonLine({ event: 'problem', path, reason, code: 'UNREACHABLE' }))
  else terminal.note(`not copied: ${printable(`${path} ${reason}`)}`)
}

function isWaiting({ problems }: DriveReport): boolean {
  return problems.some(({ error }) => error?.code === 'UNREACHABLE')
}

/** Ends the work when nobody is connected for too long. */
async function whileConnected({ drive, waitMs }: SyncWork, ending: AbortController): Promise<void> {
  let seenAt = performance.now()
  let wasConnected = false
  while (!ending.signal.aborted) {
    const isConnected = drive.status().connected > 0
    if (isConnected) seenAt = performance.now()
    wasConnected ||= isConnected
    if (performance.now() - seenAt > waitMs) ending.abort(wasConnected ? gone() : nobody())
    await new Promise((resolve) => setTimeout(resolve, lookMs))
  }
}

/** Keeps the folder in sync until it is told to stop. */
export async function keepInSync(work: SyncWork, stop: StopSignals): Promise<number> {
  const { drive, terminal, json, opening, signal } = work
  reportDrive(drive, terminal, { json, verb: 'copied' })
  const report = showProgress(drive, opening, terminal, json)
  let told = { filesDone: 0, bytesDone: 0 }
  drive.addEventListener('settled', ({ detail }) => {
    const { progress, counts, connected } = drive.status()
    const files = progress.filesDone - told.filesDone
    const bytes = progress.bytesDone - told.bytesDone
    told = { filesDone: progress.filesDone, bytesDone: progress.bytesDone }
    if (json) {
      const facts = { files, bytes, entries: progress.entries, problems: detail.problems.length, connected }
      return terminal.print(jsonLine({ event: 'settled', ...facts, remoteBytes: counts.remoteBytes }))
    }
    if (files > 0) terminal.note(`${countOf(files, 'file')} fetched (${formatBytes(bytes)})`)
  })
  // Much may have been done before anybody listened.
  const first = firstReport(drive, signal).then((report) => {
    if (json || report === undefined) return
    const isDone = report.problems.length === 0 && report.hold === undefined
    terminal.note(isDone ? 'up to date, and kept so; Ctrl-C ends it' : 'goes on; Ctrl-C ends it')
  })
  await stop.stopped()
  await first
  report.close()
  const { progress, problems } = drive.status()
  const isWhole = progress.filesDone >= progress.filesTotal && problems.length === 0
  if (!json && !isWhole) terminal.note('stopped before all was here; run the same command again to go on')
  return 0
}

/** Of the first time that all is here which the others have; undefined when that does not come. */
async function firstReport(drive: Drive, signal: AbortSignal): Promise<DriveReport | undefined> {
  try {
    await drive.caughtUp({ signal })
    return await drive.sync({ signal })
  } catch {
    return undefined
  }
}

function gone(): PlaitError {
  return new PlaitError(
    'LINK_LOST',
    'the sharing side stopped before all was here; run the same command again to go on',
  )
}

function nobody(): PlaitError {
  return new PlaitError('UNREACHABLE', 'none of the other members can be reached; see that one of them is running')
}
