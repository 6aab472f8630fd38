import type { Command } from 'commander'
import type { Terminal } from '../terminal.ts'
import { addAppendCommand } from './append-command.ts'
import { addCloneFeedCommand } from './clone-feed-command.ts'
import { addCreateCommand } from './create-command.ts'
import { addInfoCommand } from './info-command.ts'
import { addCatCommand, addFollowCommand } from './read-command.ts'
import { addServeCommand } from './serve-command.ts'

const commands = [
  addCreateCommand,
  addAppendCommand,
  addCatCommand,
  addFollowCommand,
  addInfoCommand,
  addServeCommand,
  addCloneFeedCommand,
]

export function addFeedCommand(program: Command, terminal: Terminal, done: (code: number) => void): void {
  const feed = program
    .command('feed')
    .description('Feeds: logs that one appends to, and that anybody who has a link can read, follow and pass on.')
    .helpCommand(false)
    .addHelpText(
      'after',
      "\nExample:\n  tail -f access.log | plait feed append     prints a link\n  plait feed follow 'plait://...'            on the other machine",
    )
  for (const add of commands) add(feed, terminal, done)
}
