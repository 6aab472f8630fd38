import type { Command } from 'commander'
import { PlaitError } from '../../base/error.ts'
import type { KeyChange } from '../control/group-requests.ts'
import { GroupHost } from '../group/group-host.ts'
import { hostOptions, openGroupsOrOwner } from '../group/group-owner.ts'
import { jsonLine } from '../printable.ts'
import type { Terminal } from '../terminal.ts'
import { keyChanges } from './key-changes.ts'
import { keyJson, keyLine, valueJson } from './key-text.ts'
import { addKvFlags, groupOf, type KvFlags } from './kv-flags.ts'

interface GetFlags extends KvFlags {
  readonly raw?: boolean
}

export function addReadCommands(kv: Command, terminal: Terminal, done: (code: number) => void): void {
  addKvFlags(
    kv
      .command('get')
      .description('Print the value of a key, as far as it is known here.')
      .argument('<KEY>')
      .option('--raw', 'write it as it is, without a newline behind it'),
  )
    .addHelpText('after', '\nExample:\n  plait kv get colour\n\nExit code: 1 when the key has no value.')
    .action(async (key: string, flags: GetFlags) => done(await show(key, flags, terminal)))
  addKvFlags(
    kv
      .command('list')
      .description('Print all keys with their values, in order.')
      .argument('[PREFIX]', 'only keys that begin so'),
  )
    .addHelpText('after', '\nExample:\n  plait kv list')
    .action(async (prefix: string | undefined, flags: KvFlags) => done(await list(prefix ?? '', flags, terminal)))
}

async function show(key: string, flags: GetFlags, terminal: Terminal): Promise<number> {
  const { id, value } = await readKey(key, flags, terminal)
  if (value === undefined) throw new PlaitError('INVALID_ARGUMENT', `the key ${key} has no value`)
  if (flags.json === true) terminal.print(jsonLine({ event: 'value', id, key, ...valueJson(value) }))
  else {
    const bytes = Buffer.from(value, 'base64')
    await new Promise((resolve) => {
      process.stdout.write(flags.raw === true ? bytes : Buffer.concat([bytes, Buffer.from('\n')]), resolve)
    })
  }
  return 0
}

async function readKey(key: string, flags: KvFlags, terminal: Terminal): Promise<{ id: string; value?: string }> {
  const opened = await openGroupsOrOwner(hostOptions(flags, 'nowhere', terminal))
  if (!(opened instanceof GroupHost)) return opened.ask({ command: 'kv-get', ...groupOf(flags), key })
  await using host = opened
  const { group, values } = await host.at(flags.group)
  const value = values.read(key)
  return value === undefined ? { id: group.id } : { id: group.id, value: Buffer.from(value).toString('base64') }
}

async function list(prefix: string, flags: KvFlags, terminal: Terminal): Promise<number> {
  const all = await readAll(flags, terminal)
  for (const entry of all)
    if (entry.key.startsWith(prefix)) terminal.print(flags.json === true ? keyJson(entry) : keyLine(entry))
  return 0
}

async function readAll(flags: KvFlags, terminal: Terminal): Promise<readonly KeyChange[]> {
  const opened = await openGroupsOrOwner(hostOptions(flags, 'nowhere', terminal))
  if (!(opened instanceof GroupHost)) return (await opened.ask({ command: 'kv-list', ...groupOf(flags) })).changes
  await using host = opened
  return keyChanges(await host.at(flags.group), undefined).changes
}
