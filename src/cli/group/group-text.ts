import { formatDot } from '../../crdt/dot.ts'
import type { GroupFacts } from '../control/group-requests.ts'
import { printable } from '../printable.ts'
import { table } from '../table.ts'
import { countOf, formatBytes, formatCount } from '../units.ts'
import type { Role } from '../../causal/members/roster-operation.ts'

/** A group in one line. */
export function groupLine({ id, name, members, keys }: GroupFacts): string {
  return `${printable(name)}  ${id}  ${countOf(members.length, 'member')}, ${countOf(keys, 'key')}`
}

/** All that is known of a group. */
export function groupLines(facts: GroupFacts, isServed: boolean): readonly string[] {
  const { id, name, members, keys, clock, stable, feeds, nodeId } = facts
  const count = (numbers: Readonly<Record<string, number>>): number =>
    Object.values(numbers).reduce((sum, number) => sum + number, 0)
  const others = members.filter(({ node }) => node !== nodeId)
  const connected = others.filter(({ isConnected }) => isConnected).length
  const lines = [
    `${printable(name)}  (${id})`,
    row('node', nodeId),
    row('may', roleText(facts)),
    row('members', `${formatCount(members.length)}${isServed ? `, ${connected} of the others connected` : ''}`),
    row('keys', formatCount(keys)),
    row('entries', `${formatCount(count(clock))}, of which ${formatCount(count(stable))} are everywhere`),
  ]
  for (const { waitsFor, waitingBytes } of feeds)
    if (waitsFor !== undefined) lines.push(row('waits', `${formatBytes(waitingBytes)} for ${formatDot(waitsFor)}`))
  const behind = others.filter(({ lag, isParked }) => lag > 0 && !isParked)
  for (const { node, lag } of behind) lines.push(row('behind', `${node}  ${countOf(lag, 'entry', 'entries')}`))
  if (!isServed) lines.push(row('served', 'no: `plait group serve` keeps it in touch with the others'))
  return lines
}

/** What this store may do, in words. */
export function roleText({ role }: Pick<GroupFacts, 'role'>): string {
  return role === undefined ? 'do nothing: it is no member (yet)' : words[role]
}

const words: Readonly<Record<Role, string>> = {
  read: 'read',
  write: 'read and write',
  admin: 'read, write and invite others',
}

/** The members of a group, one in a line. */
export function membersTable({ members, nodeId }: GroupFacts, isServed: boolean): readonly string[] {
  const rows = members.map((member) => {
    const { node, role, lag, addresses } = member
    const listens = addresses.map((address) => address.slice(address.indexOf('@') + 1)).join(', ')
    return [node, role, stateOf(member, nodeId, isServed), formatCount(lag), listens]
  })
  return table(['NODE', 'ROLE', 'STATE', 'BEHIND', 'LISTENS'], rows, [3])
}

function stateOf(member: GroupFacts['members'][number], own: string, isServed: boolean): string {
  if (member.node === own) return 'this store'
  if (member.isParked) return 'parked'
  if (!isServed) return 'unknown'
  return member.isConnected ? 'connected' : 'away'
}

function row(name: string, text: string): string {
  return `  ${name.padEnd(8)}  ${text}`
}
