import { Argument, type Command } from 'commander'
import { roles, type Role } from '../../causal/members/roster-operation.ts'
import type { GroupAnswers, Measure } from '../control/group-requests.ts'
import { addNetworkFlags, type NetworkFlags } from '../feed/feed-flags.ts'
import { jsonLine } from '../printable.ts'
import type { Terminal } from '../terminal.ts'
import { GroupHost } from './group-host.ts'
import { hostOptions, openGroupsOrOwner } from './group-owner.ts'
import { carryOut } from './measure.ts'

const groupArgument = [
  '[GROUP]',
  'its name, or its id or the beginning of that; the only one of the store if left out',
] as const
const memberArgument = ['<MEMBER>', 'the beginning of its node id, as `plait group members` shows it'] as const

/** `remove`, `park`, `role` and `leave`. */
export function addMeasureCommands(group: Command, terminal: Terminal, done: (code: number) => void): void {
  const act = async (name: string | undefined, measure: Measure, flags: NetworkFlags): Promise<void> =>
    done(await decide(name, measure, flags, terminal))
  const command = (words: string, description: string): Command =>
    addNetworkFlags(group.command(words).description(description), 'groups')

  command('remove', 'Take a member out of a group. What it has written and is not here is void. For admins.')
    .argument(...memberArgument)
    .argument(...groupArgument)
    .addHelpText('after', '\nExample:\n  plait group remove k3x9 team')
    .action((member: string, name: string | undefined, flags: NetworkFlags) =>
      act(name, { act: 'remove', member }, flags),
    )
  command(
    'park',
    'Wait for a member no more until it comes back. What it has written and is not here is void. For admins.',
  )
    .argument(...memberArgument)
    .argument(...groupArgument)
    .addHelpText('after', '\nExample:\n  plait group park k3x9 team')
    .action((member: string, name: string | undefined, flags: NetworkFlags) =>
      act(name, { act: 'park', member }, flags),
    )
  command('role', 'Say what a member may do. For admins.')
    .argument(...memberArgument)
    .addArgument(new Argument('<ROLE>', 'read, write or admin').choices([...roles]))
    .argument(...groupArgument)
    .addHelpText('after', '\nExample:\n  plait group role k3x9 read team')
    .action((member: string, role: Role, name: string | undefined, flags: NetworkFlags) =>
      act(name, { act: 'role', member, role }, flags),
    )
  command('leave', 'Take this node out of a group.')
    .argument(...groupArgument)
    .addHelpText('after', '\nExample:\n  plait group leave team')
    .action((name: string | undefined, flags: NetworkFlags) => act(name, { act: 'leave' }, flags))
}

async function decide(
  name: string | undefined,
  measure: Measure,
  flags: NetworkFlags,
  terminal: Terminal,
): Promise<number> {
  const opened = await openGroupsOrOwner(hostOptions(flags, 'here', terminal))
  const isServed = !(opened instanceof GroupHost)
  const { id, node } =
    opened instanceof GroupHost
      ? await decideHere(opened, name, measure)
      : await opened.ask({ command: 'group-measure', ...(name === undefined ? {} : { group: name }), ...measure })
  if (flags.json === true) terminal.print(jsonLine({ event: 'decided', id, node, ...measure, isServed }))
  else if (!isServed) terminal.note('others hear of it when the store is served: run `plait group serve`')
  return 0
}

async function decideHere(
  opened: GroupHost,
  name: string | undefined,
  measure: Measure,
): Promise<GroupAnswers['group-measure']> {
  await using host = opened
  const kept = await host.at(name)
  return { id: kept.group.id, node: await carryOut(kept, measure) }
}
