import type { Feed } from '../../../src/feed/feed-api.ts'
import type { World } from '../../../src/testing/index.ts'
import { Ledger } from './ledger.ts'
import { Open, patience, type Life, type Subject } from './life.ts'
import { join } from './links.ts'
import type { Reading, Site } from './site.ts'

/** All must be where it is wanted by then: a broken link is found out after 75 s, a peer is left alone for a minute at most. */
const settleMs = 300_000

/** A copy of a feed at the end. */
interface Copy {
  readonly site: Site
  readonly life: Life
  readonly feed: Feed
  readonly open: Open
  /** Absent at its writer. */
  readonly reading: Reading | undefined
}

/**
 * Ends all faults, joins the honest sites in a star around `hub`, or in a line, and lets time pass until each has what it wants; whatever
 * is not right is a violation.
 */
export async function judge(world: World, sites: readonly Site[], hub: Site | undefined): Promise<void> {
  const honest = sites.filter(({ isBad }) => !isBad)
  world.heal()
  for (const site of sites) {
    site.isDone = true
    site.disk.disk.capacityBytes = Number.POSITIVE_INFINITY
    site.disk.syncsToFail = 0
    if (site.isBad) world.end(site.name)
  }
  for (const { name } of honest) world.restart(name)
  if (!(await world.run(() => honest.every(({ life }) => life !== undefined), 120_000)))
    return world.violation(
      `not everybody runs: ${honest
        .filter(({ life }) => life === undefined)
        .map(({ name }) => name)
        .join(', ')}`,
    )
  for (const site of honest)
    if (site.life !== undefined && site.life.excused.size > 0) await world.settle(site.reopen())
  // Some were being opened anew by themselves.
  await world.run(() => honest.every(({ life }) => life?.isOver === false && life.excused.size === 0), 120_000)
  const lives = honest.map(({ life }) => life as Life)
  const copies = await world.settle(openAll(honest))
  lives.forEach((life, index) => {
    const next = hub ?? honest[index + 1]
    if (next !== undefined && next.life !== life) void join(life, next)
  })
  const complain = (): readonly string[] => bySubject(copies).flatMap((ofOne) => complaintsOf(ofOne))
  const endMs = world.now + settleMs
  let complaints = complain()
  for (let stepMs = 200; complaints.length > 0 && world.now < endMs; stepMs = Math.min(5_000, stepMs * 1.5)) {
    await world.run(world.now + stepMs)
    complaints = complain()
  }
  for (const complaint of complaints) world.violation(complaint)
  await world.settle(Promise.all(copies.map((copy) => readAll(copy))))
  await world.settle(Promise.all(honest.map((site) => site.close())))
}

/** Every feed that a site is to have, opened if it is not. */
async function openAll(sites: readonly Site[]): Promise<readonly Copy[]> {
  const copies: Copy[] = []
  for (const site of sites) {
    const { life, writes, seals } = site
    if (life === undefined) continue
    const kept = [...site.reads.map((reading) => ({ reading, subject: reading.subject })), ...own([writes, seals])]
    for (const { reading, subject } of kept) {
      if (idOf(subject) === undefined) continue
      const opening = reading === undefined ? openOwn(life, subject) : life.feeds.open(subject.id, reading.options)
      const feed = await life.call(`open ${subject.name} at the end`, opening)
      if (feed === undefined) continue
      const open = Open.of(life, feed, subject, reading?.wanted)
      copies.push({ site, life, feed, open, reading })
      for (const index of reading?.wanted ?? [])
        void life.call(
          `want ${index}`,
          feed.download({ start: index, end: index + 1 }, { signal: life.ending.signal }),
          ['FEED_FROZEN'],
        )
    }
  }
  return copies
}

function own(subjects: readonly (Subject | undefined)[]): { reading: undefined; subject: Subject }[] {
  return subjects.flatMap((subject) => (subject === undefined ? [] : [{ reading: undefined, subject }]))
}

function idOf(subject: Subject): string | undefined {
  return subject instanceof Ledger || (subject as { sealed?: string }).sealed !== undefined ? subject.id : undefined
}

function openOwn(life: Life, subject: Subject): Promise<Feed> {
  return subject instanceof Ledger ? life.feeds.create({ identity: subject.identity }) : life.feeds.open(subject.id)
}

function bySubject(copies: readonly Copy[]): readonly (readonly Copy[])[] {
  const groups = new Map<Subject, Copy[]>()
  for (const copy of copies) {
    const group = groups.get(copy.open.subject)
    if (group === undefined) groups.set(copy.open.subject, [copy])
    else group.push(copy)
  }
  return [...groups.values()]
}

/** What is not as it must be between the copies of one feed. */
function complaintsOf(copies: readonly Copy[]): readonly string[] {
  const complaints: string[] = []
  const say = ({ site, open }: Copy, what: string): void =>
    void complaints.push(`${site.name}: ${open.subject.name} ${what}`)
  const frozen = copies.filter(({ feed }) => feed.status().isFrozen)
  if (frozen.length > 0) {
    for (const copy of copies) if (!frozen.includes(copy)) say(copy, 'is not frozen, though it is elsewhere')
    return complaints
  }
  const isLossy = copies.some(
    ({ site, open }) => site.isLossy || (open.subject instanceof Ledger && open.subject.isRestored),
  )
  // Of what is lost for good, blocks or a fork, somebody may still have heard.
  const reach = ({ feed }: Copy): number => (isLossy ? heldEnd(feed) : feed.length)
  const forks = copies.filter((copy) => !isLossy || reach(copy) > 0).map(({ feed }) => feed.fork)
  const fork = Math.max(0, ...forks)
  const current = copies.filter(({ feed }) => feed.fork === fork)
  const length = Math.max(...current.map(reach))
  for (const copy of copies) {
    const { feed, reading, open } = copy
    const status = feed.status()
    // Who has heard of a later fork, of which nobody has a block, takes none of an older one, and passes none on.
    if (isLossy && (copies.some((other) => other.feed.fork > fork) || isStuck(copy, current, length))) continue
    if (feed.fork !== fork || (isLossy ? feed.length < length : feed.length !== length))
      say(copy, `has fork ${feed.fork} and ${feed.length} blocks, and elsewhere there are ${length} of fork ${fork}`)
    if (reading === undefined && open.subject instanceof Ledger && !isLossy && feed.length < open.subject.length)
      say(copy, `has ${feed.length} blocks, and ${open.subject.length} were acknowledged`)
    if (status.isBehind && !isLossy) say(copy, 'is behind')
    if (status.held !== heldOf(feed) || status.contiguousLength !== contiguousOf(feed))
      say(copy, `says it holds ${status.held}, ${status.contiguousLength} without a hole`)
    const isFull = reading?.options.mode !== 'sparse'
    if (isFull && !isLossy && status.held !== length) say(copy, `holds ${status.held} of ${length} blocks`)
    const missing = missingOf(copy, current, length)
    if (missing !== undefined) say(copy, `lacks block ${missing}, which others have`)
  }
  return complaints
}

/**
 * After a loss, nobody may be able to lead on a copy from where it is: those who have blocks behind do not have all the nodes between. It
 * stays there until somebody comes who has, or the writer truncates its feed.
 */
function isStuck({ feed, reading }: Copy, copies: readonly Copy[], length: number): boolean {
  // Heads are passed on with what they prove: who cannot be led on keeps them from others, too.
  if (reading === undefined && !feed.status().isBehind)
    return copies.some(
      (other) => other.reading !== undefined && isStuckAt(contiguousOf(other.feed), other, copies, length),
    )
  return isStuckAt(contiguousOf(feed), { feed }, copies, length)
}

/** Somebody through whom the blocks behind may have to come lacks some of them, and perhaps the nodes that prove the others. */
function isStuckAt(from: number, { feed }: Pick<Copy, 'feed'>, copies: readonly Copy[], length: number): boolean {
  const canLead = (other: Feed): boolean => {
    for (let index = from; index < Math.max(other.length, length); index += 1) if (!other.has(index)) return false
    return true
  }
  return copies.some((other) => other.feed !== feed && other.feed.length > from && !canLead(other.feed))
}

/** The first block that it wants and does not have, though somebody has it. */
function missingOf({ feed, reading }: Copy, copies: readonly Copy[], length: number): number | undefined {
  const isWanted = (index: number): boolean => reading?.options.mode !== 'sparse' || reading.wanted.has(index)
  for (let index = 0; index < length; index += 1)
    if (!feed.has(index) && isWanted(index) && copies.some((other) => canGive(other, index))) return index
  return undefined
}

/** What proves a block may have rotted with what it could be computed from. */
function canGive({ feed, site }: Copy, index: number): boolean {
  return feed.has(index) && !site.isRotten
}

/** Behind the last block that is here. */
function heldEnd(feed: Feed): number {
  let end = feed.length
  while (end > 0 && !feed.has(end - 1)) end -= 1
  return end
}

function heldOf(feed: Feed): number {
  let held = 0
  for (let index = 0; index < feed.length; index += 1) if (feed.has(index)) held += 1
  return held
}

function contiguousOf(feed: Feed): number {
  let index = 0
  while (index < feed.length && feed.has(index)) index += 1
  return index
}

/** Every block that is here is its writer's. */
async function readAll({ life, feed, open }: Copy): Promise<void> {
  const signal = patience(life, 20_000)
  for (let index = 0; index < feed.length; index += 1) {
    if (!feed.has(index)) continue
    let to = index
    while (to < feed.length && feed.has(to)) to += 1
    const blocks = feed.blocks({ from: index, to, signal })[Symbol.asyncIterator]()
    for (; index < to; index += 1) {
      const next = await life.call('the next block at the end', blocks.next(), ['TIMEOUT', 'FEED_FROZEN'])
      if (next === undefined || next.done === true) return
      open.check(feed.fork, index, next.value)
    }
  }
}
