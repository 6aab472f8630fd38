import { setTimeout as delay } from 'node:timers/promises'
import type { Command } from 'commander'
import type { Status } from './control/control-protocol.ts'
import { addChoiceFlags, answersOf, type Answered, type ChoiceFlags } from './control/program-choice.ts'
import { knownCopy } from './drive/sync-command.ts'
import { jsonLine, printable } from './printable.ts'
import { statusLine, statusLines } from './status-lines.ts'
import { StopSignals } from './stop-signals.ts'
import type { Terminal } from './terminal.ts'

const watchMs = 1_000

interface StatusFlags extends ChoiceFlags {
  readonly watch?: boolean
}

/** Of which programs: all, or those that keep one folder in sync. */
type Look = () => Promise<Answered<Status>>

export function addStatusCommand(program: Command, terminal: Terminal, done: (code: number) => void): void {
  addChoiceFlags(
    program
      .command('status')
      .description('Show what the programs that run here are doing: shares, clones, feeds.')
      .argument('[DIR]', 'only what keeps this folder in sync')
      .option('--watch', 'look again each second, until Ctrl-C')
      .addHelpText('after', '\nExample:\n  plait status --watch\n\nExit code: 1 when nothing is running.'),
  ).action(async (path: string | undefined, flags: StatusFlags) => done(await showStatus(path, flags, terminal)))
}

async function showStatus(path: string | undefined, flags: StatusFlags, terminal: Terminal): Promise<number> {
  const look: Look =
    path === undefined ? () => answersOf('status', flags, terminal) : () => statusOf(path, flags, terminal)
  if (flags.watch === true) return watch(look, flags, terminal)
  const answered = await look()
  if (flags.json === true) printJson(answered, terminal)
  else {
    for (const remark of answered.remarks) terminal.note(remark)
    for (const line of screenful(answered)) terminal.print(line)
  }
  return codeOf(answered)
}

async function statusOf(path: string, flags: StatusFlags, terminal: Terminal): Promise<Answered<Status>> {
  const { folder } = knownCopy(path)
  const { answers, remarks } = await answersOf('status', flags, terminal)
  const meant = answers.filter(({ work }) => work.folder === folder)
  const none = `no program keeps ${printable(path)} in sync at the moment; \`plait sync\` does`
  return { answers: meant, remarks: meant.length > 0 ? remarks : [...remarks, none] }
}

/** A screen that is drawn anew on a terminal, lines that follow each other elsewhere. */
async function watch(look: Look, flags: StatusFlags, terminal: Terminal): Promise<number> {
  using stop = new StopSignals()
  let answered: Answered<Status> = { answers: [], remarks: [] }
  while (!stop.signal.aborted) {
    answered = await look()
    if (flags.json === true) printJson(answered, terminal)
    else if (terminal.watched) terminal.draw([...screenful(answered), ...answered.remarks])
    else {
      for (const remark of answered.remarks) terminal.note(remark)
      for (const status of answered.answers) terminal.print(`${new Date().toISOString()} ${statusLine(status)}`)
    }
    await delay(watchMs, undefined, { signal: stop.signal }).catch(() => {})
  }
  return codeOf(answered)
}

function codeOf({ answers }: Answered<Status>): number {
  return answers.length > 0 ? 0 : 1
}

function printJson({ answers }: Answered<Status>, terminal: Terminal): void {
  for (const status of answers) terminal.print(jsonLine({ event: 'status', ...status }))
}

/** One paragraph for each program. */
function screenful({ answers }: Answered<Status>): readonly string[] {
  return answers.flatMap((status, index) => (index === 0 ? statusLines(status) : ['', ...statusLines(status)]))
}
