import type { Command } from 'commander'
import { PlaitError } from '../../base/error.ts'
import { wholeNumber } from '../flag-values.ts'
import { jsonLine, printable } from '../printable.ts'
import type { Terminal } from '../terminal.ts'
import { askPrograms, type ProgramFilter } from './control-client.ts'
import type { ControlAnswers } from './control-protocol.ts'

export interface ChoiceFlags extends ProgramFilter {
  readonly json?: boolean
}

const pidMax = 2 ** 31

/** Flags of commands that ask running programs. */
export function addChoiceFlags(command: Command): Command {
  return command
    .option('--pid <PID>', 'only the program with this process number', wholeNumber(1, pidMax))
    .option('--node <ID>', 'only the program with this node id, or one that begins so')
    .option('--json', 'print lines of JSON')
}

export interface Answered<Answer> {
  readonly answers: readonly Answer[]
  /** For people: which programs do not answer, or that there are none. */
  readonly remarks: readonly string[]
}

/**
 * What the running programs answer; with `json` those that do not are printed at once. Rejects with `UNREACHABLE` when a certain one was
 * meant and is not there, and with `FILE_FAILED` when the folder of the sockets cannot be trusted.
 */
export async function answersOf<Name extends 'status' | 'peers'>(
  command: Name,
  flags: ChoiceFlags,
  terminal: Terminal,
): Promise<Answered<ControlAnswers[Name]>> {
  const asked = await askPrograms({ command }, flags)
  const answers: ControlAnswers[Name][] = []
  const remarks: string[] = []
  for (const { answer, address } of asked) {
    if (!PlaitError.is(answer)) answers.push(answer as ControlAnswers[Name])
    else if (flags.json === true)
      terminal.print(jsonLine({ event: 'silent', pid: address.pid, code: answer.code, message: answer.message }))
    else remarks.push(printable(`process ${address.pid}: ${answer.message}`))
  }
  const meant = answers.filter(({ nodeId }) => nodeId.startsWith(flags.node ?? ''))
  if (meant.length > 0 || asked.length > answers.length) return { answers: meant, remarks }
  if (flags.pid !== undefined || flags.node !== undefined)
    throw new PlaitError('UNREACHABLE', 'no such plait program is running here; `plait status` shows those that are')
  return { answers: [], remarks: ['nothing is shared, cloned or served here at the moment'] }
}
