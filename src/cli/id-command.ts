import { realpathSync } from 'node:fs'
import type { Command } from 'commander'
import { PlaitError } from '../base/error.ts'
import { fileError } from '../drive/disk/file-error.ts'
import { jsonLine, printable } from './printable.ts'
import { listCopies, type Copy } from './drive/copy-state.ts'
import type { Terminal } from './terminal.ts'

interface IdFlags {
  readonly json?: boolean
}

export function addIdCommand(program: Command, terminal: Terminal, done: (code: number) => void): void {
  program
    .command('id')
    .description(
      'Print the node id under which this machine shares or clones a folder; for each folder if none is named.',
    )
    .argument('[DIR]', 'a folder that is shared or cloned here')
    .option('--json', 'print lines of JSON')
    .addHelpText('after', '\nExample:\n  plait id ./photos')
    .action((folder: string | undefined, flags: IdFlags) => done(printIds(folder, flags, terminal)))
}

function printIds(path: string | undefined, flags: IdFlags, terminal: Terminal): number {
  const copies = listCopies().filter((copy) => copy.nodeId !== undefined && copy.origin !== 'visit')
  const chosen = path === undefined ? copies : copies.filter(({ folder }) => folder === realFolder(path))
  if (path !== undefined && chosen.length === 0) {
    throw new PlaitError(
      'INVALID_ARGUMENT',
      `${path} is neither shared nor cloned here; \`plait share\` or \`plait clone\` gives it a node id`,
    )
  }
  if (chosen.length === 0 && flags.json !== true)
    terminal.note(
      'nothing is shared or cloned here yet; each folder gets a node id of its own with `plait share` or `plait clone`',
    )
  for (const copy of chosen) terminal.print(flags.json === true ? asJson(copy) : asLine(copy, path))
  return 0
}

/** The bare id when one folder was asked for. */
function asLine({ nodeId = '', origin, folder }: Copy, path: string | undefined): string {
  return path === undefined ? `${nodeId}  ${origin}  ${printable(folder)}` : nodeId
}

function asJson({ nodeId, driveId, origin, folder }: Copy): string {
  return jsonLine({ nodeId, driveId, role: origin, folder })
}

function realFolder(path: string): string {
  try {
    return realpathSync(path)
  } catch (error) {
    throw fileError(error, path)
  }
}
