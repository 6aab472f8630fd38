import type { Command } from 'commander'
import type { EntryFacts } from '../control/drive-requests.ts'
import { parseDuration } from '../group/duration.ts'
import { wholeNumber } from '../flag-values.ts'
import { jsonLine, printable } from '../printable.ts'
import { table } from '../table.ts'
import type { Terminal } from '../terminal.ts'
import { formatBytes } from '../units.ts'
import { askDrive } from './ask-drive.ts'

interface LookFlags {
  readonly json?: boolean
}

interface InviteFlags extends LookFlags {
  readonly write?: boolean
  readonly uses?: number
  readonly for?: number
}

type Done = (code: number) => void

export function addLookCommands(program: Command, terminal: Terminal, done: Done): void {
  addListCommands(program, terminal, done)
  addHistoryCommands(program, terminal, done)
  addLinkCommands(program, terminal, done)
}

function addListCommands(program: Command, terminal: Terminal, done: Done): void {
  const list = async (path: string, flags: LookFlags, isShown: (entry: EntryFacts) => boolean): Promise<number> => {
    const { entries } = await askDrive(path, { command: 'drive-entries' }, terminal)
    const shown = entries.filter(isShown)
    if (flags.json === true) for (const entry of shown) terminal.print(jsonLine({ ...entry }))
    else for (const line of entryLines(shown)) terminal.print(line)
    return 0
  }
  program
    .command('ls')
    .description('List what is in the drive of a folder, also what is not here yet.')
    .argument('<DIR>', 'a folder that is shared or cloned here')
    .option('--json', 'print lines of JSON')
    .addHelpText('after', '\nExample:\n  plait ls ./photos')
    .action(async (path: string, flags: LookFlags) => done(await list(path, flags, () => true)))
  program
    .command('conflicts')
    .description('List versions that stand beside others, because both were written at the same time.')
    .argument('<DIR>', 'a folder that is shared or cloned here')
    .option('--json', 'print lines of JSON')
    .addHelpText(
      'after',
      '\nExample:\n  plait conflicts ./photos\n\nEdit, rename or delete one of the two files to end a conflict.',
    )
    .action(async (path: string, flags: LookFlags) => done(await list(path, flags, ({ isConflict }) => isConflict)))
}

function addHistoryCommands(program: Command, terminal: Terminal, done: Done): void {
  program
    .command('log')
    .description('List what plait has replaced or deleted in a folder; it is kept for 30 days.')
    .argument('<DIR>', 'a folder that is shared or cloned here')
    .option('--json', 'print lines of JSON')
    .addHelpText('after', '\nExample:\n  plait log ./photos')
    .action(async (path: string, flags: LookFlags) => {
      const { history } = await askDrive(path, { command: 'drive-history' }, terminal)
      if (flags.json === true) for (const entry of history) terminal.print(jsonLine({ ...entry }))
      else if (history.length === 0) terminal.note('nothing was replaced or deleted here')
      else {
        const rows = history.map(({ id, path, size, whenMs, why }) => [
          id,
          timeText(whenMs),
          why,
          formatBytes(size),
          path,
        ])
        for (const line of table(['id', 'when', 'why', 'size', 'path'], rows, [3])) terminal.print(line)
      }
      done(0)
    })
  program
    .command('restore')
    .description('Bring a file back that plait has replaced or deleted.')
    .argument('<DIR>', 'a folder that is shared or cloned here')
    .argument('<ID>', 'what `plait log` calls it')
    .argument('<PATH>', 'where to put it, from the top of the folder; nothing is there yet')
    .option('--json', 'print lines of JSON')
    .addHelpText('after', '\nExample:\n  plait restore ./photos 20784/3 holiday/beach.jpg')
    .action(async (folder: string, id: string, path: string, flags: LookFlags) => {
      await askDrive(folder, { command: 'drive-restore', id, path }, terminal)
      if (flags.json === true) terminal.print(jsonLine({ event: 'restored', id, path }))
      else terminal.note(`${printable(path)} is back`)
      done(0)
    })
}

function addLinkCommands(program: Command, terminal: Terminal, done: Done): void {
  program
    .command('invite')
    .description('Print a link by which others get a folder. It works while `plait share` or `plait sync` runs.')
    .argument('<DIR>', 'a folder that is shared here')
    .option('--write', 'who joins by it may change the folder, too')
    .option('--uses <N>', 'how many may join by it; any number if left out', wholeNumber(1, 1_000_000))
    .option('--for <DURATION>', 'how long it is good for: 90s, 30m, 12h, 7d; for ever if left out', parseDuration)
    .option('--json', 'print lines of JSON')
    .addHelpText('after', '\nExample:\n  plait invite ./photos --uses 1 --for 1h')
    .action(async (path: string, { write, uses, for: validMs, json }: InviteFlags) => {
      const wish = {
        role: write === true ? 'write' : 'read',
        ...(uses && { uses }),
        ...(validMs && { validMs }),
      } as const
      const { link } = await askDrive(path, { command: 'drive-invite', ...wish }, terminal)
      terminal.print(json === true ? jsonLine({ event: 'invited', link, ...wish }) : link)
      done(0)
    })
  program
    .command('revoke')
    .description('Nobody joins by a link any more; whoever has joined stays.')
    .argument('<DIR>', 'the folder')
    .argument('<LINK>', 'the link, in quotes')
    .option('--json', 'print lines of JSON')
    .addHelpText('after', "\nExample:\n  plait revoke ./photos 'plait://...'")
    .action(async (path: string, link: string, flags: LookFlags) => {
      await askDrive(path, { command: 'drive-revoke', link: link.trim() }, terminal)
      if (flags.json === true) terminal.print(jsonLine({ event: 'revoked' }))
      else terminal.note('nobody joins by this link any more')
      done(0)
    })
}

function entryLines(entries: readonly EntryFacts[]): readonly string[] {
  return entries.map(({ path, kind, mode, size, mtimeNs, isHere }) => {
    const bits = mode.toString(8).padStart(3, '0')
    const shown = kind === 'directory' ? `${path}/` : path
    const time = timeText(Number(BigInt(mtimeNs) / 1_000_000n))
    return `${bits}  ${formatBytes(size).padStart(7)}  ${time}  ${printable(shown)}${isHere ? '' : '  (not here yet)'}`
  })
}

function timeText(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 16).replace('T', ' ')
}
