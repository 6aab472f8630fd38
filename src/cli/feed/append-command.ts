import type { Command } from 'commander'
import { PlaitError } from '../../base/error.ts'
import { defaultLimits } from '../../base/limits.ts'
import type { FeedId } from '../../feed/feed-id.ts'
import { wholeNumber } from '../flag-values.ts'
import { jsonLine } from '../printable.ts'
import { StopSignals } from '../stop-signals.ts'
import type { Terminal } from '../terminal.ts'
import { countOf, formatBytes, formatCount } from '../units.ts'
import { announceFeed } from './announce.ts'
import { appendBlocks } from './append-blocks.ts'
import { AppendPump } from './append-pump.ts'
import { LineCutter, SizeCutter, WholeCutter, type BlockCutter } from './block-cutter.ts'
import { addServeFlags, networkOf, storeFolder, type ServeFlags } from './feed-flags.ts'
import { FeedHost } from './feed-host.ts'
import { handedOver } from './handover.ts'
import { openHostOrOwner, type StoreOwner } from './store-owner.ts'

const handoverMs = 5_000
const hurriedMs = 1_000
/** What the feed takes at once, and what fits into one question to a running program. */
const batchBytesMax = 4 * 1024 * 1024
const askedBytesMax = 1024 * 1024

interface AppendFlags extends ServeFlags {
  readonly lines?: boolean
  readonly blocks?: number
  readonly whole?: boolean
  readonly serve?: boolean
}

/** Where blocks go. */
interface Destination {
  readonly id: FeedId
  readonly batchBytesMax: number
  append(blocks: readonly Uint8Array[]): Promise<void>
  readonly length: () => number
  /** After the last block. */
  finish(): Promise<void>
}

export function addAppendCommand(feed: Command, terminal: Terminal, done: (code: number) => void): void {
  addServeFlags(
    feed
      .command('append')
      .description(
        'Append standard input to a feed, a block for each line, and serve the feed meanwhile: its link goes to standard error.',
      )
      .argument(
        '[FEED]',
        'its id, or the beginning of it; if left out, the one of the store that is written here, or a new one if there is none',
      )
      .option('--lines', 'a block for each line, without its newline, as if nothing were said')
      .option('--blocks <SIZE>', 'blocks of so many bytes', wholeNumber(1, defaultLimits.feedBlockBytes))
      .option('--whole', 'all of it as one block')
      .option('--serve', 'go on serving when the input has ended, until Ctrl-C'),
  )
    .addHelpText(
      'after',
      '\nExample:\n  tail -f access.log | plait feed append\n\nExit code: 0 when all of it is durable.',
    )
    .action(async (name: string | undefined, flags: AppendFlags) => done(await append(name, flags, terminal)))
}

async function append(name: string | undefined, flags: AppendFlags, terminal: Terminal): Promise<number> {
  using stop = new StopSignals()
  const json = flags.json === true
  const cutter = cutterOf(flags)
  const network = networkOf(flags, 'everywhere')
  const opened = await openHostOrOwner({ folder: storeFolder(flags), network, terminal, json })
  await using host = opened instanceof FeedHost ? opened : undefined
  const destination =
    host === undefined
      ? await remoteDestination(opened as StoreOwner, name, terminal, json)
      : await hostDestination(host, name, { flags, stop: stop.signal, terminal })
  const done = { blocks: 0, bytes: 0 }
  const pump = new AppendPump({
    cutter,
    append: (blocks) => destination.append(blocks),
    batchBytesMax: destination.batchBytesMax,
    onAppended: (blocks, bytes) => {
      done.blocks += blocks
      done.bytes += bytes
    },
  })
  try {
    await pump.run(input(stop.signal))
  } finally {
    process.stdin.destroy()
    summarize(destination, done, terminal, json)
  }
  await destination.finish()
  if (flags.serve === true && host !== undefined) await stop.stopped()
  return 0
}

function cutterOf({ lines, blocks, whole }: AppendFlags): BlockCutter {
  if ([lines === true, blocks !== undefined, whole === true].filter(Boolean).length > 1)
    throw new PlaitError('INVALID_ARGUMENT', '--lines, --blocks and --whole exclude each other; name one of them')
  if (whole === true) return new WholeCutter()
  return blocks === undefined ? new LineCutter() : new SizeCutter(blocks)
}

async function hostDestination(
  host: FeedHost,
  name: string | undefined,
  { flags, stop, terminal }: { flags: AppendFlags; stop: AbortSignal; terminal: Terminal },
): Promise<Destination> {
  const feed = await host.writable(name)
  announceFeed(host, feed, { terminal, json: flags.json === true, linkTo: 'stderr' })
  return {
    id: feed.id,
    batchBytesMax,
    append: (blocks) => appendBlocks(feed, blocks, { signal: stop }),
    length: () => feed.length,
    finish: async () => {
      if (flags.serve === true || host.node === undefined) return
      // Whoever has ended the input by Ctrl-C wants to be done.
      const options = stop.aborted
        ? { timeoutMs: hurriedMs, signal: AbortSignal.timeout(hurriedMs) }
        : { timeoutMs: handoverMs, signal: stop }
      await handedOver(host.node, feed, options)
    },
  }
}

/** A running program has the store: it appends, and serves, also when this one has ended. */
async function remoteDestination(
  owner: StoreOwner,
  name: string | undefined,
  terminal: Terminal,
  json: boolean,
): Promise<Destination> {
  const { id, length } = await owner.append(name, [])
  if (json) terminal.print(jsonLine({ event: 'appending', id, pid: owner.pid }))
  else terminal.note(`process ${owner.pid} has the store: it appends, and serves`)
  let last = length
  return {
    id,
    batchBytesMax: askedBytesMax,
    append: async (blocks) => {
      last = (await owner.append(id, blocks)).length
    },
    length: () => last,
    finish: async () => {},
  }
}

/** Standard input, until it ends or the user has it ended. */
async function* input(signal: AbortSignal): AsyncIterable<Uint8Array> {
  const end = (): void => void process.stdin.destroy()
  signal.addEventListener('abort', end)
  if (signal.aborted) end()
  try {
    for await (const chunk of process.stdin) yield chunk as Uint8Array
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    signal.removeEventListener('abort', end)
  }
}

function summarize(
  { id, length }: Destination,
  { blocks, bytes }: { blocks: number; bytes: number },
  terminal: Terminal,
  json: boolean,
): void {
  if (json) return terminal.print(jsonLine({ event: 'summary', id, blocks, bytes, length: length() }))
  terminal.note(
    `${countOf(blocks, 'block')} appended (${formatBytes(bytes)}), all durable; the feed has ${formatCount(length())}`,
  )
}
