import type { Command } from 'commander'
import { addNetworkFlags, type NetworkFlags } from '../feed/feed-flags.ts'
import { jsonLine } from '../printable.ts'
import type { Terminal } from '../terminal.ts'
import { groupFacts } from './group-facts.ts'
import { resolveGroup } from './group-target.ts'
import { membersTable } from './group-text.ts'

export function addMembersCommand(group: Command, terminal: Terminal, done: (code: number) => void): void {
  addNetworkFlags(
    group
      .command('members')
      .description('Show who belongs to a group, what they may do, and how far they are.')
      .argument('[GROUP]', 'its name, or its id or the beginning of that; the only one of the store if left out'),
    'groups',
  )
    .addHelpText('after', '\nExample:\n  plait group members team')
    .action(async (name: string | undefined, flags: NetworkFlags) => done(await members(name, flags, terminal)))
}

async function members(name: string | undefined, flags: NetworkFlags, terminal: Terminal): Promise<number> {
  const { groups, isServed } = await groupFacts(flags, terminal)
  const facts = resolveGroup(name, groups)
  if (flags.json === true) {
    for (const member of facts.members) {
      const isSelf = member.node === facts.nodeId
      terminal.print(jsonLine({ event: 'member', id: facts.id, ...member, isSelf }))
    }
  } else for (const line of membersTable(facts, isServed)) terminal.print(line)
  return 0
}
