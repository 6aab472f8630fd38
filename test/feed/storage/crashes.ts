import { bytesEqual } from '../../../src/base/bytes.ts'
import { nodeCount } from '../../../src/feed/numbering.ts'
import type { FeedLog } from '../../../src/feed/storage/feed-log.ts'
import type { StoredFeed } from '../../../src/feed/storage/stored-feed.ts'
import { crashStates } from '../../../src/runtime/simulated/crash-states.ts'
import type { SimulatedDisk } from '../../../src/runtime/simulated/disk.ts'
import { RecordingDisk } from '../../../src/runtime/simulated/recording-disk.ts'
import { copyName, CrashPlay, nothing, openLog, ownName, rootOf, treeOf, writerOf } from './crash-play.ts'
import type { Held, Model, Note, StepKind } from './crash-play.ts'
import { blockOf } from './feed-place.ts'

/** How many states were opened, and what was wrong with them. */
export interface FeedCrashes {
  readonly states: number
  readonly violations: readonly string[]
}

export interface FeedCrashOptions {
  /** Of what steps a scenario is made; of all when absent. */
  readonly kinds?: readonly StepKind[]
  /** Between the steps only, and with nothing left of what was not synced: fewer states, of more scenarios. */
  readonly isStrict?: boolean
}

/** Opens a store of feeds in states that a power cut can leave, in scenario after scenario, until there were so many. */
export async function crashFeeds(states: number, options: FeedCrashOptions = {}): Promise<FeedCrashes> {
  const { kinds, isStrict = false } = options
  const violations: string[] = []
  let opened = 0
  for (let seed = 1; opened < states; seed += 1) {
    const disk = new RecordingDisk<Note>()
    await new CrashPlay(disk, seed, kinds).run(14)
    for await (const { notes, description, disk: state } of crashStates(disk.recorded, {
      selectionsMax: 12,
      isStrict,
    })) {
      if (isStrict && notes.at(-1)?.kind !== 'done') continue
      const wrong = await inspect(state, notes)
      if (wrong !== undefined) violations.push(`scenario ${seed}, ${description}: ${wrong}`)
      opened += 1
      if (violations.length >= 5) return { states: opened, violations }
      if (opened >= states) break
    }
  }
  return { states: opened, violations }
}

/** What is wrong with a store after a power cut; undefined when nothing is. */
async function inspect(disk: SimulatedDisk, notes: readonly Note[]): Promise<string | undefined> {
  const done = notes.findLast((note) => note.kind === 'done')?.model ?? nothing
  const last = notes.at(-1)
  const begun = last?.kind === 'begun' ? last.model : done
  try {
    const withoutDerived = disk.afterCrash()
    const log = await openLog(disk)
    const wrong = (await inspectLog(log, done, begun)) ?? (await goOn(log))
    if (wrong !== undefined) return wrong
    await removeDerived(withoutDerived)
    const anew = await inspectLog(await openLog(withoutDerived), done, begun)
    return anew === undefined ? await inspectAgain(disk) : `with nothing but the log: ${anew}`
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error)
  }
}

async function removeDerived(disk: SimulatedDisk): Promise<void> {
  await disk.remove('checkpoint').catch(() => undefined)
  for (const name of await disk.list('feeds').catch(() => [])) await disk.remove(`feeds/${name}`)
}

async function inspectLog(log: FeedLog, done: Model, begun: Model): Promise<string | undefined> {
  const sealed = log.feeds.filter(({ isSealed }) => isSealed)
  if (sealed.length < done.sealed || sealed.length > begun.sealed) return `${sealed.length} sealed feeds`
  for (const feed of sealed) if (feed.have.count !== 3 || feed.head?.length !== 3) return 'a sealed feed is not whole'
  return (
    (await inspectFeed('own', log.find(ownName), done.own, begun.own)) ??
    (await inspectFeed('copy', log.find(copyName), done.copy, begun.copy))
  )
}

/** It has all of what was done, and nothing but what was begun. */
async function inspectFeed(
  what: string,
  feed: StoredFeed | undefined,
  done: Held,
  begun: Held,
): Promise<string | undefined> {
  if (feed === undefined) return done.blocks.length > 0 ? `the feed ${what} is gone` : undefined
  const { tip, tipPeaks, have } = feed
  const model = [begun, done].find(({ fork, blocks }) => fork === tip.fork && blocks.length >= tip.length)
  const isOver = done.fork === begun.fork || tip.fork === begun.fork
  if (model === undefined || (tip.fork === done.fork && tip.length < done.blocks.length && isOver))
    return `${what}: ${tip.length} blocks of fork ${tip.fork}, not ${done.blocks.length} of ${done.fork}`
  const ids = model.blocks.slice(0, tip.length)
  const isWhole = have.nextHole(begun.first) >= done.blocks.length
  if (tip.length > 0 && !isWhole && done.fork === begun.fork)
    return `${what}: of ${done.blocks.length} blocks from ${begun.first} on ${have.count} are here`
  const tree = treeOf(ids)
  if (tip.length > 0 && !bytesEqual(rootOf(tip.length, tipPeaks), tree.root())) return `${what}: another root`
  for (let index = have.next(0); index !== undefined; index = have.next(index + 1)) {
    const [block] = await feed.blocks(index, index + 1, 1)
    if (!bytesEqual(block ?? new Uint8Array(0), blockOf(ids[index] ?? -1)))
      return `${what}: block ${index} of ${tip.length} is another (fork ${tip.fork}; ${describe(done)}, then ${describe(begun)})`
  }
  const positions = Array.from({ length: nodeCount(tip.length) }, (_value, position) => position)
  const nodes = have.count < tip.length ? undefined : await feed.nodes(positions)
  if (have.count === tip.length && !bytesEqual(nodes ?? new Uint8Array(0), tree.nodesAt(positions)))
    return `${what}: other nodes`
  return undefined
}

const addedId = 1_000_000

/** Appends one more block, and cuts the power. */
async function goOn(log: FeedLog): Promise<string | undefined> {
  const own = log.find(ownName)
  if (own === undefined) return undefined
  const before = own.tip.length
  const start = await writerOf(own).append([blockOf(addedId)], blockOf(addedId).length)
  return start === before ? undefined : `the next block has number ${start}, not ${before}`
}

async function inspectAgain(disk: SimulatedDisk): Promise<string | undefined> {
  const own = (await openLog(disk.afterCrash())).find(ownName)
  if (own === undefined) return undefined
  const last = own.tip.length - 1
  const [block] = await own.blocks(last, last + 1, 1)
  return bytesEqual(block ?? new Uint8Array(0), blockOf(addedId))
    ? undefined
    : 'what was appended after the crash is gone'
}

function describe({ fork, blocks }: Held): string {
  return `${blocks.length} of fork ${fork}`
}
