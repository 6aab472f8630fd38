import type { Command } from 'commander'
import { PlaitError } from '../../base/error.ts'
import { bounds } from '../../crdt/bounds.ts'
import { formatDot } from '../../crdt/dot.ts'
import { GroupHost } from '../group/group-host.ts'
import { hostOptions, openGroupsOrOwner } from '../group/group-owner.ts'
import { jsonLine } from '../printable.ts'
import { StopSignals } from '../stop-signals.ts'
import type { Terminal } from '../terminal.ts'
import { countOf } from '../units.ts'
import { change } from './key-changes.ts'
import { addKvFlags, groupOf, type KvFlags } from './kv-flags.ts'

/** So long a change is offered to other members before the command ends. */
const handoverMs = 5_000

interface Wish {
  readonly key: string
  /** Undefined: the key is deleted. */
  readonly value: Uint8Array | undefined
}

export function addChangeCommands(kv: Command, terminal: Terminal, done: (code: number) => void): void {
  const exitCode = '\n\nExit code: 0 when the change is durable here.'
  addKvFlags(
    kv
      .command('set')
      .description('Give a key a value, at all members of the group.')
      .argument('<KEY>')
      .argument('[VALUE]', 'standard input, all of it, if left out'),
  )
    .addHelpText('after', `\nExample:\n  plait kv set colour blue\n  plait kv set picture < sunset.jpg${exitCode}`)
    .action(async (key: string, text: string | undefined, flags: KvFlags) => {
      const value = text === undefined ? await wholeInput() : new TextEncoder().encode(text)
      done(await carryOut({ key, value }, flags, terminal))
    })
  addKvFlags(kv.command('delete').description('Take a key away, at all members of the group.').argument('<KEY>'))
    .addHelpText('after', `\nExample:\n  plait kv delete colour${exitCode}`)
    .action(async (key: string, flags: KvFlags) => done(await carryOut({ key, value: undefined }, flags, terminal)))
}

async function carryOut(wish: Wish, flags: KvFlags, terminal: Terminal): Promise<number> {
  using stop = new StopSignals()
  const opened = await openGroupsOrOwner(hostOptions(flags, 'nowhere', terminal))
  if (opened instanceof GroupHost) await changeHere(opened, wish, { flags, terminal, signal: stop.signal })
  else {
    const { key, value } = wish
    const common = { ...groupOf(flags), key }
    const { id, dot } =
      value === undefined
        ? await opened.ask({ command: 'kv-delete', ...common })
        : await opened.ask({ command: 'kv-set', ...common, value: Buffer.from(value).toString('base64') })
    if (flags.json === true) print({ id, dot, wish, owner: opened.pid }, terminal)
  }
  return 0
}

/** Nobody has the store: this command writes, and sees that somebody else has it, if that can be. */
async function changeHere(
  opened: GroupHost,
  wish: Wish,
  { flags, terminal, signal }: { flags: KvFlags; terminal: Terminal; signal: AbortSignal },
): Promise<void> {
  await using host = opened
  const kept = await host.at(flags.group)
  const { key, value } = wish
  const dot = await change(host, kept, (values) => (value === undefined ? values.delete(key) : values.set(key, value)))
  const { others } = kept
  const isHandedOver = others > 0 && (await kept.handOver(dot, handoverMs, signal))
  if (flags.json === true) print({ id: kept.group.id, dot: formatDot(dot), wish, isHandedOver }, terminal)
  else if (others > 0 && !isHandedOver)
    terminal.note(
      `it is kept here; none of the ${countOf(others, 'other member')} took it within ${handoverMs / 1_000} s: \`plait group serve\` brings it to them`,
    )
  await host.close()
}

function print(
  { wish: { key, value }, ...facts }: { id: string; dot: string; wish: Wish; owner?: number; isHandedOver?: boolean },
  terminal: Terminal,
): void {
  terminal.print(jsonLine({ event: value === undefined ? 'deleted' : 'set', key, ...facts }))
}

/** Standard input. Rejects with `LIMIT` when it is more than a value may be. */
async function wholeInput(): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of process.stdin) {
    chunks.push(chunk as Uint8Array)
    bytes += (chunk as Uint8Array).length
    if (bytes > bounds.valueBytes)
      throw new PlaitError(
        'LIMIT',
        `a value has ${bounds.valueBytes} bytes at most; \`plait feed\` and \`plait share\` take more`,
      )
  }
  return Uint8Array.from(Buffer.concat(chunks))
}
