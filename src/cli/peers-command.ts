import type { Command } from 'commander'
import { addChoiceFlags, answersOf, type ChoiceFlags } from './control/program-choice.ts'
import type { Peers } from './control/control-protocol.ts'
import { jsonLine } from './printable.ts'
import { workText } from './status-lines.ts'
import { table } from './table.ts'
import type { Terminal } from './terminal.ts'
import { formatBytes } from './units.ts'

export function addPeersCommand(program: Command, terminal: Terminal, done: (code: number) => void): void {
  addChoiceFlags(
    program
      .command('peers')
      .description('Show the nodes with which the programs that run here are connected.')
      .addHelpText('after', '\nExample:\n  plait peers\n\nExit code: 1 when nothing is running.'),
  ).action(async (flags: ChoiceFlags) => done(await showPeers(flags, terminal)))
}

async function showPeers(flags: ChoiceFlags, terminal: Terminal): Promise<number> {
  const { answers, remarks } = await answersOf('peers', flags, terminal)
  if (flags.json === true) {
    for (const { peers, pid, nodeId, work } of answers)
      for (const peer of peers)
        terminal.print(
          jsonLine({ event: 'peer', ...peer, program: { pid, nodeId, role: work.role, folder: work.folder } }),
        )
    return answers.length > 0 ? 0 : 1
  }
  for (const remark of remarks) terminal.note(remark)
  if (answers.some(({ peers }) => peers.length > 0)) for (const line of peersTable(answers)) terminal.print(line)
  else if (answers.length > 0) terminal.note('nobody is connected at the moment')
  return answers.length > 0 ? 0 : 1
}

const heading = ['NODE', 'ADDRESS', 'STATE', 'TIME', 'SENT', 'RECEIVED', 'CIRCUITS', 'PROGRAM']
const figures = [3, 4, 5, 6]

/** One line for each node that a program is connected with. */
export function peersTable(programs: readonly Peers[]): readonly string[] {
  const rows = programs.flatMap((program) =>
    program.peers.map(({ nodeId, remoteAddress, state, roundTripMs, bytesSent, bytesReceived, circuits }) => [
      nodeId,
      remoteAddress,
      state,
      roundTripMs === undefined ? '-' : `${roundTripMs.toFixed(2)} ms`,
      formatBytes(bytesSent),
      formatBytes(bytesReceived),
      String(circuits),
      `${workText(program)} (${program.pid})`,
    ]),
  )
  return table(heading, rows, figures)
}
