import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { systemTimers } from './timers.ts'

describe('systemTimers', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
  afterEach(() => void vi.useRealTimers())

  it('fires once, after the delay', () => {
    const fire = vi.fn()
    systemTimers.after(50, fire)
    vi.advanceTimersByTime(49)
    expect(fire).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1_000)
    expect(fire).toHaveBeenCalledTimes(1)
  })

  it('waits for a delay that setTimeout would turn into none', () => {
    const fire = vi.fn()
    const month = 31 * 86_400_000
    systemTimers.after(month, fire)
    vi.advanceTimersByTime(month - 1)
    expect(fire).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1)
    expect(fire).toHaveBeenCalledTimes(1)
  })

  it('cancels in every step of a long delay, and harmlessly after the end', () => {
    const fire = vi.fn()
    const long = systemTimers.after(2 ** 33, fire)
    vi.advanceTimersByTime(2 ** 31)
    long.cancel()
    vi.advanceTimersByTime(2 ** 34)
    expect(fire).not.toHaveBeenCalled()
    const short = systemTimers.after(1, fire)
    vi.advanceTimersByTime(1)
    short.cancel()
    expect(fire).toHaveBeenCalledTimes(1)
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('the end of a turn', () => {
  it('comes after the promises of the turn', async () => {
    const order: string[] = []
    await new Promise<void>((resolve) => {
      systemTimers.endOfTurn(() => {
        order.push('end of turn')
        resolve()
      })
      void Promise.resolve().then(() => order.push('promise'))
      order.push('now')
    })
    expect(order).toEqual(['now', 'promise', 'end of turn'])
  })
})

describe('a background timer', () => {
  it('is not what keeps the process alive', () => {
    const count = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
    const before = count()
    const background = systemTimers.after(60_000, () => {}, { background: true })
    expect(count()).toBe(before)
    const foreground = systemTimers.after(60_000, () => {})
    expect(count()).toBe(before + 1)
    background.cancel()
    foreground.cancel()
  })
})
