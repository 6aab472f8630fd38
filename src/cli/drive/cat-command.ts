import type { Command } from 'commander'
import { PlaitError } from '../../base/error.ts'
import type { Drive } from '../../drive/drive-api.ts'
import { programResumeMs } from '../connection-report.ts'
import { readBytesMax } from '../control/drive-requests.ts'
import { wholeNumber } from '../flag-values.ts'
import { printable } from '../printable.ts'
import { StopSignals } from '../stop-signals.ts'
import type { Terminal } from '../terminal.ts'
import { askDrive } from './ask-drive.ts'
import { connected, isLink, visit } from './visit.ts'

interface CatFlags {
  readonly start?: number
  readonly end?: number
  readonly psk?: string
  readonly wait: number
  readonly json?: boolean
}

interface Range {
  readonly start: number
  readonly end: number
}

export function addCatCommand(program: Command, terminal: Terminal, done: (code: number) => void): void {
  const offset = wholeNumber(0, Number.MAX_SAFE_INTEGER)
  program
    .command('cat')
    .description('Write a file of a drive, or a range of it, to standard output. Nothing but that is fetched.')
    .argument('<LINK|DIR>', 'a link, in quotes; or a folder that is shared or cloned here')
    .argument('<PATH>', 'the file, from the top of the folder')
    .option('--start <N>', 'the first byte, from 0', offset)
    .option('--end <N>', 'the byte behind the last one', offset)
    .option('--psk <FILE>', 'the key of a private network, for a link')
    .option(
      '--wait <SECONDS>',
      'how long to look for somebody who has it',
      wholeNumber(1, 86_400),
      programResumeMs / 1_000,
    )
    .option('--json', 'print an error as a line of JSON')
    .addHelpText('after', "\nExample:\n  plait cat 'plait://...' holiday/film.mp4 --start 1000000 --end 2000000 | less")
    .action(async (target: string, path: string, flags: CatFlags) => done(await cat(target, path, flags)))

  async function cat(target: string, path: string, flags: CatFlags): Promise<number> {
    using stop = new StopSignals()
    const { signal } = stop
    const { start = 0, end = Infinity, wait, psk } = flags
    if (end < start) throw new PlaitError('INVALID_ARGUMENT', '--end is before --start; turn them round')
    const waitMs = wait * 1_000
    const range = { start, end }
    if (isLink(target)) {
      const options = { flags: psk === undefined ? {} : { psk }, terminal, waitMs, signal }
      await visit(target, options, (drive) => write(drive, path, range, signal))
    } else await catFolder(target, path, range, waitMs, signal)
    return 0
  }

  async function catFolder(
    folder: string,
    path: string,
    range: Range,
    waitMs: number,
    signal: AbortSignal,
  ): Promise<void> {
    let isWritten = false
    const prepare = async (drive: Drive): Promise<void> => {
      const isHere = drive.entries().some((entry) => entry.path === path && entry.isHere)
      if (!isHere) await connected(drive, waitMs, signal)
      await write(drive, path, range, signal)
      isWritten = true
    }
    // Where a program has the folder it reads, a piece at a time.
    for (let start = range.start; !isWritten;) {
      const end = Math.min(range.end, start + readBytesMax)
      const { bytes } = await askDrive(folder, { command: 'drive-read', path, start, end }, { terminal, prepare })
      if (isWritten || bytes === '') return
      const piece = Buffer.from(bytes, 'base64')
      if (!(await output(piece, signal))) return
      start += piece.length
      if (piece.length < readBytesMax) return
    }
  }
}

async function write(drive: Drive, path: string, { start, end }: Range, signal: AbortSignal): Promise<void> {
  try {
    const range = { start, ...(end !== Infinity && { end }), signal }
    for await (const bytes of drive.read(path, range)) if (!(await output(bytes, signal))) return
  } catch (error) {
    if (!PlaitError.is(error) || error.code !== 'UNREACHABLE') throw error
    throw new PlaitError(
      'UNREACHABLE',
      `nobody who is connected has ${printable(path)}; try again when somebody is who has it`,
      {
        cause: error,
      },
    )
  }
}

/** No more at once than whoever reads takes. Resolves to whether anybody reads on. */
async function output(bytes: Uint8Array, signal: AbortSignal): Promise<boolean> {
  const { stdout } = process
  if (stdout.destroyed) return false
  if (stdout.write(bytes)) return true
  await new Promise<void>((resolve, reject) => {
    const go = (): void => {
      for (const name of ['drain', 'close', 'error']) stdout.off(name, go)
      signal.removeEventListener('abort', stop)
      resolve()
    }
    const stop = (): void => {
      go()
      reject(signal.reason as Error)
    }
    for (const name of ['drain', 'close', 'error']) stdout.on(name, go)
    signal.addEventListener('abort', stop, { once: true })
  })
  return !stdout.destroyed
}
