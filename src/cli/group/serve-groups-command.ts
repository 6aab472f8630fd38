import type { Command } from 'commander'
import { addServeFlags, type ServeFlags } from '../feed/feed-flags.ts'
import { openAlone } from '../feed/store-owner.ts'
import { jsonLine } from '../printable.ts'
import { StopSignals } from '../stop-signals.ts'
import type { Terminal } from '../terminal.ts'
import { GroupHost } from './group-host.ts'
import { groupLine } from './group-text.ts'
import { hostOptions } from './group-owner.ts'
import { serveGroups } from './serve-groups.ts'

export function addServeGroupsCommand(group: Command, terminal: Terminal, done: (code: number) => void): void {
  addServeFlags(
    group
      .command('serve')
      .description(
        'Keep the groups of the store in touch with their other members, and let others join, until Ctrl-C.',
      ),
    'groups',
  )
    .addHelpText('after', '\nExample:\n  plait group serve --listen 192.168.1.5:7002')
    .action(async (flags: ServeFlags) => done(await serve(flags, terminal)))
}

async function serve(flags: ServeFlags, terminal: Terminal): Promise<number> {
  using stop = new StopSignals()
  const json = flags.json === true
  await using host = await openAlone(() => GroupHost.open(hostOptions(flags, 'everywhere', terminal)))
  const all = await host.all()
  if (!json && all.length === 0)
    terminal.note('the store has no groups yet: `plait group create` and `plait group join` bring some into it')
  for (const kept of all) {
    const facts = kept.facts()
    terminal.print(json ? jsonLine({ event: 'serving', ...facts }) : groupLine(facts))
  }
  await serveGroups(host, { terminal, json, stop })
  await host.close()
  return 0
}
