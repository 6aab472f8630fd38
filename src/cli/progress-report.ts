import type { Progress } from '../drive/progress.ts'
import { jsonLine } from './printable.ts'
import { Rate } from './rate.ts'
import type { Terminal } from './terminal.ts'
import { formatBytes, formatCount, formatDuration } from './units.ts'

/** How often the three forms of a report are renewed. */
const liveMs = 100
const plainMs = 5_000
const jsonMs = 1_000

export interface ProgressReportOptions {
  readonly terminal: Terminal
  readonly json: boolean
  /** What is said before the first file is known. */
  readonly opening: string
}

/** Tells how far a clone is: a live line on a terminal, a line now and then elsewhere, lines of JSON if asked for. */
export class ProgressReport {
  readonly #progress: Progress
  readonly #options: ProgressReportOptions
  readonly #rate = new Rate()
  readonly #timer: ReturnType<typeof setInterval>

  constructor(progress: Progress, options: ProgressReportOptions) {
    this.#progress = progress
    this.#options = options
    const interactive = options.terminal.interactive && !options.json
    this.#timer = setInterval(() => this.#report(), interactive ? liveMs : options.json ? jsonMs : plainMs)
    this.#rate.add(performance.now(), 0, 0)
    if (interactive) options.terminal.live(options.opening)
  }

  /** Takes the live line away. Idempotent. */
  close(): void {
    clearInterval(this.#timer)
    this.#options.terminal.live('')
  }

  #report(): void {
    const { filesDone, bytesDone } = this.#progress
    const { terminal, json, opening } = this.#options
    this.#rate.add(performance.now(), filesDone, bytesDone)
    if (json)
      return terminal.print(
        jsonLine({ event: 'progress', ...this.#progress, bytesPerSecond: Math.round(this.#rate.bytesPerSecond) }),
      )
    const line = this.#progress.entries === 0 ? opening : progressLine(this.#progress, this.#rate)
    if (terminal.interactive) terminal.live(line)
    else terminal.note(line)
  }
}

/** `412 of 10,000 files, 18.2 MB of 46.1 MB, 85.0 MB/s, 3 s left`; a `+` while the listing goes on. */
export function progressLine(progress: Progress, rate: Rate): string {
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
