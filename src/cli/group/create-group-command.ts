import type { Command } from 'commander'
import { addServeFlags, type ServeFlags } from '../feed/feed-flags.ts'
import { jsonLine, printable } from '../printable.ts'
import { StopSignals } from '../stop-signals.ts'
import type { Terminal } from '../terminal.ts'
import { GroupHost } from './group-host.ts'
import { hostOptions, openGroupsOrOwner, type GroupOwner } from './group-owner.ts'
import { invitation } from './invitation.ts'
import { serveGroups } from './serve-groups.ts'

interface CreateFlags extends ServeFlags {
  readonly name: string
  readonly serve?: boolean
}

interface Created {
  readonly id: string
  /** For others to join by, when it is served. */
  readonly link?: string
}

export function addCreateGroupCommand(group: Command, terminal: Terminal, done: (code: number) => void): void {
  addServeFlags(
    group
      .command('create')
      .description('Make a group whose first member and admin is this store, and print its id.')
      .option('--name <NAME>', 'what people call it', 'group')
      .option(
        '--serve',
        'then print a link by which others join in its place, and serve the groups of the store, until Ctrl-C',
      ),
    'groups',
  )
    .addHelpText('after', '\nExample:\n  plait group create --name team --serve')
    .action(async (flags: CreateFlags) => done(await create(flags, terminal)))
}

async function create(flags: CreateFlags, terminal: Terminal): Promise<number> {
  using stop = new StopSignals()
  const json = flags.json === true
  const opened = await openGroupsOrOwner(hostOptions(flags, 'everywhere', terminal))
  if (!(opened instanceof GroupHost)) {
    print(await createThere(opened, flags), flags, terminal)
    return 0
  }
  await using host = opened
  const kept = await host.create(flags.name)
  const created = { id: kept.group.id }
  if (flags.serve === true) {
    print({ ...created, link: await invitation(host, kept, { role: 'write' }) }, flags, terminal)
    await serveGroups(host, { terminal, json, stop })
  }
  // What is printed is durable.
  else print(created, flags, terminal)
  await host.close()
  return 0
}

/** The program that has the store makes it, and serves it. */
async function createThere(owner: GroupOwner, { name, serve }: CreateFlags): Promise<Created> {
  const { id } = await owner.ask({ command: 'group-create', name })
  if (serve !== true) return { id }
  const { link } = await owner.ask({ command: 'group-invite', group: id, role: 'write' })
  return { id, link }
}

function print({ id, link }: Created, { name, json }: CreateFlags, terminal: Terminal): void {
  if (json === true) return terminal.print(jsonLine({ event: 'created', id, name, link }))
  if (link === undefined) return terminal.print(id)
  terminal.note(`the group ${printable(name)} (${id}); whoever has this link can join it, read and write:`)
  terminal.print(link)
}
