import { describe, expect, it } from 'vitest'
import { Waiters } from './waiters.ts'

describe('waiters', () => {
  it('wake together, in order, once', async () => {
    const waiters = new Waiters<string>()
    const woken: string[] = []
    const all = [1, 2, 3].map((number) => waiters.wait().then((value) => woken.push(`${number} ${value}`)))
    waiters.wake('a')
    await Promise.all(all)
    waiters.wake('b')
    expect(woken).toEqual(['1 a', '2 a', '3 a'])
    expect(waiters.any).toBe(false)
  })

  it('wake one at a time, the longest waiting first', async () => {
    const waiters = new Waiters<number>()
    const all = [waiters.wait(), waiters.wait(), waiters.wait()]
    for (const value of [1, 2, 3]) waiters.wakeFirst(value)
    expect(await Promise.all(all)).toEqual([1, 2, 3])
  })

  it('fail together', async () => {
    const waiters = new Waiters()
    const reason = new Error('broken')
    const all = [waiters.wait(), waiters.wait(new AbortController().signal)]
    waiters.fail(reason)
    for (const one of all) await expect(one).rejects.toBe(reason)
  })

  it('reject with the reason of their signal, and leave the others waiting', async () => {
    const waiters = new Waiters()
    const abortion = new AbortController()
    const reason = new Error('enough')
    const impatient = waiters.wait(abortion.signal)
    const patient = [waiters.wait(), waiters.wait(new AbortController().signal)]
    abortion.abort(reason)
    await expect(impatient).rejects.toBe(reason)
    await expect(waiters.wait(abortion.signal)).rejects.toBe(reason)
    waiters.wake()
    await Promise.all(patient)
  })
})
