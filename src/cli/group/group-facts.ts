import type { GroupFacts } from '../control/group-requests.ts'
import type { NetworkFlags } from '../feed/feed-flags.ts'
import type { Terminal } from '../terminal.ts'
import { GroupHost } from './group-host.ts'
import { hostOptions, openGroupsOrOwner } from './group-owner.ts'

/** The groups of the store, as the program that has it sees them, or else as they were left. */
export async function groupFacts(
  flags: NetworkFlags,
  terminal: Terminal,
): Promise<{ readonly groups: readonly GroupFacts[]; readonly isServed: boolean }> {
  const opened = await openGroupsOrOwner(hostOptions(flags, 'nowhere', terminal))
  if (!(opened instanceof GroupHost)) return { groups: opened.groups, isServed: true }
  await using host = opened
  return { groups: (await host.all()).map((kept) => kept.facts()), isServed: false }
}
