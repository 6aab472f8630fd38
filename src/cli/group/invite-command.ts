import type { Command } from 'commander'
import { InvalidArgumentError } from 'commander'
import { isLoopback } from '../../drive/address.ts'
import { parseGroupLink } from '../../causal/group-link.ts'
import { roles, type Role } from '../../causal/members/roster-operation.ts'
import type { GroupAnswers, Invitation } from '../control/group-requests.ts'
import { addServeFlags, type ServeFlags } from '../feed/feed-flags.ts'
import { wholeNumber } from '../flag-values.ts'
import { jsonLine } from '../printable.ts'
import type { Terminal } from '../terminal.ts'
import { parseDuration } from './duration.ts'
import { GroupHost } from './group-host.ts'
import { hostOptions, openGroupsOrOwner } from './group-owner.ts'
import { invitation } from './invitation.ts'

interface InviteFlags extends ServeFlags {
  readonly role: Role
  readonly uses?: number
  readonly for?: number
}

export function addInviteCommand(group: Command, terminal: Terminal, done: (code: number) => void): void {
  addServeFlags(
    group
      .command('invite')
      .description(
        'Print a link by which others join a group. Who has it can join: send it in private. For admins of the group.',
      )
      .argument('[GROUP]', 'its name, or its id or the beginning of that; the only one of the store if left out')
      .option('--role <ROLE>', 'what who joins by it may do: read, write, admin', parseRole, 'write')
      .option('--uses <N>', 'how many may join by it; any number if left out', wholeNumber(1, 1_000_000))
      .option('--for <DURATION>', 'how long it is good for: 90s, 30m, 12h, 7d; for ever if left out', parseDuration),
    'groups',
  )
    .addHelpText('after', '\nExample:\n  plait group invite team --role read --uses 1 --for 1h')
    .action(async (name: string | undefined, flags: InviteFlags) => done(await invite(name, flags, terminal)))
}

async function invite(name: string | undefined, flags: InviteFlags, terminal: Terminal): Promise<number> {
  const { role, uses, for: validMs } = flags
  const wish: Invitation = {
    role,
    ...(uses === undefined ? {} : { uses }),
    ...(validMs === undefined ? {} : { validMs }),
  }
  const opened = await openGroupsOrOwner(hostOptions(flags, 'everywhere', terminal))
  const { id, link } =
    opened instanceof GroupHost
      ? await inviteHere(opened, name, wish)
      : await opened.ask({ command: 'group-invite', ...(name === undefined ? {} : { group: name }), ...wish })
  const isServed = !(opened instanceof GroupHost)
  const reachable = !parseGroupLink(link).addresses.every(isLoopback)
  if (flags.json === true) {
    terminal.print(jsonLine({ event: 'invited', id, ...wish, link, isServed, reachable }))
    return 0
  }
  if (!isServed) terminal.note('it works while the store is served: run `plait group serve`')
  if (!reachable)
    terminal.note(
      'warning: only programs on this machine can reach it; use --listen with an address that others can reach',
    )
  terminal.print(link)
  return 0
}

async function inviteHere(
  opened: GroupHost,
  name: string | undefined,
  wish: Invitation,
): Promise<GroupAnswers['group-invite']> {
  await using host = opened
  const kept = await host.at(name)
  return { id: kept.group.id, link: await invitation(host, kept, wish) }
}

function parseRole(text: string): Role {
  const role = roles.find((one) => one === text)
  if (role === undefined) throw new InvalidArgumentError(`It must be one of ${roles.join(', ')}.`)
  return role
}
