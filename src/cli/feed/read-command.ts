import type { Command } from 'commander'
import { PlaitError } from '../../base/error.ts'
import type { Feed } from '../../feed/feed-api.ts'
import type { Terminal } from '../terminal.ts'
import { StopSignals } from '../stop-signals.ts'
import { BlockOutput, type BlockFormat } from './block-output.ts'
import { addNetworkFlags, blockNumber, type NetworkFlags } from './feed-flags.ts'
import { heldUntil, missingBlock, openFeedSource, type FeedSource } from './feed-source.ts'
import { readFeedTarget } from './feed-target.ts'

/** After so long without a block that there should be, people hear what is waited for. */
const quietMs = 5_000

/** Of a temporary store: how much of what is written out already may stand on the disk. */
const keptBytesMax = 64 * 1024 * 1024

interface ReadFlags extends NetworkFlags {
  readonly from?: number
  readonly to?: number
  readonly tail?: number
  readonly raw?: boolean
}

const target = 'a link, in quotes, or the id of a feed of the store, or its beginning; - reads it from standard input'

export function addCatCommand(feed: Command, terminal: Terminal, done: (code: number) => void): void {
  addReadFlags(
    feed
      .command('cat')
      .description(
        'Write the blocks of a feed to standard output. From a link only what is asked for is fetched, and nothing is kept.',
      )
      .argument('<FEED|LINK>', target),
  )
    .addHelpText('after', "\nExample:\n  plait feed cat 'plait://...' --from 100 --to 200 | less")
    .action(async (text: string, flags: ReadFlags) => done(await read(text, { flags, isLive: false, terminal })))
}

export function addFollowCommand(feed: Command, terminal: Terminal, done: (code: number) => void): void {
  addReadFlags(
    feed
      .command('follow')
      .description('Write the blocks of a feed to standard output, and each new one when it is there, until Ctrl-C.')
      .argument('<FEED|LINK>', target)
      .option('--tail <N>', 'begin with the last N blocks', blockNumber),
  )
    .addHelpText('after', "\nExample:\n  plait feed follow 'plait://...' --tail 10")
    .action(async (text: string, flags: ReadFlags) => done(await read(text, { flags, isLive: true, terminal })))
}

function addReadFlags(command: Command): Command {
  return addNetworkFlags(
    command
      .option('--from <N>', 'the first block, from 0 on', blockNumber)
      .option('--to <N>', 'the block before which to end', blockNumber)
      .option('--raw', 'write blocks as they are, without a newline behind each'),
  )
}

interface Reading {
  readonly flags: ReadFlags
  readonly isLive: boolean
  readonly terminal: Terminal
}

async function read(text: string, { flags, isLive, terminal }: Reading): Promise<number> {
  if (flags.from !== undefined && flags.tail !== undefined)
    throw new PlaitError('INVALID_ARGUMENT', '--from and --tail both say where to begin; name one of them')
  using stop = new StopSignals()
  const format: BlockFormat = flags.json === true ? 'json' : flags.raw === true ? 'raw' : 'lines'
  await using output = new BlockOutput(process.stdout, format)
  const signal = AbortSignal.any([stop.signal, output.gone])
  try {
    await using source = await openFeedSource(await readFeedTarget(text, signal), { flags, isLive, terminal, signal })
    await copy(source, output, { flags, isLive, terminal, signal })
  } catch (error) {
    // Whoever reads has had enough, or who follows has.
    if (!output.gone.aborted && !(isLive && stop.signal.aborted)) throw error
  }
  return 0
}

async function copy(
  source: FeedSource,
  output: BlockOutput,
  { flags, isLive, terminal, signal }: Reading & { signal: AbortSignal },
): Promise<void> {
  const { feed } = source
  const from = flags.tail === undefined ? (flags.from ?? 0) : Math.max(0, feed.length - flags.tail)
  const to = isLive ? flags.to : Math.min(flags.to ?? feed.length, feed.length)
  const cannotCome = to !== undefined && !isLive && !source.isRemote
  const end = cannotCome ? heldUntil(feed, from, to) : to
  let index = from
  let writtenBytes = 0
  const watch = watchFor(feed, () => index, terminal)
  try {
    const range = end === undefined ? { from } : { from, to: Math.max(from, end) }
    for await (const block of feed.blocks({ ...range, isLive, signal })) {
      await output.write(block, index)
      index += 1
      writtenBytes += block.length
      if (!source.isTemporary || writtenBytes < keptBytesMax) continue
      writtenBytes = 0
      await feed.clear(from, index)
      await source.host.feeds.compact()
    }
  } finally {
    clearInterval(watch)
  }
  if (cannotCome && end !== undefined && end < to) {
    await output.flush()
    throw missingBlock(end)
  }
}

/** Says, once for each block, that it should be there and does not come. */
function watchFor(feed: Feed, next: () => number, terminal: Terminal): ReturnType<typeof setInterval> {
  let [seen, told] = [-1, -1]
  return setInterval(() => {
    const index = next()
    const isWaited = index === seen && index < feed.length && !feed.has(index)
    if (isWaited && index !== told) {
      terminal.note(`waiting for block ${index}, which nobody who is connected has, or sends`)
      told = index
    }
    seen = index
  }, quietMs)
}
