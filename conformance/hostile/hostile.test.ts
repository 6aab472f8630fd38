import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { count, fullCounts, withinMs } from '../counts.ts'
import type { HonestReport } from './stage.ts'
import { attackReports, say, startAttack, startHonest, startMutants, startStalls, Target } from './stage.ts'

const MiB = 1024 * 1024

/** An honest node has a session with the one under attack and, now and then, one more that is made to see how long that takes. */
const honestSockets = 2

/**
 * For how long the node may keep its event loop busy at a stretch, in ms. What counts is what the thread of the loop has worked
 * (`ownMs`). The node shares its processor with whatever else this machine does, and with the threads that collect its garbage, which
 * elsewhere have others: what these take from it is noise here (`stallMs` is all of it by the wall, `busyMs` what the process has worked).
 */
const ownMsMax = 50

/**
 * The limit that a scenario gives, with the room that `npm test` has, or five times of what it was before in the same test, on a
 * machine that has other work.
 */
function within(limitMs: number, calmMs: number): number {
  return Math.max(withinMs(limitMs), 5 * calmMs)
}

/** How long an honest node's requests took but for the slowest of a hundred; of a few dozen, which an everyday run has, of ten. */
function slowest({ p90, p99 }: HonestReport): number {
  return fullCounts ? p99 : p90
}

/** A handshake has five seconds; on a machine that has other work, its end is noticed later. */
const deadlineMs = fullCounts ? 6_000 : 9_000

describe('X1 mutated handshakes', () => {
  it('are ended soon or at their deadline, alone, and leave nothing', async () => {
    const total = count(10_000, 200)
    const target = await Target.start()
    const honest = await startHonest(target)
    if (fullCounts) {
      // The first ones fill what Node and OpenSSL keep for all time. A few do not need that: there is room for it.
      const rehearsal = startMutants(target, 128, 48)
      await rehearsal.line(/^mutated (.+)$/, { timeoutMs: 60_000 })
    }
    const base = await target.calmsDown(honestSockets, 8_000)
    await sleep(fullCounts ? 1_000 : 500)
    const calm = await honest.report()
    target.watch()
    const mutants = startMutants(target, total, 128)
    const [, json = ''] = await mutants.line(/^mutated (.+)$/, { timeoutMs: 300_000 })
    const peakBytes = target.peak()
    const outcome = JSON.parse(json) as Record<string, number> & { codes: Record<string, number> }
    const during = await honest.report()
    const after = await target.calmsDown(honestSockets, 8_000)
    say('X1', { outcome, calm, during, base, after, peakBytes })
    const { harmless = 0, soon = 0, late = 0, open, latestSoonMs, latestMs, earliestLateMs, ownDelayMs = 0 } = outcome
    expect([open, harmless + soon + late]).toEqual([0, total])
    expect(soon + late).toBeGreaterThan(total / 2)
    // A second for an end that has a cause, and five for one that has none but silence; and what a busy machine adds to each.
    expect(latestSoonMs).toBeLessThan((fullCounts ? 1_000 : 3_000) + 5 * ownDelayMs)
    expect(latestMs).toBeLessThan(deadlineMs + 5 * ownDelayMs)
    if (late > 0) expect(earliestLateMs).toBeGreaterThan(4_900)
    expect(outcome.codes['PROTOCOL']).toBeGreaterThan(0)
    expect(after.memory - base.memory).toBeLessThan(32 * MiB)
    expect(during.events).toEqual([])
    expect(during.requests).toBeGreaterThan(0)
  }, 400_000)
})

describe('X2 stalled handshakes', () => {
  const crowds = [
    ["from the honest dialler's own address", 0],
    ['from others', 20],
  ] as const
  for (const [whose, addresses] of crowds.slice(0, count(crowds.length))) {
    it(`${whose} are gone after 6 s, however stubborn, and hold nobody up`, async () => {
      const total = count(1_000, 200)
      const target = await Target.start()
      const honest = await startHonest(target)
      await sleep(fullCounts ? 1_000 : 500)
      const calm = await honest.report()
      const stalling = startStalls(target, total, addresses)
      await stalling.line(/^stalling$/, { timeoutMs: 20_000 })
      const begun = performance.now()
      await sleep(1_000)
      const crowd = await target.report()
      // Of one address 64 wait at a time below TLS, and as many that have come so far that they should say hello.
      expect(crowd.sockets).toBeGreaterThan(addresses === 0 ? 60 : 0.9 * total)
      const after = await target.calmsDown(honestSockets, 15_000)
      const goneMs = performance.now() - begun
      const during = await honest.report()
      const [, text = ''] = await stalling.line(/^closed (.+)$/)
      const { closed, latestMs } = JSON.parse(text) as { closed: number; latestMs: number }
      say('X2', { calm, during, goneMs, latestMs, crowd, after })
      expect(closed).toBe(total)
      expect(latestMs).toBeLessThan(deadlineMs + 5 * crowd.stallMs)
      expect(goneMs).toBeLessThan(deadlineMs + 5 * crowd.stallMs)
      expect(during.dialMs).toBeGreaterThan(0)
      expect(during.dialMs).toBeLessThan(within(1_000, calm.dialMs))
      expect(during.events).toEqual([])
    }, 120_000)
  }
})

describe('X3 floods', () => {
  /** What each of them meets. `circuit`: the circuit that it abuses ends, and what is sent to it afterwards is dropped. */
  const floods = [
    ['resets', count(100_000, 20_000), 'LIMIT', undefined],
    ['pings', count(1_000_000, 50_000), 'LIMIT', undefined],
    ['pieces', count(1_000_000, 50_000), undefined, 'LIMIT'],
    ['idle', count(1_000_000, 50_000), 'LIMIT', undefined],
    ['hoard', count(100_000, 20_000), 'BUDGET', undefined],
    ['unknown', count(100_000, 20_000), undefined, 'UNKNOWN_SERVICE'],
    ['deaf', count(100_000, 20_000), undefined, 'UNKNOWN_SERVICE'],
  ] as const

  it('are ended typed or cost their own circuit, and others do not notice', async () => {
    // A few take one connection each.
    const forMs = fullCounts ? 10_000 : 0
    const target = await Target.start()
    const honest = await startHonest(target)
    await target.report()
    await sleep(fullCounts ? 2_000 : 1_000)
    const calm = await honest.report()
    const base = await target.report()
    say('X3 calm', { calm, base })
    for (const [name, frames, code, reset] of floods) {
      target.watch()
      // To fill the account takes its time.
      const attackMs = name === 'hoard' ? 0 : forMs
      const attack = await startAttack(target, name, frames, attackMs, code === undefined ? 'stays' : 'ends')
      await honest.report()
      await target.report()
      const { [name]: outcome } = await attackReports(attack, forMs)
      const during = await honest.report()
      const after = await target.calmsDown(honestSockets, 2_000)
      say(`X3 ${name}`, { outcome, during, after, peakBytes: target.peak() })
      const { rounds = 0, cut = 0, open = 0, codes = {}, resets = {} } = outcome ?? {}
      if (code !== undefined) expect([name, codes, open]).toEqual([name, { [code]: rounds - cut }, 0])
      if (reset !== undefined) expect([name, resets[reset]! >= rounds - cut]).toEqual([name, true])
      expect(during.events).toEqual([])
      expect(slowest(during) * (1 - after.waited)).toBeLessThan(within(50, slowest(calm)))
      expect(after.ownMs).toBeLessThan(within(ownMsMax, base.ownMs))
      expect(after.memory - base.memory).toBeLessThan(64 * MiB)
    }
  }, 400_000)

  it('lose their connection at once, even when they never read and never close', async () => {
    const target = await Target.start()
    const stuck = await startAttack(target, 'stuck,stuck,stuck', 1, 0)
    // Last words have two seconds to leave.
    await target.calmsDown(0, 3_000)
    expect(stuck.running).toBe(true)
  })
})

describe('X3 all attacks at once', () => {
  it('leave an honest node its answers and its bytes', async () => {
    const forMs = fullCounts ? 60_000 : 2_000
    const target = await Target.start()
    const honest = await startHonest(target, true)
    await target.report()
    await sleep(fullCounts ? 5_000 : 1_000)
    const calm = await honest.report()
    const base = await target.report()
    target.watch()
    const names = ['resets,churn,unknown', 'deaf,pings,pieces', 'idle,hoard,noise']
    // One process more for each of them: to start one takes longer than a short run lasts.
    const groups = fullCounts ? names : [names.join()]
    const attacks = await Promise.all(
      groups.map((group) => startAttack(target, group, 1_000_000, forMs + 1_000, 'stays')),
    )
    const mutants = startMutants(target, 1_000_000, 48)
    const stalls = startStalls(target, count(1_000, 100), 20)
    await stalls.line(/^stalling$/, { timeoutMs: 60_000 })
    await honest.report()
    await target.report()
    await sleep(forMs)
    const during = await honest.report()
    const attacked = await target.report()
    const peakBytes = target.peak()
    const outcomes = await Promise.all(attacks.map((attack) => attackReports(attack, forMs)))
    await mutants.kill()
    await stalls.kill()
    const after = await target.calmsDown(honestSockets, 8_000)
    say('X3 all', { calm, during, base, attacked, after, peakBytes })
    for (const outcome of outcomes) say('X3 all', outcome)
    for (const outcome of outcomes) {
      for (const [name, { rounds }] of Object.entries(outcome)) expect([name, rounds > 0]).toEqual([name, true])
    }
    expect(during.events).toEqual([])
    // What other programs take of the node's processor is nobody's doing here.
    expect(slowest(during) * (1 - attacked.waited)).toBeLessThan(within(100, slowest(calm)))
    const share = during.bytesPerSecond / (1 - attacked.waited) / (calm.bytesPerSecond / (1 - base.waited))
    say('X3 all', { share })
    expect(share).toBeGreaterThan(fullCounts ? 1 / 5 : 1 / 10)
    expect(attacked.ownMs).toBeLessThan(within(ownMsMax, base.ownMs))
    expect(peakBytes).toBeLessThan(512 * MiB)
  }, 300_000)
})
