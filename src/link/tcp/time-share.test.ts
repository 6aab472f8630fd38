import { describe, expect, it } from 'vitest'
import { TimeShare } from './time-share.ts'

/** Turns of an event loop on virtual time, each with `workMs` of others' work, until `untilMs`; returns how much the share has got. */
function run(workMs: number, sliceMs: number, untilMs: number): number {
  const share = new TimeShare()
  let now = 0
  let spentMs = 0
  while (now < untilMs) {
    if (share.due(now)) {
      now += sliceMs
      spentMs += sliceMs
      share.spend(sliceMs, now)
    }
    now += workMs
  }
  return spentMs
}

describe('a share of the time', () => {
  it('is a third while others have work in each turn, however short or long theirs and its own is', () => {
    for (const workMs of [0.1, 0.5, 2]) {
      for (const sliceMs of [0.5, 3, 40]) {
        const spentMs = run(workMs, sliceMs, 10_000)
        expect(spentMs).toBeGreaterThan(1_900)
        expect(spentMs).toBeLessThan(3_400)
      }
    }
  })

  it('is nearly all when nobody else has any', () => {
    expect(run(0.01, 3, 10_000)).toBeGreaterThan(9_800)
  })

  it('rests for what is spent later in the same turn, too', () => {
    const share = new TimeShare()
    expect(share.due(0)).toBe(true)
    share.spend(3, 3)
    share.spend(1, 4)
    expect(share.due(10.5)).toBe(false)
    expect(share.due(11)).toBe(true)
  })
})
