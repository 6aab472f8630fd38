import { jsonLine, printable } from './printable.ts'
import { Rate } from './rate.ts'
import type { Terminal } from './terminal.ts'

/** How often the three forms of a report are renewed. */
const liveMs = 100
const plainMs = 5_000
const jsonMs = 1_000

/** Work that takes a while. */
export interface ProgressSource {
  /** What is said before it has begun. */
  readonly opening: string
  /** What has been done so far: files or blocks, and their bytes. */
  done(): { readonly items: number; readonly bytes: number }
  /** For people; undefined before it has begun. */
  line(rate: Rate): string | undefined
  /** For programs. */
  facts(): Readonly<Record<string, unknown>>
}

export interface ProgressReportOptions {
  readonly terminal: Terminal
  readonly json: boolean
}

/** Tells how far work is: a live line on a terminal, a line now and then elsewhere, lines of JSON if asked for. */
export class ProgressReport {
  readonly #source: ProgressSource
  readonly #options: ProgressReportOptions
  readonly #rate = new Rate()
  readonly #timer: ReturnType<typeof setInterval>
  /** What was said last: where nobody watches nothing is said twice in a row. */
  #said = ''

  constructor(source: ProgressSource, options: ProgressReportOptions) {
    this.#source = source
    this.#options = options
    const interactive = options.terminal.interactive && !options.json
    this.#timer = setInterval(() => this.#report(), interactive ? liveMs : options.json ? jsonMs : plainMs)
    this.#rate.add(performance.now(), 0, 0)
    if (interactive) options.terminal.live(source.opening)
  }

  /** Takes the live line away. Idempotent. */
  close(): void {
    clearInterval(this.#timer)
    this.#options.terminal.live('')
  }

  #report(): void {
    const { terminal, json } = this.#options
    const { items, bytes } = this.#source.done()
    this.#rate.add(performance.now(), items, bytes)
    if (json) {
      const bytesPerSecond = Math.round(this.#rate.bytesPerSecond)
      if (this.#isSaid(JSON.stringify(this.#source.facts()))) return
      return terminal.print(jsonLine({ event: 'progress', ...this.#source.facts(), bytesPerSecond }))
    }
    const line = this.#source.line(this.#rate) ?? this.#source.opening
    if (terminal.interactive) terminal.live(line)
    else if (!this.#isSaid(line)) terminal.note(printable(line))
  }

  #isSaid(text: string): boolean {
    const isSame = text === this.#said
    this.#said = text
    return isSame
  }
}
