import { expect, it } from 'vitest'
import { defaultLimits } from '../base/limits.ts'
import { Heartbeat } from './heartbeat.ts'

it.each([20, 990, 1_500, 10_000])('measures a round trip of %i ms, and takes every answer for one', (roundTripMs) => {
  const heartbeat = new Heartbeat(defaultLimits, 0)
  heartbeat.pace(true, 0)
  const answers: { readonly at: number; readonly token: number }[] = []
  let asked = 0
  let answered = 0
  for (let now = 0; now < 120_000; now += 10) {
    const token = heartbeat.tick(now)
    if (token !== undefined) {
      asked += 1
      answers.push({ at: now + roundTripMs, token })
    }
    // The other side has a heartbeat as well.
    if (now % 500 === 0) heartbeat.heard()
    while (answers[0] !== undefined && answers[0].at <= now) {
      expect(heartbeat.pong(answers.shift()!.token, now)).toBe(true)
      answered += 1
    }
  }
  expect(asked).toBeGreaterThan(115)
  expect(asked - answered).toBeLessThanOrEqual(Math.ceil(roundTripMs / 1_000) + 1)
  expect(heartbeat.roundTripMs).toBeCloseTo(roundTripMs, -1)
  expect(heartbeat.pong(1_000_000, 120_000)).toBe(false)
})
