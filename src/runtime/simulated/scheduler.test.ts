import { describe, expect, it } from 'vitest'
import { marks } from '../marks.ts'
import { CountingProbe } from './probe.ts'
import { SeededRandom } from './random.ts'
import { Scheduler, type Scope } from './scheduler.ts'
import { simulatedRuntime } from './simulated-runtime.ts'

const runAll = (scheduler: Scheduler, untilMs = Number.POSITIVE_INFINITY): void => {
  while (scheduler.step(untilMs)) {
    // Every step runs one instant.
  }
}

describe('Scheduler', () => {
  it('runs events by time, and those of one instant in the order in which they were scheduled', () => {
    const random = new SeededRandom('order')
    const scheduler = new Scheduler()
    const expected: { time: number; index: number }[] = []
    const order: typeof expected = []
    for (let index = 0; index < 5_000; index += 1) {
      const event = { time: random.integer(0, 300), index }
      expected.push(event)
      scheduler.at(event.time, () => {
        expect(scheduler.now).toBe(event.time)
        order.push(event)
      })
    }
    runAll(scheduler)
    expect(order).toEqual(expected.sort((left, right) => left.time - right.time || left.index - right.index))
    expect(scheduler.fired).toBe(5_000)
  })

  it('agrees with a plain list when events are scheduled and cancelled while it runs', () => {
    const random = new SeededRandom('cancel')
    const scheduler = new Scheduler()
    const live = new Map<number, { time: number; cancel: () => void }>()
    let made = 0
    let fired = 0
    const add = (): void => {
      const id = (made += 1)
      const time = scheduler.now + random.integer(0, 100)
      const timer = scheduler.at(time, () => {
        const earliest = Math.min(...[...live.values()].map((event) => event.time))
        expect(live.has(id)).toBe(true)
        expect(time).toBe(earliest)
        live.delete(id)
        fired += 1
        if (made < 20_000) for (let index = 0; index < 2; index += 1) add()
        const victim = random.chance(0.6)
          ? [...live.keys()].at(random.integer(0, live.size - 1 < 0 ? 0 : live.size - 1))
          : undefined
        if (victim !== undefined && live.size > 20) {
          live.get(victim)?.cancel()
          live.delete(victim)
        }
        expect(scheduler.waiting).toBe(live.size)
      })
      live.set(id, { time, cancel: () => timer.cancel() })
    }
    for (let index = 0; index < 50; index += 1) add()
    while (fired < 3_000 && scheduler.step(Number.POSITIVE_INFINITY)) {
      // The checks are in the events.
    }
    expect(fired).toBeGreaterThanOrEqual(3_000)
  })

  it('does not keep cancelled events, however far away they are', () => {
    const scheduler = new Scheduler()
    let fired = false
    scheduler.at(10, () => (fired = true))
    for (let index = 0; index < 100_000; index += 1) scheduler.at(1e9, () => expect.unreachable()).cancel()
    expect(scheduler.waiting).toBe(1)
    runAll(scheduler, 2e9)
    expect(fired).toBe(true)
    expect(scheduler.now).toBe(2e9)
  })

  it('runs nothing any more of a scope that has ended', () => {
    const scheduler = new Scheduler()
    const scope: Scope = { ended: false }
    const runtime = simulatedRuntime({ scheduler, scope })
    const calls: string[] = []
    runtime.timers.after(5, () => calls.push('early'))
    runtime.timers.after(20, () => calls.push('late'))
    scheduler.at(10, () => {
      runtime.timers.endOfTurn(() => calls.push('end of turn'))
      scope.ended = true
    })
    runAll(scheduler)
    expect(calls).toEqual(['early'])
  })

  it('runs ends of turns after the instant, and before time goes on', () => {
    const scheduler = new Scheduler()
    const calls: string[] = []
    scheduler.at(1, () => {
      scheduler.endOfTurn(() => {
        calls.push(`end at ${scheduler.now}`)
        scheduler.endOfTurn(() => calls.push(`second end at ${scheduler.now}`))
      })
      calls.push('first')
    })
    scheduler.at(1, () => calls.push('second'))
    scheduler.at(2, () => calls.push('third'))
    runAll(scheduler)
    expect(calls).toEqual(['first', 'second', 'end at 1', 'second end at 1', 'third'])
  })

  it('stops a loop that lets no time pass', () => {
    const scheduler = new Scheduler()
    const again = (): void => void scheduler.at(scheduler.now, again)
    again()
    expect(() => runAll(scheduler)).toThrow(/time stands still/)
  })
})

describe('simulatedRuntime', () => {
  it('has timers of whole milliseconds, at least one, and clocks that go with them', () => {
    const scheduler = new Scheduler()
    const { clock, timers } = simulatedRuntime({ scheduler, wallOriginMs: 1_000 })
    const fired: number[] = []
    for (const delayMs of [0, 0.2, 1, 1.5, 2 ** 31, 2 ** 40]) timers.after(delayMs, () => fired.push(clock.now()))
    timers.after(3, () => expect.unreachable()).cancel()
    runAll(scheduler)
    expect(fired).toEqual([1, 1, 1, 2, 2 ** 31, 2 ** 40])
    expect(clock.wallMs()).toBe(1_000 + 2 ** 40)
  })
})

describe('CountingProbe', () => {
  it('counts marks and refuses those that are not listed', () => {
    const probe = new CountingProbe()
    const [label] = marks
    probe.sometimes(label)
    probe.sometimes(label)
    expect(probe.counts().get(label)).toBe(2)
    expect(probe.counts().size).toBe(marks.length)
    expect(() => probe.sometimes('never heard of')).toThrow(/not listed/)
  })

  it('lists each mark once', () => {
    expect(new Set(marks).size).toBe(marks.length)
  })
})
