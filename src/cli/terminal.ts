import { printable } from './printable.ts'

const clearLine = '\r\x1b[K'
const clearScreen = '\x1b[H\x1b[2J'
const home = '\x1b[H'
const clearBelow = '\x1b[J'

/**
 * Where the program writes: results to standard output, everything for people to standard error, with one live line
 * below it.
 */
export class Terminal {
  /** Whether a person is watching standard error. */
  readonly interactive: boolean = process.stderr.isTTY ?? false
  /** Whether a person is watching standard output. */
  readonly watched: boolean = process.stdout.isTTY ?? false
  #live = ''
  #drawn = false

  constructor() {
    // A reader that goes away (`plait clone ... | head -1`) does not end the work.
    for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  }

  /** A line of results, as it is. */
  print(line: string): void {
    this.#aboveLive(() => process.stdout.write(`${line}\n`))
  }

  /** Lines for people, as they are. */
  note(text: string): void {
    this.#aboveLive(() => process.stderr.write(`${text}\n`))
  }

  /** Replaces the line at the bottom; an empty one takes it away. Nothing happens where nobody watches. */
  live(text: string): void {
    if (!this.interactive || text === this.#live) return
    this.#live = printable(text).slice(0, Math.max(1, (process.stderr.columns ?? 80) - 1))
    process.stderr.write(clearLine + this.#live)
  }

  /** Fills the screen with these lines, in the place of those that it showed before; for a terminal on standard output only. */
  draw(lines: readonly string[]): void {
    // Some terminals, serial ones among them, say that they are 0 by 0.
    const columns = process.stdout.columns || 80
    const rows = process.stdout.rows || 24
    // The last row stays free, so that nothing scrolls.
    const shown = lines.slice(0, Math.max(1, rows - 1)).map((line) => `${printable(line).slice(0, columns)}\x1b[K\n`)
    process.stdout.write((this.#drawn ? home : clearScreen) + shown.join('') + clearBelow)
    this.#drawn = true
  }

  #aboveLive(write: () => void): void {
    if (this.#live !== '') process.stderr.write(clearLine)
    write()
    if (this.#live !== '') process.stderr.write(this.#live)
  }
}
