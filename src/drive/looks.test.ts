import { expect, it } from 'vitest'
import { SeededRandom } from '../runtime/simulated/random.ts'
import { Scheduler } from '../runtime/simulated/scheduler.ts'
import { Looks } from './looks.ts'

/** Members that hear what each of the others says; of some nothing is heard. */
class Room {
  readonly scheduler = new Scheduler()
  readonly connected = new Set<string>()
  readonly #listeners = new Map<string, (event: CustomEvent) => void>()

  join(
    nodeId: string,
    { look, isLooking = () => true }: { readonly look: () => Promise<unknown>; readonly isLooking?: () => boolean },
  ): Looks {
    const feed = {
      addEventListener: (_name: string, listener: (event: never) => void) =>
        void this.#listeners.set(nodeId, listener as (event: CustomEvent) => void),
      extend: (name: string, payload: Uint8Array) => {
        for (const [other, listener] of this.#listeners)
          if (other !== nodeId && this.connected.has(other))
            listener(new CustomEvent('extension', { detail: { nodeId, name, payload } }))
      },
      status: () => ({
        peers: [...this.connected].filter((other) => other !== nodeId).map((other) => ({ nodeId: other })),
      }),
    }
    this.connected.add(nodeId)
    const { scheduler } = this
    const clock = { now: () => scheduler.now, wallMs: () => scheduler.now }
    const timers = {
      after: (delayMs: number, fire: () => void) => scheduler.at(scheduler.now + delayMs, fire),
      endOfTurn: (run: () => void) => scheduler.endOfTurn(run),
    }
    const runtime = { clock, timers, random: new SeededRandom(nodeId) }
    return new Looks({ feed: feed as never, runtime, look, isLooking })
  }

  /** How long somebody who asks waits; undefined when it is longer than five minutes. */
  async waitMs(looks: Looks): Promise<number | undefined> {
    const startMs = this.scheduler.now
    let [isOver, tookMs] = [false, undefined as number | undefined]
    void looks
      .ask(async (isDone) => {
        while (!isDone() && !isOver)
          await new Promise<void>((resolve) => void this.scheduler.at(this.scheduler.now + 10, resolve))
      })
      .then(() => (tookMs = this.scheduler.now - startMs))
    for (let timeMs = startMs; tookMs === undefined && timeMs < startMs + 300_000; timeMs += 10) {
      this.scheduler.at(timeMs, () => undefined)
      while (this.scheduler.now <= timeMs && this.scheduler.step(timeMs));
      for (let turn = 0; turn < 4; turn += 1) await Promise.resolve()
    }
    isOver = true
    return tookMs
  }
}

const never = (): Promise<unknown> => new Promise(() => undefined)

it('waits for those who look, however long that takes, and not for who is not there any more', async () => {
  const room = new Room()
  const ann = room.join('ann', { look: never })
  const later = (delayMs: number) => () =>
    new Promise<void>((resolve) => void room.scheduler.at(room.scheduler.now + delayMs, resolve))
  room.join('bob', { look: later(500) })
  room.join('cat', { look: later(60_000) })
  room.join('dan', { look: never })
  room.scheduler.at(30_000, () => void room.connected.delete('dan'))
  const tookMs = await room.waitMs(ann)
  expect(tookMs).toBeGreaterThanOrEqual(60_000)
  expect(tookMs).toBeLessThan(61_000)
})

it('does not wait for who says nothing, or waits for others', async () => {
  const room = new Room()
  const ann = room.join('ann', { look: never })
  room.connected.add('silent')
  room.join('waiting', { look: never, isLooking: () => false })
  const tookMs = await room.waitMs(ann)
  expect(tookMs).toBeGreaterThanOrEqual(10_000)
  expect(tookMs).toBeLessThan(12_000)
})

it('answers many who ask at once by one look more', async () => {
  const room = new Room()
  let looks = 0
  room.join('bob', {
    look: () => {
      looks += 1
      return new Promise<void>((resolve) => void room.scheduler.at(room.scheduler.now + 100, resolve))
    },
  })
  const others = ['ann', 'cat', 'dan'].map((name) => room.join(name, { look: () => Promise.resolve() }))
  const took = await Promise.all(others.map((one) => room.waitMs(one)))
  expect(took.every((tookMs) => tookMs !== undefined && tookMs < 1_000)).toBe(true)
  expect(looks).toBe(2)
})
