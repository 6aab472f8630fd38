import type { Command } from 'commander'
import { PlaitError } from '../../base/error.ts'
import { defaultLimits } from '../../base/limits.ts'
import type { FeedId } from '../../feed/feed-id.ts'
import { wholeNumber } from '../flag-values.ts'
import { jsonLine } from '../printable.ts'
import { StopSignals } from '../stop-signals.ts'
import type { Terminal } from '../terminal.ts'
import { countOf, formatBytes, formatCount } from '../units.ts'
import { AppendDestination } from './append-destination.ts'
import { AppendPump } from './append-pump.ts'
import { LineCutter, SizeCutter, WholeCutter, type BlockCutter } from './block-cutter.ts'
import { addServeFlags, networkOf, storeFolder, type ServeFlags } from './feed-flags.ts'

interface AppendFlags extends ServeFlags {
  readonly lines?: boolean
  readonly blocks?: number
  readonly whole?: boolean
  readonly serve?: boolean
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
  const { signal } = stop
  const json = flags.json === true
  const cutter = cutterOf(flags)
  const network = networkOf(flags, 'everywhere')
  await using destination = await AppendDestination.open({
    ...{ folder: storeFolder(flags), network, terminal, json },
    ...{ name, signal },
  })
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
    await pump.run(input(signal))
  } finally {
    process.stdin.destroy()
    summarize({ ...destination.facts, ...done }, terminal, json)
  }
  if (flags.serve === true && destination.isServing) await stop.stopped()
  else await destination.finish()
  return 0
}

function cutterOf({ lines, blocks, whole }: AppendFlags): BlockCutter {
  if ([lines === true, blocks !== undefined, whole === true].filter(Boolean).length > 1)
    throw new PlaitError('INVALID_ARGUMENT', '--lines, --blocks and --whole exclude each other; name one of them')
  if (whole === true) return new WholeCutter()
  return blocks === undefined ? new LineCutter() : new SizeCutter(blocks)
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
  facts: { id: FeedId | undefined; length: number; blocks: number; bytes: number },
  terminal: Terminal,
  json: boolean,
): void {
  if (json) return terminal.print(jsonLine({ event: 'summary', ...facts }))
  const { blocks, bytes, length } = facts
  const appended = `${countOf(blocks, 'block')} appended (${formatBytes(bytes)}), all durable`
  terminal.note(`${appended}; the feed has ${formatCount(length)}`)
}
