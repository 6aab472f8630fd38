import type { Command } from 'commander'
import { PlaitError } from '../../base/error.ts'
import { isGone } from '../control/control-client.ts'
import type { KeyChanges } from '../control/group-requests.ts'
import { addServeFlags } from '../feed/feed-flags.ts'
import { GroupHost } from '../group/group-host.ts'
import { hostOptions, openGroupsOrOwner, type GroupOwner } from '../group/group-owner.ts'
import { jsonLine } from '../printable.ts'
import { StopSignals } from '../stop-signals.ts'
import type { Terminal } from '../terminal.ts'
import { keyChanges } from './key-changes.ts'
import { addGroupFlag, groupOf, type KvFlags } from './kv-flags.ts'
import { Shown } from './shown.ts'

export function addWatchCommand(kv: Command, terminal: Terminal, done: (code: number) => void): void {
  addServeFlags(
    addGroupFlag(
      kv
        .command('watch')
        .description(
          'Print all keys with their values, then each change as it comes, until Ctrl-C; and serve the groups of the store meanwhile. A key without a value has been deleted.',
        )
        .argument('[PREFIX]', 'only keys that begin so'),
    ),
    'groups',
  )
    .addHelpText('after', '\nExample:\n  plait kv watch')
    .action(async (prefix: string | undefined, flags: KvFlags) => done(await watch(prefix ?? '', flags, terminal)))
}

/** By the program that has the store; when that ends, this one takes its place. */
async function watch(prefix: string, flags: KvFlags, terminal: Terminal): Promise<number> {
  using stop = new StopSignals()
  const { signal } = stop
  const json = flags.json === true
  const shown = new Shown(prefix, json, (line) => terminal.print(line))
  while (!signal.aborted) {
    const opened = await openGroupsOrOwner(hostOptions(flags, 'everywhere', terminal))
    if (opened instanceof GroupHost) await watchHere(opened, shown, { flags, signal, terminal })
    else {
      if (json) terminal.print(jsonLine({ event: 'owner', pid: opened.pid }))
      else terminal.note(`process ${opened.pid} has the store, and serves it`)
      await watchThere(opened, shown, { flags, signal })
    }
  }
  return 0
}

async function watchHere(
  opened: GroupHost,
  shown: Shown,
  { flags, signal, terminal }: { flags: KvFlags; signal: AbortSignal; terminal: Terminal },
): Promise<void> {
  await using host = opened
  const kept = await host.at(flags.group)
  if (flags.json !== true) terminal.note(`serving the groups of ${host.host.folder}; Ctrl-C ends it`)
  for (let after: number | undefined; !signal.aborted;) {
    const changes = keyChanges(kept, after)
    shown.take(changes)
    after = changes.revision
    await kept.values.changedSince(after, signal).catch(() => {})
  }
  await host.close()
}

/** Until that program has ended. */
async function watchThere(
  owner: GroupOwner,
  shown: Shown,
  { flags, signal }: { flags: KvFlags; signal: AbortSignal },
): Promise<void> {
  const stopped = new Promise<undefined>((resolve) => {
    signal.addEventListener('abort', () => resolve(undefined), { once: true })
  })
  const ask = (after: number | undefined): Promise<KeyChanges> =>
    after === undefined
      ? owner.ask({ command: 'kv-list', ...groupOf(flags) })
      : owner.ask({ command: 'kv-changes', ...groupOf(flags), after })
  for (let after: number | undefined; !signal.aborted;) {
    try {
      const changes = await Promise.race([ask(after), stopped])
      if (changes === undefined) return
      shown.take(changes)
      after = changes.revision
    } catch (error) {
      if (isGone(error) || (PlaitError.is(error) && endings.has(error.code))) return
      throw error
    }
  }
}

/** How a question ends whose program ends meanwhile. */
const endings: ReadonlySet<string> = new Set(['LINK_LOST', 'UNREACHABLE', 'STORE_CLOSED'])
