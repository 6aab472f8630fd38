import type { Command } from 'commander'
import type { Terminal } from '../terminal.ts'
import { addCreateGroupCommand } from './create-group-command.ts'
import { addInviteCommand } from './invite-command.ts'
import { addJoinCommand } from './join-command.ts'
import { addMeasureCommands } from './measure-commands.ts'
import { addMembersCommand } from './members-command.ts'
import { addServeGroupsCommand } from './serve-groups-command.ts'
import { addGroupStatusCommand } from './group-status-command.ts'

const commands = [
  addCreateGroupCommand,
  addInviteCommand,
  addJoinCommand,
  addServeGroupsCommand,
  addMembersCommand,
  addMeasureCommands,
  addGroupStatusCommand,
]

export function addGroupCommand(program: Command, terminal: Terminal, done: (code: number) => void): void {
  const group = program
    .command('group')
    .description(
      'Groups: members on several machines that share state without a server; `plait kv` reads and writes it.',
    )
    .helpCommand(false)
    .addHelpText(
      'after',
      "\nExample:\n  plait group create --serve              prints a link\n  plait group join 'plait://...' --serve  on the other machines\n  plait kv set colour blue                in another shell, on any of them",
    )
  for (const add of commands) add(group, terminal, done)
}
