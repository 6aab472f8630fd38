import { bytesEqual, encodeHex } from '../../../src/base/bytes.ts'
import { emptyBody } from '../../../src/causal/order/bodies.ts'
import type { OpenGroup } from '../../../src/causal/group.ts'
import { formatDot } from '../../../src/crdt/dot.ts'
import type { Dot } from '../../../src/crdt/dot.ts'
import type { SeededRandom, World } from '../../../src/testing/index.ts'
import type { GroupLedger, Operation } from './ledger.ts'
import { patience } from './life.ts'
import type { GroupLife } from './life.ts'
import type { Society } from './member.ts'
import type { GroupSite } from './site.ts'

/** All must be level by then: a broken link is found out after 75 s, and backoffs reach half a minute. */
const settleMs = 400_000

/** What is known outside of the world. */
interface Known {
  readonly society: Society
  readonly seats: readonly Seat[]
  readonly ledger: GroupLedger
}

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
  await reunite(world, society)
  if (!(await level(world, society, ledger))) return
  for (const complaint of await world.settle(tableComplaints(seatsOf(society), ledger))) world.violation(complaint)
  noteAdmissions(world, seatsOf(society))
  await checkRemoved(world, society)
  const isOnceMore = random.chance(0.3)
  await world.settle(Promise.all(sites.map((site) => (isOnceMore ? site.reopen() : site.close()))))
  if (!isOnceMore) return
  await world.run(() => sites.every(({ life }) => life !== undefined), 120_000)
  await level(world, society, ledger)
  await world.settle(Promise.all(sites.map((site) => site.close())))
}

/**
 * Who was put back to before it had let others in does not know them any more, nor do those who had it from there; and who has forgotten
 * all others can write only when one of them says so. Their users give each other links, as at first.
 */
async function reunite(world: World, { sites }: Society): Promise<void> {
  if (!sites.some(({ isLossy }) => isLossy)) return
  await world.run(world.now + 60_000)
  for (const site of sites) {
    const group = site.life?.group
    if (group === undefined) continue
    const isCutOff = (host: GroupSite): boolean => !group.engine.isWriting || !knows(group, host)
    const host = sites.find((one) => isAdmin(one.life?.group) && knows(one.life?.group, site) && isCutOff(one))
    if (host !== undefined) await letIn(world, host, site)
  }
  for (const host of sites)
    for (const site of sites) {
      const { group } = host.life ?? {}
      if (!isAdmin(group) || group?.engine.machine.roster.members.has(site.node.id) || !knows(site.life?.group, host))
        continue
      world.mark('let in again by who had forgotten it')
      await letIn(world, host, site)
    }
}

function isAdmin(group: OpenGroup | undefined): boolean {
  return group?.role === 'admin' && group.engine.isWriting
}

function knows(group: OpenGroup | undefined, { node }: GroupSite): boolean {
  return group?.members.some((member) => member.node === node.id) === true
}

async function letIn(world: World, host: GroupSite, site: GroupSite): Promise<void> {
  const { life } = site
  const group = host.life?.group
  if (life?.groups === undefined || group === undefined) return
  const link = await world.settle(group.invite({ role: life.group?.role ?? 'admin' }))
  await world.settle(life.groups.join(link, { signal: patience(life, 60_000) }).catch(() => {}))
  await world.run(world.now + 60_000)
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
  const removes = ({ group }: Seat, { site }: Seat): boolean =>
    group.engine.machine.roster.members.get(site.node.id)?.isRemoved === true
  // Who was removed hears nothing any more, of that neither.
  const insiders = seats.filter((seat) => !seats.some((other) => other !== seat && removes(other, seat)))
  const [first] = (insiders.length > 0 ? insiders : seats)
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
  const isStuck = new Set(seats.filter((seat) => waitsForLost(seat, seats)))
  for (const seat of seats) {
    const { group } = seat
    const { engine } = group
    const { machine } = engine
    if (membersIn(group) !== membersIn(first.group))
      say(seat, `knows other members than ${first.site.name}: ${membersIn(group)} | ${membersIn(first.group)}`)
    if (clockOf(group) !== clockOf(first.group))
      say(seat, `has delivered ${clockOf(group)}, and ${first.site.name} ${clockOf(first.group)}`)
    // Where all have forgotten what they had written, nobody can say of another one that it goes on.
    const isHopeless =
      seats.some((other) => other.site.isLossy) && seats.every((other) => !other.group.engine.isWriting)
    if (!engine.isWriting && !isHopeless) say(seat, 'cannot write')
    if (engine.progress.waiting > 0) say(seat, `${engine.progress.waiting} entries are not in the view`)
    const unstable = isEverybodyHere(group, seats) && !isStuck.has(seat) ? unstableIn(seat, ledger) : undefined
    if (unstable !== undefined) say(seat, `does not know that everybody has ${named(unstable, ledger)}`)
    const waiting = machine.order.feeds.find(({ waitsFor }) => waitsFor !== undefined)
    if (waiting?.waitsFor !== undefined && !isStuck.has(seat))
      say(seat, `waits for ${named(waiting.waitsFor, ledger)}, which somebody has`)
    for (const operation of ledger.operations.values()) {
      const what = lossOf(operation, seat, { society, seats, ledger }, isStuck.has(seat))
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

/** Who was removed gets nothing of what is written from then on. */
async function checkRemoved(world: World, society: Society): Promise<void> {
  const [seat] = seatsOf(society)
  const group = seat?.group
  if (group?.engine.isWriting !== true) return
  const removed = society.sites.filter(
    ({ node }) => group.engine.machine.roster.members.get(node.id)?.isRemoved === true,
  )
  if (removed.length === 0) return
  const { dot, durable } = group.engine.write('acknowledgement', { schema: () => emptyBody, value: undefined })
  const { writer, number } = dot
  const lengthAt = ({ life }: GroupSite): number => life?.feedsByWriter.get(writer)?.contiguousLength ?? 0
  // Who was put back before anybody saw it forks its feed: of the other branch there may be more there.
  const without = removed.filter((site) => lengthAt(site) < number)
  await world.settle(durable)
  await world.run(world.now + 5_000)
  for (const site of without)
    if (lengthAt(site) >= number) world.violation(`${site.name}: was removed, and gets what is written since`)
}

/** Whether everybody who is waited for is alive. */
function isEverybodyHere({ members }: OpenGroup, seats: readonly Seat[]): boolean {
  return members.every(({ node, isParked }) => isParked || seats.some(({ site }) => site.node.id === node))
}

/** An operation of which not everybody has said that it has come. */
function unstableIn({ group, life }: Seat, ledger: GroupLedger): Dot | undefined {
  const { machine } = group.engine
  const stable = machine.stable()
  for (const { dot, name, isForgotten } of ledger.operations.values()) {
    // Its number may have been given again, to an acknowledgement, of which nobody has to hear.
    if (isForgotten && !life.has(dot, name)) continue
    const feed = machine.order.feed(dot.writer)
    if (feed !== undefined && feed.delivered >= dot.number && (stable[feed.place] ?? 0) < dot.number) return dot
  }
  return undefined
}

function hashOf({ life }: Seat): Uint8Array {
  return life.replica?.hash() ?? new Uint8Array(0)
}

/** Why an operation should be here and is not; undefined when all is well. */
function lossOf(operation: Operation, { life, group }: Seat, known: Known, isStuck: boolean): string | undefined {
  const { seats, ledger } = known
  const { dot, name, acknowledged } = operation
  if (ledger.forked.has(dot.writer)) return undefined
  const delivered = group.engine.machine.order.feed(dot.writer)?.delivered ?? 0
  const author = ledger.siteByWriter.get(dot.writer)
  const isCounted = life.counts(dot)
  // Who was let in by somebody of whom that does not count is no member either.
  const isNobodys = group.engine.machine.roster.memberOf(dot.writer) === undefined && ledger.curbed.size > 0
  const isCurbed = isNobodys || (author !== undefined && ledger.curbed.has(author))
  if (delivered >= dot.number) {
    // Its number may have been given again, by a writer who had forgotten that it was given and whom nobody could tell.
    if (isCounted && !life.has(dot, name) && !mayBeLost(operation, author, known)) return 'was passed over, and counts'
    if (!isCounted && !isCurbed && acknowledged !== undefined) return 'was acknowledged and does not count'
    return undefined
  }
  if (acknowledged === undefined || isStuck) return undefined
  if (!isCounted && isCurbed) return undefined
  if (isLost(dot, seats) && mayBeLost(operation, author, known)) return undefined
  return `was acknowledged (${acknowledged}) and is not here${isLost(dot, seats) ? ', nor anywhere' : ''}`
}

/** Whether so many have lost their disks, or may have been removed, as were said to have it. */
function mayBeLost({ acknowledged }: Operation, author: GroupSite | undefined, { society, ledger }: Known): boolean {
  if (author?.isLossy !== true) return false
  const lossy = society.sites.filter(({ isLossy }) => isLossy).length
  return acknowledged === undefined || acknowledged === 'local' || lossy > 1 || ledger.curbed.size > 0
}

/** Whether no member has it any more. */
function isLost({ writer, number }: Dot, seats: readonly Seat[]): boolean {
  return seats.every(({ life }) => (life?.feedsByWriter.get(writer)?.contiguousLength ?? 0) < number)
}

function waitsForLost({ group }: Seat, seats: readonly Seat[]): boolean {
  return group.engine.machine.order.feeds.some(({ waitsFor }) => waitsFor !== undefined && isLost(waitsFor, seats))
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
    for (const { dot, name, isPoison, isForgotten } of ledger.operations.values()) {
      if (ledger.forked.has(dot.writer) || (isForgotten && !found.has(name))) continue
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
