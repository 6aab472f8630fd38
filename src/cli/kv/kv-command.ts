import type { Command } from 'commander'
import type { Terminal } from '../terminal.ts'
import { addChangeCommands } from './change-commands.ts'
import { addReadCommands } from './read-commands.ts'
import { addWatchCommand } from './watch-command.ts'

const commands = [addChangeCommands, addReadCommands, addWatchCommand]

export function addKvCommand(program: Command, terminal: Terminal, done: (code: number) => void): void {
  const kv = program
    .command('kv')
    .description('The map of a group: keys and values that all of its members share. `plait group` makes groups.')
    .helpCommand(false)
    .addHelpText(
      'after',
      '\nExample:\n  plait kv set colour blue\n  plait kv get colour      on any machine of the group\n  plait kv watch           prints what changes, as it does',
    )
  for (const add of commands) add(kv, terminal, done)
}
