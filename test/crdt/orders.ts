import { encodeHex } from '../../src/base/bytes.ts'
import type { Crdt, CrdtType } from '../../src/crdt/crdt-type.ts'
import { Site } from './history.ts'
import type { Sent } from './history.ts'

/** Every order of operations in which each comes after all that it follows. */
export function* causalOrders<Operation>(
  all: readonly Sent<Operation>[],
  before: readonly Sent<Operation>[] = [],
): Generator<readonly Sent<Operation>[]> {
  if (before.length === all.length) yield before
  for (const sent of all) {
    if (before.includes(sent)) continue
    const isNext = all.every((other) => before.includes(other) || !sent.follows.has(other.dot))
    if (isNext) yield* causalOrders(all, [...before, sent])
  }
}

/**
 * Applies operations in every causal order at replicas of their own. Returns one of them, and how many orders there are; throws when
 * two end with different states.
 */
export function inEveryOrder<State extends Crdt<Operation>, Operation>(
  type: CrdtType<State, Operation>,
  all: readonly Sent<Operation>[],
): { readonly value: State; readonly orders: number } {
  let first: Site<State, Operation> | undefined
  let orders = 0
  for (const order of causalOrders(all)) {
    const site = new Site(type, 99)
    for (const sent of order) site.deliver(sent)
    first ??= site
    orders += 1
    if (encodeHex(site.state.encode()) !== encodeHex(first.state.encode()))
      throw new Error(
        `another state in the order ${order.map(({ dot }) => `${dot.number}@${dot.writer[0]}`).join(' ')}`,
      )
  }
  if (first === undefined) throw new Error('there is no order')
  return { value: first.value, orders }
}
