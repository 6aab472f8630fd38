import type { Command } from 'commander'
import { parseGroupLink } from '../../causal/group-link.ts'
import type { GroupFacts } from '../control/group-requests.ts'
import { addServeFlags, type ServeFlags } from '../feed/feed-flags.ts'
import { firstLine } from '../first-line.ts'
import { jsonLine, printable } from '../printable.ts'
import { StopSignals } from '../stop-signals.ts'
import type { Terminal } from '../terminal.ts'
import { countOf } from '../units.ts'
import { GroupHost } from './group-host.ts'
import { hostOptions, openGroupsOrOwner, type GroupOwner } from './group-owner.ts'
import { roleText } from './group-text.ts'
import { serveGroups } from './serve-groups.ts'

const handoverMs = 5_000

interface JoinFlags extends ServeFlags {
  readonly serve?: boolean
}

export function addJoinCommand(group: Command, terminal: Terminal, done: (code: number) => void): void {
  addServeFlags(
    group
      .command('join')
      .description('Join a group, fetch what there is of it, and print its id.')
      .argument('<LINK>', 'the link, in quotes; - reads it from standard input')
      .option('--serve', 'then serve the groups of the store, until Ctrl-C'),
    'groups',
  )
    .addHelpText('after', "\nExample:\n  plait group join 'plait://...' --serve")
    .action(async (link: string, flags: JoinFlags) => done(await join(link, flags, terminal)))
}

async function join(text: string, flags: JoinFlags, terminal: Terminal): Promise<number> {
  using stop = new StopSignals()
  const { signal } = stop
  const json = flags.json === true
  const link = (text === '-' ? await firstLine(signal) : text).trim()
  // What is wrong with it, before anything is made.
  parseGroupLink(link)
  const opened = await openGroupsOrOwner(hostOptions(flags, 'everywhere', terminal))
  if (!(opened instanceof GroupHost)) {
    print(await joinThere(opened, link), true, terminal, json)
    return 0
  }
  await using host = opened
  const kept = await host.join(link, signal)
  const { lastDot } = kept
  // That it is a member now is known to another one before it ends.
  if (lastDot !== undefined) await kept.handOver(lastDot, handoverMs, signal)
  const isWhole = await kept.caughtUp(host.waitMs, signal)
  print(kept.facts(), isWhole, terminal, json)
  if (flags.serve === true) await serveGroups(host, { terminal, json, stop })
  await host.close()
  return 0
}

async function joinThere(owner: GroupOwner, link: string): Promise<GroupFacts> {
  const { id } = await owner.ask({ command: 'group-join', link })
  const { groups } = await owner.ask({ command: 'groups' })
  return groups.find((group) => group.id === id) as GroupFacts
}

function print(facts: GroupFacts, isWhole: boolean, terminal: Terminal, json: boolean): void {
  const { id, name, role, members, keys } = facts
  if (json) return terminal.print(jsonLine({ event: 'joined', id, name, role, members: members.length, keys, isWhole }))
  const there = `${countOf(members.length, 'member')}, ${countOf(keys, 'key')}${isWhole ? '' : ' so far'}`
  terminal.note(`joined ${printable(name)} (${there}); this store may ${roleText(facts)}`)
  terminal.print(id)
}
