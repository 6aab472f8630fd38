import { expect, it } from 'vitest'
import { PlaitError } from '../base/error.ts'
import { writerFromKey } from '../crdt/dot.ts'
import { SeededRandom } from '../runtime/simulated/random.ts'
import { decode, encode } from '../wire/schema.ts'
import { GroupMachine } from './group-machine.ts'
import { groupState, restoreState, stateOf } from './group-state.ts'
import { rawBody } from './order/bodies.ts'

const founder = new Uint8Array(32).fill(9)
const group = writerFromKey(founder)

function machine(): GroupMachine {
  const nothing = (): void => {}
  const events = { entered: nothing, delivered: nothing, passedOver: nothing, opened: nothing, membersChanged: nothing }
  return new GroupMachine({
    group,
    verify: () => true,
    events: { ...events, overturned: nothing, snapshotNamed: nothing },
  })
}

function written(): Uint8Array {
  const one = machine()
  one.become(group)
  const claim = { node: founder, since: 1, proof: new Uint8Array(64), addresses: [] }
  one.composeMembership({ kind: 'found', name: 'x', ...claim })
  one.composeMembership({ kind: 'invite', invitation: founder, role: 'write', notAfter: 0, uses: 0 })
  for (let number = 0; number < 5; number += 1)
    one.compose('operation', { schema: () => rawBody, value: new Uint8Array(3) })
  one.compose('snapshot', { schema: () => rawBody, value: founder })
  return encode(groupState, stateOf(one))
}

it('comes back as it was', () => {
  const bytes = written()
  const two = machine()
  restoreState(two, decode(groupState, bytes))
  expect(encode(groupState, stateOf(two))).toEqual(bytes)
  expect(two.roster.name).toBe('x')
  expect(two.order.delivered()).toEqual([8])
  two.become(group)
  two.compose('operation', { schema: () => rawBody, value: new Uint8Array(1) })
  expect(two.order.delivered()).toEqual([9])
})

it('is refused with a code when somebody has changed it, or goes on', () => {
  const random = new SeededRandom('states')
  const source = written()
  let refused = 0
  for (let round = 0; round < 5_000; round += 1) {
    const bytes = source.slice()
    for (let change = random.integer(1, 3); change > 0; change -= 1)
      bytes[random.integer(0, bytes.length - 1)] = random.integer(0, 255)
    const one = machine()
    try {
      restoreState(one, decode(groupState, bytes))
    } catch (error) {
      expect(PlaitError.is(error)).toBe(true)
      refused += 1
      continue
    }
    one.become(group)
    one.compose('operation', { schema: () => rawBody, value: new Uint8Array(1) })
    one.stable()
  }
  expect(refused).toBeGreaterThan(500)
})
