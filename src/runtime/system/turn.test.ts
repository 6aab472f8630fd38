import { expect, it } from 'vitest'
import { stepTurns } from './turn.ts'

it('lets every promise go on between two steps', async () => {
  const order: string[] = []
  let steps = 0
  await stepTurns(() => {
    const step = (steps += 1)
    order.push(`step ${step}`)
    void (async () => {
      for (let hop = 0; hop < 100; hop += 1) await Promise.resolve()
      process.nextTick(() => void Promise.resolve().then(() => order.push(`settled ${step}`)))
    })()
    return steps < 200
  })
  await new Promise((resolve) => setImmediate(resolve))
  expect(order).toEqual(Array.from({ length: 200 }, (_, index) => [`step ${index + 1}`, `settled ${index + 1}`]).flat())
})

it('rejects with what a step throws, and takes no further step', async () => {
  let steps = 0
  const run = stepTurns(() => {
    steps += 1
    if (steps === 3) throw new Error('third step')
    return true
  })
  await expect(run).rejects.toThrow('third step')
  await new Promise((resolve) => setImmediate(resolve))
  expect(steps).toBe(3)
})
