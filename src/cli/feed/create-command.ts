import type { Command } from 'commander'
import { jsonLine } from '../printable.ts'
import type { Terminal } from '../terminal.ts'
import { addStoreFlags, storeFolder, type StoreFlags } from './feed-flags.ts'
import { FeedHost } from './feed-host.ts'
import { openHostOrOwner } from './store-owner.ts'

export function addCreateCommand(feed: Command, terminal: Terminal, done: (code: number) => void): void {
  addStoreFlags(
    feed
      .command('create')
      .description(
        'Make a feed that is written here, and print its id. Its key stays in the store, readable by you only.',
      ),
  )
    .addHelpText('after', '\nExample:\n  plait feed create --store ./log')
    .action(async (flags: StoreFlags) => done(await create(flags, terminal)))
}

async function create(flags: StoreFlags, terminal: Terminal): Promise<number> {
  const json = flags.json === true
  const opened = await openHostOrOwner({ folder: storeFolder(flags), terminal, json })
  await using host = opened instanceof FeedHost ? opened : undefined
  const id = opened instanceof FeedHost ? (await opened.create()).id : await opened.create()
  terminal.print(json ? jsonLine({ event: 'created', id }) : id)
  // The store is let go before the exit code is said.
  await host?.close()
  return 0
}
