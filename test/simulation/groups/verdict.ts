import { bytesEqual, encodeHex } from '../../../src/base/bytes.ts'
import type { OpenGroup } from '../../../src/causal/group.ts'
import { formatDot } from '../../../src/crdt/dot.ts'
import type { Dot } from '../../../src/crdt/dot.ts'
import type { SeededRandom, World } from '../../../src/testing/index.ts'
import type { GroupLedger, Operation } from './ledger.ts'
import type { GroupLife } from './life.ts'
import type { Society } from './member.ts'
import type { GroupSite } from './site.ts'

/** All must be level by then: a broken link is found out after 75 s, and backoffs reach half a minute. */
const settleMs = 400_000

interface Seat {
  readonly site: GroupSite
  readonly life: GroupLife
  readonly group: OpenGroup
}

/** Ends all faults, lets time pass until everybody who is a member has the same, and reports whatever is not right. */
export async function judge(world: World, society: Society, ledger: GroupLedger, random: SeededRandom): Promise<void> {
  const { sites } = society
  world.heal()
  for (const site of sites) {
    site.isDone = true
    world.restart(site.name)
  }
  if (!(await world.run(() => sites.every(({ life }) => life !== undefined), 120_000)))
    return world.violation('not everybody runs')
  if (!(await level(world, society, ledger))) return
  for (const complaint of await world.settle(tableComplaints(seatsOf(society), ledger))) world.violation(complaint)
  noteAdmissions(world, seatsOf(society))
  const isOnceMore = random.chance(0.3)
  await world.settle(Promise.all(sites.map((site) => (isOnceMore ? site.reopen() : site.close()))))
  if (!isOnceMore) return
  await world.run(() => sites.every(({ life }) => life !== undefined), 120_000)
  await level(world, society, ledger)
  await world.settle(Promise.all(sites.map((site) => site.close())))
}

/** Whether all are level in the end. */
async function level(world: World, society: Society, ledger: GroupLedger): Promise<boolean> {
  const endMs = world.now + settleMs
  let complaints = complaintsOf(society, ledger)
  for (let stepMs = 200; complaints.length > 0 && world.now < endMs; stepMs = Math.min(5_000, stepMs * 1.5)) {
    await world.run(world.now + stepMs)
    complaints = complaintsOf(society, ledger)
  }
  for (const complaint of complaints) world.violation(complaint)
  return complaints.length === 0
}

/** Those who are in the group, as the founder knows it, or who else has the most of it. */
function seatsOf({ sites }: Society): readonly Seat[] {
  const seats = sites.flatMap((site): Seat[] => {
    const { life } = site
    return life?.group === undefined ? [] : [{ site, life, group: life.group }]
  })
  const rosterOf = ({ group }: Seat): number => group.engine.machine.roster.entries.length
  const [first] = seats
    .filter(({ group }) => group.role !== undefined)
    .sort((left, right) => rosterOf(right) - rosterOf(left))
  const members = first?.group.engine.machine.roster.members
  return seats.filter(({ site }) => members?.get(site.node.id)?.isRemoved === false)
}

/** What is not as it must be. */
function complaintsOf(society: Society, ledger: GroupLedger): readonly string[] {
  if (ledger.forked.size > 0) return []
  const seats = seatsOf(society)
  const [first] = seats
  if (first === undefined) return society.groupId === undefined ? [] : ['nobody is left in the group']
  const complaints: string[] = []
  const say = ({ site }: Seat, what: string): void => void complaints.push(`${site.name}: ${what}`)
  const isStuck = new Set(seats.filter((seat) => waitsForLost(seat, society)))
  for (const seat of seats) {
    const { group } = seat
    const { engine } = group
    const { machine } = engine
    if (membersIn(group) !== membersIn(first.group))
      say(seat, `knows other members than ${first.site.name}: ${membersIn(group)} | ${membersIn(first.group)}`)
    if (clockOf(group) !== clockOf(first.group))
      say(seat, `has delivered ${clockOf(group)}, and ${first.site.name} ${clockOf(first.group)}`)
    if (!engine.isWriting) say(seat, 'cannot write')
    if (engine.progress.waiting > 0) say(seat, `${engine.progress.waiting} entries are not in the view`)
    const unstable = isEverybodyHere(group, seats) && !isStuck.has(seat) ? unstableIn(seat, ledger) : undefined
    if (unstable !== undefined) say(seat, `does not know that everybody has ${named(unstable, ledger)}`)
    const waiting = machine.order.feeds.find(({ waitsFor }) => waitsFor !== undefined)
    if (waiting?.waitsFor !== undefined && !isStuck.has(seat))
      say(seat, `waits for ${named(waiting.waitsFor, ledger)}, which somebody has`)
    for (const operation of ledger.operations.values()) {
      const what = lossOf(operation, seat, society, ledger, isStuck.has(seat))
      if (what !== undefined) say(seat, `${named(operation.dot, ledger)} ${what}`)
      if (what !== undefined) break
    }
  }
  const replicas = seats.filter(({ life }) => life.replica !== undefined)
  const [replica] = replicas
  for (const other of replicas)
    if (replica !== undefined && complaints.length === 0 && !bytesEqual(hashOf(other), hashOf(replica)))
      say(other, `another state than ${replica.site.name}: ${encodeHex(hashOf(other)).slice(0, 8)}`)
  return complaints
}

/** Whether everybody who is waited for is alive. */
function isEverybodyHere({ members }: OpenGroup, seats: readonly Seat[]): boolean {
  return members.every(({ node, isParked }) => isParked || seats.some(({ site }) => site.node.id === node))
}

/** An operation of which not everybody has said that it has come. */
function unstableIn({ group }: Seat, ledger: GroupLedger): Dot | undefined {
  const { machine } = group.engine
  const stable = machine.stable()
  for (const { dot } of ledger.operations.values()) {
    const feed = machine.order.feed(dot.writer)
    if (feed !== undefined && feed.delivered >= dot.number && (stable[feed.place] ?? 0) < dot.number) return dot
  }
  return undefined
}

function hashOf({ life }: Seat): Uint8Array {
  return life.replica?.hash() ?? new Uint8Array(0)
}

/** Why an operation should be here and is not; undefined when all is well. */
function lossOf(
  operation: Operation,
  { life, group }: Seat,
  society: Society,
  ledger: GroupLedger,
  isStuck: boolean,
): string | undefined {
  const { dot, name, acknowledged } = operation
  if (ledger.forked.has(dot.writer)) return undefined
  const delivered = group.engine.machine.order.feed(dot.writer)?.delivered ?? 0
  const author = ledger.siteByWriter.get(dot.writer)
  const isCounted = life.counts(dot)
  if (delivered >= dot.number) {
    // Its number may have been given again, by a writer who had forgotten that it was given and whom nobody could tell.
    if (isCounted && !life.has(dot, name) && !mayBeLost(operation, author, society))
      return 'was passed over, and counts'
    if (!isCounted && acknowledged !== undefined && (author === undefined || !ledger.curbed.has(author)))
      return 'was acknowledged and does not count'
    return undefined
  }
  if (acknowledged === undefined || isStuck) return undefined
  if (!isCounted && author !== undefined && ledger.curbed.has(author)) return undefined
  if (isLost(dot, society) && mayBeLost(operation, author, society)) return undefined
  return `was acknowledged (${acknowledged}) and is not here${isLost(dot, society) ? ', nor anywhere' : ''}`
}

/** Whether so many have lost their disks as were said to have it. */
function mayBeLost({ acknowledged }: Operation, author: GroupSite | undefined, { sites }: Society): boolean {
  if (author?.isLossy !== true) return false
  const lossy = sites.filter(({ isLossy }) => isLossy).length
  return acknowledged === undefined || acknowledged === 'local' || lossy > 1
}

/** Whether nobody has it any more. */
function isLost({ writer, number }: Dot, { sites }: Society): boolean {
  return sites.every(({ life }) => (life?.feedsByWriter.get(writer)?.contiguousLength ?? 0) < number)
}

function waitsForLost({ group }: Seat, society: Society): boolean {
  return group.engine.machine.order.feeds.some(({ waitsFor }) => waitsFor !== undefined && isLost(waitsFor, society))
}

/** The tables of handlers have each operation once that counts, and no other. */
async function tableComplaints(seats: readonly Seat[], ledger: GroupLedger): Promise<readonly string[]> {
  const complaints: string[] = []
  if (ledger.forked.size > 0) return []
  for (const { site, life, group } of seats) {
    if (site.taking !== 'handler') continue
    await group.view.idle()
    const found = new Set<string>()
    for (const { key } of await group.view.view.entries('application'))
      found.add(new TextDecoder().decode(key.subarray(1 + (key[0] ?? 0))))
    for (const { dot, name, isPoison } of ledger.operations.values()) {
      if (ledger.forked.has(dot.writer)) continue
      const delivered = group.engine.machine.order.feed(dot.writer)?.delivered ?? 0
      const isDue = delivered >= dot.number && life.counts(dot) && !isPoison
      if (isDue !== found.has(name))
        complaints.push(`${site.name}: ${named(dot, ledger)} ${isDue ? 'was not' : 'was'} carried out`)
    }
  }
  return complaints
}

/** Two members have let the same one in. */
function noteAdmissions(world: World, seats: readonly Seat[]): void {
  const [first] = seats
  if (first === undefined) return
  const { roster } = first.group.engine.machine
  for (const feed of roster.named()) if (roster.naming(feed).length > 1) world.mark('admitted twice')
}

function membersIn({ engine }: OpenGroup): string {
  return Array.from(engine.machine.roster.members.values(), ({ node, role, feeds, isParked, isRemoved }) =>
    [node.slice(0, 6), role, feeds.map((feed) => feed.slice(0, 6)).join('+'), isParked, isRemoved].join(' '),
  )
    .sort()
    .join(', ')
}

function clockOf({ engine }: OpenGroup): string {
  const { order } = engine.machine
  return order.feeds
    .map(({ writer, delivered }) => `${writer.slice(0, 6)} ${delivered}`)
    .filter((text) => !text.endsWith(' 0'))
    .sort()
    .join(', ')
}

function named(dot: Dot, ledger: GroupLedger): string {
  return `operation ${formatDot(dot).slice(0, 12)} of ${ledger.siteByWriter.get(dot.writer)?.name ?? 'nobody'}`
}
