import { expect, it } from 'vitest'
import { writerFromKey } from '../crdt/dot.ts'
import { GroupMachine } from './group-machine.ts'
import { stateOf } from './group-state.ts'
import { rawBody } from './order/bodies.ts'
import { countsAlike } from './snapshot-check.ts'

const founder = new Uint8Array(32).fill(9)
const group = writerFromKey(founder)
const verify = (): boolean => true
const nothing = (): void => {}

it('is of the same entries until it is heard that some of them are void', () => {
  const events = { entered: nothing, delivered: nothing, passedOver: nothing, opened: nothing, membersChanged: nothing }
  const machine = new GroupMachine({
    group,
    verify,
    events: { ...events, overturned: nothing, snapshotNamed: nothing },
  })
  machine.become(group)
  machine.composeMembership({
    ...{ kind: 'found', name: 'x', node: founder, since: 1 },
    ...{ proof: new Uint8Array(64), addresses: [] },
  })
  const write = (): void => void machine.compose('operation', { schema: () => rawBody, value: new Uint8Array(1) })
  for (let count = 0; count < 5; count += 1) write()
  const state = stateOf(machine)
  write()
  expect(countsAlike(state, machine, verify)).toBe(true)
  machine.composeMembership({ kind: 'role', node: founder, role: 'read', ends: [{ feed: founder, length: 3 }] })
  expect(countsAlike(state, machine, verify)).toBe(false)
})
