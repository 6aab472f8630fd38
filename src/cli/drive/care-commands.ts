import { InvalidArgumentError, type Command } from 'commander'
import type { Drive } from '../../drive/drive-api.ts'
import type { VerifyProgress } from '../../drive/verification.ts'
import { programResumeMs } from '../connection-report.ts'
import type { VerificationFacts } from '../control/drive-requests.ts'
import { wholeNumber } from '../flag-values.ts'
import { jsonLine, printable } from '../printable.ts'
import { StopSignals } from '../stop-signals.ts'
import type { Terminal } from '../terminal.ts'
import { countOf, formatBytes, formatCount } from '../units.ts'
import { askDrive } from './ask-drive.ts'
import { connected } from './visit.ts'

interface CareFlags {
  readonly json?: boolean
}

interface RepairFlags extends CareFlags {
  readonly wait: number
}

interface ResolveFlags extends CareFlags {
  readonly keep: 'this' | 'other'
}

type Done = (code: number) => void

/** So many names of one kind are printed. */
const namesMax = 1_000

export function addCareCommands(program: Command, terminal: Terminal, done: Done): void {
  program
    .command('verify')
    .description('Read every file of a folder again, and compare it with what it is known to hold. Changes nothing.')
    .argument('<DIR>', 'a folder that is shared or cloned here')
    .option('--json', 'print lines of JSON')
    .addHelpText(
      'after',
      '\nExample:\n  plait verify ./photos\n\nExit code: 1 when something is broken or missing; `plait repair` brings it back.',
    )
    .action(async (path: string, flags: CareFlags) => done(await verify(path, flags, terminal)))
  program
    .command('repair')
    .description('Verify a folder, and bring back what is broken or missing, from whoever has it.')
    .argument('<DIR>', 'a folder that is shared or cloned here')
    .option('--wait <SECONDS>', 'how long to look for somebody', wholeNumber(1, 86_400), programResumeMs / 1_000)
    .option('--json', 'print lines of JSON')
    .addHelpText(
      'after',
      '\nExample:\n  plait repair ./photos\n\nWhat was broken goes to the history, see `plait log`. What you have deleted since the last sync comes back.',
    )
    .action(async (path: string, flags: RepairFlags) => done(await repair(path, flags, terminal)))
  program
    .command('resolve')
    .description('End a conflict: keep one version, and put the other one into the history.')
    .argument('<DIR>', 'a folder that is shared or cloned here')
    .argument('<PATH>', 'one of the two, from the top of the folder, as `plait conflicts` shows it')
    .option('--keep <WHICH>', 'this: the version at PATH; other: the one beside it', oneOf('this', 'other'), 'this')
    .option('--json', 'print lines of JSON')
    .addHelpText('after', "\nExample:\n  plait resolve ./photos 'notes (conflict of 4kq7zi2a, 2026-11-27 14.03).txt'")
    .action(async (folder: string, path: string, { keep, json }: ResolveFlags) => {
      const prepare = (drive: Drive): Promise<void> => connected(drive, 1_000, new AbortController().signal)
      await askDrive(folder, { command: 'drive-resolve', path, keep }, { terminal, prepare })
      if (json === true) terminal.print(jsonLine({ event: 'resolved', path, keep }))
      else terminal.note('resolved; the version that was given up is in the history: see `plait log`')
      done(0)
    })
}

async function verify(path: string, { json = false }: CareFlags, terminal: Terminal): Promise<number> {
  using stop = new StopSignals()
  const progress = progressLine('verifying', terminal, json)
  const facts = await askDrive(path, { command: 'drive-verify' }, { terminal, json, progress, signal: stop.signal })
  terminal.live('')
  const { files, bytes, damaged, edited, absent } = facts
  if (json) for (const one of damaged) terminal.print(jsonLine({ event: 'damaged', ...one }))
  else for (const one of damaged) terminal.print(printable(`${one.path} ${one.reason}`))
  if (json) {
    const counts = { files, bytes, damaged: damaged.length, edited: edited.length, absent: absent.length }
    terminal.print(jsonLine({ event: 'verified', ...counts }))
    return damaged.length > 0 ? 1 : 0
  }
  noteOthers(facts, terminal)
  const result =
    damaged.length === 0
      ? 'all as it should be'
      : `${formatCount(damaged.length)} damaged; \`plait repair\` brings back what others have`
  terminal.note(`${countOf(files, 'file')} read (${formatBytes(bytes)}): ${result}`)
  return damaged.length > 0 ? 1 : 0
}

async function repair(path: string, { json = false, wait }: RepairFlags, terminal: Terminal): Promise<number> {
  using stop = new StopSignals()
  const { signal } = stop
  const progress = progressLine('verifying', terminal, json)
  const prepare = async (drive: Drive): Promise<void> => {
    if (!json) terminal.live('looking for the others')
    await connected(drive, wait * 1_000, signal)
  }
  const facts = await askDrive(path, { command: 'drive-repair' }, { terminal, json, progress, signal, prepare })
  terminal.live('')
  const { damaged, problems } = facts
  const left = new Set(problems.map((problem) => problem.path))
  for (const one of damaged) {
    const isRepaired = !left.has(one.path)
    const reason = problems.find((problem) => problem.path === one.path)?.reason ?? one.reason
    if (json) terminal.print(jsonLine({ event: isRepaired ? 'repaired' : 'damaged', path: one.path, reason }))
    else terminal.print(printable(isRepaired ? `repaired: ${one.path}` : `not repaired: ${one.path} ${reason}`))
  }
  const repaired = damaged.length - left.size
  if (json) {
    const { files, bytes } = facts
    terminal.print(jsonLine({ event: 'verified', files, bytes, damaged: damaged.length, repaired }))
    return left.size > 0 ? 1 : 0
  }
  noteOthers(facts, terminal)
  if (damaged.length === 0) terminal.note(`${countOf(facts.files, 'file')} read: nothing to repair`)
  else if (left.size === 0)
    terminal.note(`${formatCount(repaired)} repaired; what was broken is in the history: see \`plait log\``)
  else
    terminal.note(
      `${formatCount(repaired)} repaired, ${formatCount(left.size)} not; run it again when somebody who has them is there`,
    )
  return left.size > 0 ? 1 : 0
}

function noteOthers({ edited, absent }: VerificationFacts, terminal: Terminal): void {
  for (const path of edited.slice(0, namesMax)) terminal.note(printable(`${path} was edited here, which is no damage`))
  if (absent.length > 0)
    terminal.note(`${countOf(absent.length, 'path')} of the drive not here yet; \`plait sync\` fetches them`)
}

function progressLine(what: string, terminal: Terminal, json: boolean): (progress: VerifyProgress) => void {
  return ({ files, bytes, filesTotal, bytesTotal }) => {
    if (json || !terminal.interactive) return
    const [done, all] = [formatCount(files), formatCount(filesTotal)]
    terminal.live(`${what}: ${done} of ${all} files, ${formatBytes(bytes)} of ${formatBytes(bytesTotal)}`)
  }
}

/** One of some words behind a flag. */
function oneOf<Word extends string>(...words: readonly Word[]): (text: string) => Word {
  return (text) => {
    const word = words.find((one) => one === text)
    if (word === undefined) throw new InvalidArgumentError(`It must be one of ${words.join(', ')}.`)
    return word
  }
}
