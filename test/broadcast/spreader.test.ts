import { describe, expect, it } from 'vitest'
import { Ring } from '../../src/broadcast/ring.ts'
import { defaultSettings } from '../../src/broadcast/settings.ts'
import { Spreader } from '../../src/broadcast/spread/spreader.ts'
import type { SpreadReport } from '../../src/broadcast/spread/task.ts'
import { CountingProbe } from '../../src/runtime/simulated/probe.ts'
import { keyedIdentity } from './keyed.ts'
import { batchOf } from './lone-member.ts'

describe('a member that does not answer', () => {
  /** Publishes to one that is silent, and has `change` done then. Returns when that was over, in ms. */
  function publishToSilent(change: (ring: Ring) => void): { readonly atMs: number; readonly report: SpreadReport } {
    const [self, silent] = [keyedIdentity('self'), keyedIdentity('silent')]
    const ring = new Ring([self.id, silent.id])
    const spreader = new Spreader({
      members: { self: self.id, ring, isWhole: false, isSuspect: () => false },
      port: { send: () => true, sendEncoded: () => true, doubt: () => undefined },
      ...{ settings: defaultSettings, hopsMax: 16, tasksMax: 64, firstTicket: 7, probe: new CountingProbe() },
    })
    let report: SpreadReport | undefined
    const held = { batch: batchOf(self, 1), takenAt: 0, isVerified: true, isKept: true, regions: [] }
    spreader.publish(held, undefined, 0, { eased: () => undefined, over: (told) => (report = told) })
    change(ring)
    for (let now = 0; now < 60_000; now += 50) {
      spreader.tick(now)
      if (report !== undefined) return { atMs: now, report }
    }
    throw new Error('it is never over')
  }

  it('is asked four times while it is known, and twice when it was forgotten to make room for others', () => {
    const known = publishToSilent(() => undefined)
    const forgotten = publishToSilent((ring) => ring.remove(keyedIdentity('silent').id))
    expect(known.atMs).toBeGreaterThan(15_000)
    expect(forgotten.atMs).toBeLessThan(7_000)
    for (const { report } of [known, forgotten])
      expect(report).toEqual({ reached: 0, missing: 1, unreached: [keyedIdentity('silent').id] })
  })
})
