import type { Command } from 'commander'
import { addNetworkFlags, type NetworkFlags } from '../feed/feed-flags.ts'
import { jsonLine } from '../printable.ts'
import type { Terminal } from '../terminal.ts'
import { groupFacts } from './group-facts.ts'
import { resolveGroup } from './group-target.ts'
import { groupLines } from './group-text.ts'

export function addGroupStatusCommand(group: Command, terminal: Terminal, done: (code: number) => void): void {
  addNetworkFlags(
    group
      .command('status')
      .description('Show the groups of the store, or one: members, keys, what waits, and who is behind.')
      .argument('[GROUP]', 'its name, or its id or the beginning of that'),
    'groups',
  )
    .addHelpText('after', '\nExample:\n  plait group status')
    .action(async (name: string | undefined, flags: NetworkFlags) => done(await status(name, flags, terminal)))
}

async function status(name: string | undefined, flags: NetworkFlags, terminal: Terminal): Promise<number> {
  const { groups, isServed } = await groupFacts(flags, terminal)
  const shown = name === undefined ? groups : [resolveGroup(name, groups)]
  if (flags.json === true) for (const facts of shown) terminal.print(jsonLine({ event: 'group', ...facts, isServed }))
  else if (shown.length === 0)
    terminal.note('the store has no groups yet: `plait group create` and `plait group join` bring some into it')
  else {
    const lines = shown.flatMap((facts, index) => [...(index === 0 ? [] : ['']), ...groupLines(facts, isServed)])
    for (const line of lines) terminal.print(line)
  }
  return 0
}
