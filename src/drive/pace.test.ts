import { expect, it } from 'vitest'
import type { Timers } from '../runtime/timers.ts'
import { Pace } from './pace.ts'

/** A clock that is moved, and turns that are ended, by hand. */
class Loop {
  nowMs = 0
  readonly #ends: (() => void)[] = []
  readonly clock = { now: (): number => this.nowMs, wallMs: (): number => this.nowMs }
  readonly timers: Timers = {
    after: () => {
      throw new Error('a pace needs no timers')
    },
    endOfTurn: (run) => void this.#ends.push(run),
  }

  /** Ends the turn, and lets what it has woken go on. */
  async turn(): Promise<void> {
    for (const end of this.#ends.splice(0)) end()
    await Promise.resolve()
  }

  get idle(): boolean {
    return this.#ends.length === 0
  }
}

it('lets work go on within a turn until its time is spent', async () => {
  const loop = new Loop()
  const pace = new Pace(loop)
  expect(pace.pause()).toBeUndefined()
  loop.nowMs = 4
  expect(pace.pause()).toBeUndefined()
  loop.nowMs = 6
  let woken = false
  void pace.pause()?.then(() => (woken = true))
  await Promise.resolve()
  expect(woken).toBe(false)
  await loop.turn()
  expect(woken).toBe(true)
  expect(pace.pause()).toBeUndefined()
  await loop.turn()
  expect(loop.idle).toBe(true)
})

it('lets one waiter go on in each turn, in order, and starves none', async () => {
  const loop = new Loop()
  const pace = new Pace(loop)
  const steps: string[] = []
  const work = async (name: string): Promise<void> => {
    for (let step = 0; step < 3; step += 1) {
      const pause = pace.pause()
      if (pause !== undefined) await pause
      steps.push(name)
      loop.nowMs += 20
    }
  }
  const works = ['a', 'b', 'c'].map(work)
  for (let turn = 0; turn < 12; turn += 1) await loop.turn()
  await Promise.all(works)
  // The first step of a is within the first turn; from then on they take turns.
  expect(steps.join('')).toBe('aabcabcbc')
})
