import type { Command } from 'commander'
import { jsonLine, printable } from '../printable.ts'
import { table } from '../table.ts'
import type { Terminal } from '../terminal.ts'
import { formatBytes } from '../units.ts'
import { askDrive } from './ask-drive.ts'
import { timeText } from './time-text.ts'

export function addHistoryCommands(program: Command, terminal: Terminal, done: (code: number) => void): void {
  program
    .command('log')
    .description('List what plait has replaced or deleted in a folder; it is kept for 30 days.')
    .argument('<DIR>', 'a folder that is shared or cloned here')
    .option('--json', 'print lines of JSON')
    .addHelpText('after', '\nExample:\n  plait log ./photos')
    .action(async (path: string, flags: { readonly json?: boolean }) => {
      const { history } = await askDrive(path, { command: 'drive-history' }, { terminal })
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
    .action(async (folder: string, id: string, path: string, flags: { readonly json?: boolean }) => {
      await askDrive(folder, { command: 'drive-restore', id, path }, { terminal, prepare: (drive) => drive.sync() })
      if (flags.json === true) terminal.print(jsonLine({ event: 'restored', id, path }))
      else terminal.note(`${printable(path)} is back`)
      done(0)
    })
}
