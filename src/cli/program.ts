import { Command, CommanderError } from 'commander'
import { addCloneCommand } from './drive/clone-command.ts'
import { addFeedCommand } from './feed/feed-command.ts'
import { addGroupCommand } from './group/group-command.ts'
import { addIdCommand } from './id-command.ts'
import { addKvCommand } from './kv/kv-command.ts'
import { addPeersCommand } from './peers-command.ts'
import { addPingCommand } from './ping-command.ts'
import { addPskCommand } from './psk-command.ts'
import { reportError } from './report-error.ts'
import { addShareCommand } from './drive/share-command.ts'
import { addCareCommands } from './drive/care-commands.ts'
import { addCatCommand } from './drive/cat-command.ts'
import { addHistoryCommands } from './drive/history-commands.ts'
import { addLinkCommands } from './drive/link-commands.ts'
import { addListCommands } from './drive/list-commands.ts'
import { addSyncCommand } from './drive/sync-command.ts'
import { addMembersCommand } from './topic/members-command.ts'
import { addPubCommand } from './topic/pub-command.ts'
import { addSubCommand } from './topic/sub-command.ts'
import { addStatusCommand } from './status-command.ts'
import { Terminal } from './terminal.ts'
import { version } from './version.ts'

const commands = [
  addShareCommand,
  addCloneCommand,
  addSyncCommand,
  addListCommands,
  addCatCommand,
  addHistoryCommands,
  addCareCommands,
  addLinkCommands,
  addFeedCommand,
  addGroupCommand,
  addKvCommand,
  addPubCommand,
  addSubCommand,
  addMembersCommand,
  addStatusCommand,
  addPeersCommand,
  addPingCommand,
  addIdCommand,
  addPskCommand,
]

/** How long a program that is done may take to end by itself. */
const endTimeoutMs = 500

/** Runs the program with this process's arguments, and sets its exit code. Never rejects. */
export async function main(): Promise<void> {
  const terminal = new Terminal()
  process.exitCode = await run(process.argv.slice(2), terminal)
  // Whatever still keeps the process alive has no work left.
  setTimeout(() => process.exit(), endTimeoutMs).unref()
}

/**
 * Resolves to the exit code: 0 when all went well, 1 when something failed, 2 for a command line that cannot be
 * understood.
 */
export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  let code = 0
  const program = createProgram(terminal, (commandCode) => {
    code = commandCode
  })
  try {
    await program.parseAsync(args, { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    reportError(error, { terminal, json: args.includes('--json') })
    return 1
  }
}

function createProgram(terminal: Terminal, done: (code: number) => void): Command {
  const program = new Command('plait')
    .description('Share a folder with another machine: two commands, no server, everything encrypted.')
    .version(version(), '--version', 'print the version')
    .helpOption('--help', 'show this help')
    .helpCommand(false)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.print(text.trimEnd()),
      writeErr: (text) => terminal.note(text.trimEnd()),
    })
    .showHelpAfterError('(run `plait --help` to see what there is)')
    .addHelpText(
      'after',
      '\nExample:\n  plait share ./photos            prints a link\n  plait clone LINK ./photos       on the other machine',
    )
  for (const add of commands) add(program, terminal, done)
  return program
}
