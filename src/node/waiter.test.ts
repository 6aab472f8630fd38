import { expect, test } from 'vitest'
import { Scheduler } from '../runtime/simulated/scheduler.ts'
import { simulatedRuntime } from '../runtime/simulated/simulated-runtime.ts'
import { pause, Waiter } from './waiter.ts'

const setUp = (): { scheduler: Scheduler; timers: ReturnType<typeof simulatedRuntime>['timers'] } => {
  const scheduler = new Scheduler()
  return { scheduler, timers: simulatedRuntime({ scheduler }).timers }
}

/** A signal that knows how many listen to it. */
function countedSignal(): { signal: AbortSignal; abort: (reason: unknown) => void; listeners: () => number } {
  const controller = new AbortController()
  const { signal } = controller
  let listeners = 0
  const add = signal.addEventListener.bind(signal)
  const remove = signal.removeEventListener.bind(signal)
  signal.addEventListener = (...all: Parameters<typeof add>): void => {
    listeners += 1
    add(...all)
  }
  signal.removeEventListener = (...all: Parameters<typeof remove>): void => {
    listeners -= 1
    remove(...all)
  }
  return { signal, abort: (reason) => controller.abort(reason), listeners: () => listeners }
}

test('settles once, and leaves neither timer nor listener, whichever way it ends', async () => {
  const { scheduler, timers } = setUp()
  const reason = new Error('no more')
  const ways: ((waiter: Waiter<number>, abort: (reason: unknown) => void) => void)[] = [
    (waiter) => waiter.resolve(1),
    (waiter) => waiter.reject(reason),
    (_, abort) => abort(reason),
    () => scheduler.step(Infinity),
  ]
  for (const end of ways) {
    const { signal, abort, listeners } = countedSignal()
    let ended = 0
    const waiter = new Waiter<number>({
      timers,
      signal,
      timeoutMs: 50,
      timeout: () => reason,
      ended: () => void (ended += 1),
    })
    expect(listeners()).toBe(1)
    end(waiter, abort)
    waiter.resolve(2)
    waiter.reject(new Error('late'))
    expect(await waiter.promise.catch((error: unknown) => error)).toBe(end === ways[0] ? 1 : reason)
    expect([ended, listeners(), scheduler.waiting, waiter.settled]).toEqual([1, 0, 0, true])
  }
})

test('a signal that has fired rejects at once, with its own reason', async () => {
  const { scheduler, timers } = setUp()
  const waiter = new Waiter<void>({
    timers,
    signal: AbortSignal.abort('why'),
    timeoutMs: 50,
    timeout: () => new Error('never'),
  })
  await expect(waiter.promise).rejects.toBe('why')
  expect(scheduler.waiting).toBe(0)
})

test('a pause ends with its time, or with its signal', async () => {
  const { scheduler, timers } = setUp()
  const controller = new AbortController()
  const first = pause(100, timers, controller.signal)
  scheduler.step(Infinity)
  await first
  expect(scheduler.now).toBe(100)
  const second = pause(100, timers, controller.signal)
  controller.abort('enough')
  await expect(second).rejects.toBe('enough')
  expect(scheduler.waiting).toBe(0)
})
