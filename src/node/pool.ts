import { PlaitError } from '../base/error.ts'
import type { Limits } from '../base/limits.ts'
import type { NodeId } from '../identity/node-id.ts'
import { addressGroup } from '../link/address.ts'
import { parseAddress } from './url.ts'

/** How many sessions a node has room for: opened by others, by itself, in all. */
export interface PoolLimits {
  readonly maxInbound: number
  readonly maxOutbound: number
  readonly sessions: number
}

/** What counts against the limits: a session, or a link on which this node has said ready. */
export interface Occupant {
  readonly remoteId: NodeId
  readonly remoteAddress: string
  readonly dialled: boolean
}

/**
 * Why there is no room for a session that another node opens, or undefined. Links of the same
 * node do not count: they lead to the session that it has, or one of them will give way.
 */
export function noRoom(all: Iterable<Occupant>, candidate: Occupant, pool: PoolLimits): PlaitError | undefined {
  const inbound = new Set<NodeId>()
  const total = new Set<NodeId>()
  for (const occupant of all) {
    if (occupant.remoteId === candidate.remoteId) continue
    total.add(occupant.remoteId)
    if (!occupant.dialled) inbound.add(occupant.remoteId)
  }
  if (inbound.size < pool.maxInbound && total.size < pool.sessions) return undefined
  const limit = inbound.size < pool.maxInbound ? pool.sessions : pool.maxInbound
  return tooMany(`this node has ${limit} sessions, and takes no more`, limit)
}

/** Why one address (an IPv6 /64 is one) has no room for a session more, or undefined. */
export function addressFull(all: Iterable<Occupant>, candidate: Occupant, limits: Limits): PlaitError | undefined {
  const group = groupOf(candidate.remoteAddress)
  let sessions = 0
  for (const occupant of all) {
    if (occupant.remoteId === candidate.remoteId || occupant.dialled) continue
    if (groupOf(occupant.remoteAddress) === group) sessions += 1
  }
  const limit = limits.sessionsPerAddress
  return sessions < limit
    ? undefined
    : tooMany(`${group} has ${limit} sessions with this node, and gets no more`, limit)
}

/**
 * What a link that comes in has to expect when many before it are not ready yet: undefined when there is room; `oldest` is the
 * one that has to give way, and when there is none the link itself.
 */
export function pendingFull<One extends Occupant>(
  unready: Iterable<One>,
  remoteAddress: string,
  limits: Limits,
): { readonly error: PlaitError; readonly oldest: One | undefined } | undefined {
  const group = groupOf(remoteAddress)
  let pending = 0
  let ofGroup = 0
  let oldest: One | undefined
  for (const occupant of unready) {
    if (occupant.dialled) continue
    pending += 1
    if (groupOf(occupant.remoteAddress) !== group) continue
    ofGroup += 1
    oldest ??= occupant
  }
  if (ofGroup >= limits.pendingHandshakesPerAddress) {
    return {
      error: tooMany(`${group} has begun too many sessions with this node at once`, limits.pendingHandshakesPerAddress),
      oldest,
    }
  }
  if (pending < limits.pendingHandshakes) return undefined
  return {
    error: tooMany('too many sessions are being opened with this node at once', limits.pendingHandshakes),
    oldest,
  }
}

function groupOf(remoteAddress: string): string {
  try {
    return addressGroup(parseAddress(remoteAddress).host)
  } catch {
    return remoteAddress
  }
}

function tooMany(message: string, limit: number): PlaitError {
  return new PlaitError('TOO_MANY_SESSIONS', `${message}: try again later`, { facts: { limit } })
}
