import type { Writer } from '../crdt/dot.ts'
import type { FeedStatus } from '../feed/feed-api.ts'
import type { GroupMember, GroupSnapshot } from './group-api.ts'
import type { GroupMachine } from './group-machine.ts'
import type { Member } from './members/member.ts'
import type { Row } from './order/history.ts'

/** What a group is doing. `own`: of the feed that is written here. */
export function groupSnapshot(machine: GroupMachine, uncommitted: number, own: FeedStatus | undefined): GroupSnapshot {
  const { order, roster } = machine
  const delivered = order.delivered()
  const byWriter = (row: Row): Readonly<Record<Writer, number>> =>
    Object.fromEntries(row.map((number, place) => [order.places.at(place), number]))
  const connected = new Set((own?.peers ?? []).map(({ nodeId }) => nodeId))
  return {
    id: machine.group,
    name: roster.name,
    clock: byWriter(delivered),
    stable: byWriter(machine.stable()),
    frontier: order.frontier(),
    members: currentMembers(roster.members.values()).map((member) => {
      const seen = machine.seenBy(member.node)
      const lag = delivered.reduce((sum, number, place) => sum + Math.max(0, number - (seen[place] ?? 0)), 0)
      return { ...memberOf(member), feeds: member.feeds, lag, isConnected: connected.has(member.node) }
    }),
    feeds: order.feeds.map(({ writer, delivered, received, waitingBytes, waitsFor }) => ({
      ...{ writer, delivered, received, waitingBytes, waitsFor },
    })),
    uncommitted,
    remembered: order.history.size,
  }
}

/** Those who were not removed. */
export function currentMembers(members: Iterable<Member>): readonly Member[] {
  return [...members].filter(({ isRemoved }) => !isRemoved)
}

export function memberOf({ node, role, isParked, addresses }: Member): GroupMember {
  return { node, role, isParked, addresses }
}
