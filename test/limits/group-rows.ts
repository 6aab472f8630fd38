import { emptyBytes } from '../../src/base/bytes.ts'
import { CausalOrder } from '../../src/causal/order/causal-order.ts'
import { rawBody } from '../../src/causal/order/bodies.ts'
import { encodeEntry } from '../../src/causal/order/entry.ts'
import { FeedTable } from '../../src/causal/order/feed-table.ts'
import { Census } from '../../src/causal/members/census.ts'
import type { RosterOperation } from '../../src/causal/members/roster-operation.ts'
import { writerFromKey } from '../../src/crdt/dot.ts'
import { capping } from './row.ts'
import type { Outcome, Row } from './row.ts'

const founder = keyOf(0)
const group = writerFromKey(founder)
const signature = new Uint8Array(64)
const entryBytes = 8_192

/** So many nodes come with one invitation. */
function admits(amount: number): Outcome {
  const census = new Census({ group, verify: () => true })
  let number = 0
  const say = (operation: RosterOperation): void => {
    number += 1
    census.take({ dot: { writer: group, number }, place: 0, operation, row: [number] })
  }
  const claim = { since: 1, proof: signature, addresses: [] }
  say({ kind: 'found', name: '', node: founder, ...claim, time: 1 })
  say({ kind: 'invite', invitation: founder, role: 'write', notAfter: 0, uses: 0, time: 2 })
  for (let index = 1; index < amount; index += 1) {
    const invited = { invitation: founder, invitationProof: signature, at: 0 }
    say({ kind: 'admit', node: keyOf(index), feed: keyOf(index), ...claim, ...invited, time: index + 2 })
  }
  return { closed: 'nothing', kept: [...census.members.values()].filter(({ isRemoved }) => !isRemoved).length }
}

/** Entries of so many bytes wait for one that never comes. */
function waits(amount: number): Outcome {
  const order = new CausalOrder({ delivered: () => {}, awaited: () => {} })
  const feed = order.open(group)
  const table = new FeedTable(group)
  const follows = [{ writer: writerFromKey(keyOf(1)), number: 1 }]
  for (let rest = amount; rest >= entryBytes && order.hasRoom(feed); rest -= entryBytes) {
    const empty = { schema: () => rawBody, value: emptyBytes }
    const head = encodeEntry(new FeedTable(group, table.mentioned(Infinity)), 'operation', follows, empty).bytes.length
    const value = new Uint8Array(entryBytes - head)
    order.receive(feed, encodeEntry(table, 'operation', follows, { schema: () => rawBody, value }).bytes)
  }
  return { closed: 'nothing', kept: feed.waitingBytes }
}

function keyOf(index: number): Uint8Array {
  return new Uint8Array(32).fill(7).map((byte, at) => (at < 4 ? (index >>> (8 * at)) & 255 : byte))
}

/** Groups. */
export const groupRows: readonly Row[] = [
  { limit: 'groupMembers', attempt: admits, ...capping },
  { limit: 'causalPendingBytes', attempt: waits, ...capping },
]
