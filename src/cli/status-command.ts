import { setTimeout as delay } from 'node:timers/promises'
import type { Command } from 'commander'
import { addChoiceFlags, answersOf, type Answered, type ChoiceFlags } from './control/program-choice.ts'
import type { Status } from './control/control-protocol.ts'
import { jsonLine } from './printable.ts'
import { statusLine, statusLines } from './status-lines.ts'
import { StopSignals } from './stop-signals.ts'
import type { Terminal } from './terminal.ts'

const watchMs = 1_000

interface StatusFlags extends ChoiceFlags {
  readonly watch?: boolean
}

export function addStatusCommand(program: Command, terminal: Terminal, done: (code: number) => void): void {
  addChoiceFlags(
    program
      .command('status')
      .description('Show what the programs that run here are doing: shares, clones, feeds.')
      .option('--watch', 'look again each second, until Ctrl-C')
      .addHelpText('after', '\nExample:\n  plait status --watch\n\nExit code: 1 when nothing is running.'),
  ).action(async (flags: StatusFlags) => done(await showStatus(flags, terminal)))
}

async function showStatus(flags: StatusFlags, terminal: Terminal): Promise<number> {
  if (flags.watch === true) return watch(flags, terminal)
  const answered = await answersOf('status', flags, terminal)
  if (flags.json === true) printJson(answered, terminal)
  else {
    for (const remark of answered.remarks) terminal.note(remark)
    for (const line of screenful(answered)) terminal.print(line)
  }
  return codeOf(answered)
}

/** A screen that is drawn anew on a terminal, lines that follow each other elsewhere. */
async function watch(flags: StatusFlags, terminal: Terminal): Promise<number> {
  using stop = new StopSignals()
  let answered: Answered<Status> = { answers: [], remarks: [] }
  while (!stop.signal.aborted) {
    answered = await answersOf('status', flags, terminal)
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
