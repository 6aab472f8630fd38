import type { Command } from 'commander'
import type { Drive } from '../../drive/drive-api.ts'
import { programResumeMs } from '../connection-report.ts'
import type { EntryFacts } from '../control/drive-requests.ts'
import { wholeNumber } from '../flag-values.ts'
import { jsonLine, printable } from '../printable.ts'
import { StopSignals } from '../stop-signals.ts'
import type { Terminal } from '../terminal.ts'
import { formatBytes } from '../units.ts'
import { askDrive } from './ask-drive.ts'
import { entriesOf } from './drive-control.ts'
import { timeText } from './time-text.ts'
import { isLink, visit } from './visit.ts'

interface ListFlags {
  readonly json?: boolean
  readonly psk?: string
  readonly wait: number
}

export function addListCommands(program: Command, terminal: Terminal, done: (code: number) => void): void {
  program
    .command('ls')
    .description('List what is in a drive, also what is not here yet.')
    .argument('<LINK|DIR>', 'a link, in quotes; or a folder that is shared or cloned here')
    .option('--psk <FILE>', 'the key of a private network, for a link')
    .option(
      '--wait <SECONDS>',
      'how long to look for the sharing side',
      wholeNumber(1, 86_400),
      programResumeMs / 1_000,
    )
    .option('--json', 'print lines of JSON')
    .addHelpText(
      'after',
      "\nExample:\n  plait ls 'plait://...'\n\nNothing is fetched but the list. By a link this machine joins as one that reads, once.",
    )
    .action(async (target: string, flags: ListFlags) => {
      const isVisit = isLink(target)
      const entries = isVisit
        ? await visited(target, flags, terminal)
        : (await askDrive(target, { command: 'drive-entries' }, { terminal })).entries
      printEntries(entries, { json: flags.json === true, isVisit }, terminal)
      done(0)
    })
  program
    .command('conflicts')
    .description('List versions that stand beside others, because both were written at the same time.')
    .argument('<DIR>', 'a folder that is shared or cloned here')
    .option('--json', 'print lines of JSON')
    .addHelpText(
      'after',
      '\nExample:\n  plait conflicts ./photos\n\n`plait resolve` keeps one of the two; so does editing, renaming or deleting one of them.',
    )
    .action(async (path: string, { json = false }: { readonly json?: boolean }) => {
      const { entries } = await askDrive(path, { command: 'drive-entries' }, { terminal })
      const conflicts = entries.filter(({ isConflict }) => isConflict)
      if (conflicts.length === 0 && !json) terminal.note('no conflicts')
      printEntries(conflicts, { json, isVisit: false }, terminal)
      done(0)
    })
}

async function visited(
  link: string,
  { wait, psk, json }: ListFlags,
  terminal: Terminal,
): Promise<readonly EntryFacts[]> {
  using stop = new StopSignals()
  const flags = { ...(psk !== undefined && { psk }), ...(json !== undefined && { json }) }
  const options = { flags, terminal, waitMs: wait * 1_000, signal: stop.signal }
  return await visit(link, options, async (drive: Drive) => entriesOf(drive))
}

function printEntries(
  entries: readonly EntryFacts[],
  { json, isVisit }: { readonly json: boolean; readonly isVisit: boolean },
  terminal: Terminal,
): void {
  for (const entry of entries)
    terminal.print(json ? jsonLine({ ...entry }) : entryLine(isVisit ? { ...entry, isHere: true } : entry))
}

function entryLine({ path, kind, mode, size, mtimeNs, isHere }: EntryFacts): string {
  const bits = mode.toString(8).padStart(3, '0')
  const shown = kind === 'directory' ? `${path}/` : path
  const time = timeText(Number(BigInt(mtimeNs) / 1_000_000n))
  return `${bits}  ${formatBytes(size).padStart(7)}  ${time}  ${printable(shown)}${isHere ? '' : '  (not here yet)'}`
}
