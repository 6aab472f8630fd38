import { expect, it } from 'vitest'
import { defaultLimits } from '../base/limits.ts'
import { Heartbeat } from './heartbeat.ts'

it.each([20, 990, 1_500, 10_000])('measures a round trip of %i ms, and takes every answer for one', (roundTripMs) => {
  const heartbeat = new Heartbeat(defaultLimits, 0, { mayRest: true })
  heartbeat.pace(true, 0)
  const answers: { readonly at: number; readonly token: number }[] = []
  let asked = 0
  let answered = 0
  for (let now = 0; now < 120_000; now += 10) {
    const token = heartbeat.tick(now, now)
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

/** A guest and a chair that have nothing else to say, whose beats are so far apart; `lostAtMs`: from then on nothing arrives. */
function converse(apartMs: number, forMs: number, { lostAtMs = Infinity }: { readonly lostAtMs?: number } = {}) {
  const ends = [0, apartMs].map((startsAt) => ({ startsAt, heartbeat: undefined as Heartbeat | undefined, asked: 0 }))
  const suspectAt: (number | undefined)[] = [undefined, undefined]
  for (let now = 0; now < forMs; now += 5)
    for (const [index, end] of ends.entries()) {
      if (now === end.startsAt) {
        end.heartbeat = new Heartbeat(defaultLimits, now, { mayRest: index === 0 })
        end.heartbeat.pace(true, now)
      }
      const other = ends[1 - index]?.heartbeat
      const token = end.heartbeat?.tick(now, 0)
      if (end.heartbeat?.health === 'suspect') suspectAt[index] ??= now
      if (token === undefined) continue
      end.asked += 1
      if (other === undefined || now >= lostAtMs) continue
      other.heard()
      other.asked()
      end.heartbeat?.heard()
      end.heartbeat?.pong(token, now)
    }
  return { asked: ends.map(({ asked }) => asked), suspectAt, ends }
}

it.each([5, 400, 995])(
  'one of two that have nothing else to say asks each second, when they beat %i ms apart',
  (apartMs) => {
    const { asked, suspectAt, ends } = converse(apartMs, 100_000)
    expect(asked[0]! + asked[1]!).toBeGreaterThan(95)
    expect(asked[0]! + asked[1]!).toBeLessThan(115)
    expect(suspectAt).toEqual([undefined, undefined])
    expect(ends.map(({ heartbeat }) => heartbeat?.health)).toEqual(['well', 'well'])
  },
)

it.each([0, 5, 400, 995])('both notice a silence as soon as ever, when they beat %i ms apart', (apartMs) => {
  for (const lostAtMs of [20_000, 20_250, 20_500, 20_750]) {
    const { suspectAt } = converse(apartMs, 30_000, { lostAtMs })
    for (const at of suspectAt) {
      expect(at).toBeGreaterThan(lostAtMs + 1_000)
      expect(at).toBeLessThanOrEqual(lostAtMs + 3_005)
    }
  }
})

it('asks each second while something is sent or taken: windows follow the round trip', () => {
  const heartbeat = new Heartbeat(defaultLimits, 0, { mayRest: true })
  heartbeat.pace(true, 0)
  let asked = 0
  for (let now = 0; now < 20_000; now += 10) {
    heartbeat.heard()
    heartbeat.asked()
    const token = heartbeat.tick(now, now < 10_000 ? now : 10_000)
    if (token === undefined) continue
    asked += 1
    heartbeat.pong(token, now)
  }
  expect(asked).toBeGreaterThan(9)
  expect(asked).toBeLessThan(18)
})
