import { describe, expect, it } from 'vitest'
import { runHistories } from '../../test/crdt/all-uses.ts'
import { count, fullCounts } from '../counts.ts'
import { seed } from '../seed.ts'

// Of a history that parts its replicas the message has the number; PLAIT_SEED begins with the same one again.

/** Random histories of 3 to 8 replicas, at full counts. */
const scenarios = [
  ['R1', 'set', 100_000],
  ['R1', 'map', 25_000],
  ['R1', 'map of records', 25_000],
  ['R1', 'register', 25_000],
  ['R1', 'multi-value register', 25_000],
  ['R1', 'counter', 25_000],
  ['R2', 'mailbox', 25_000],
  ['R3', 'tree', 100_000],
] as const

describe.each(scenarios)('%s %s', (_scenario, name, full) => {
  // The units run some of each already.
  const amount = fullCounts ? full : count(full / 10, 100)

  it(`${amount} random histories converge (seed ${seed})`, { timeout: 60_000 + amount * 60 }, () => {
    expect(() => runHistories(name, seed, amount)).not.toThrow()
  })
})
