import { expect, it } from 'vitest'
import { joinCircuits } from './joined-circuits.ts'

it('carries what two programs say to each other, for as long as a promise is waited for', async () => {
  const pair = joinCircuits({ first: { subject: 'first' } })
  const echo = async (): Promise<number> => {
    let count = 0
    for await (const { op } of pair.far) {
      pair.far.send({ op: op * 2 })
      count += 1
    }
    pair.far.end()
    return count
  }
  const ask = async (): Promise<number[]> => {
    const answers = [(await pair.near.read())?.op ?? Number.NaN]
    for (let op = 1; op <= 50; op += 1) {
      pair.near.send({ op, payload: new Uint8Array(op * 1_000) })
      answers.push((await pair.near.read())?.op ?? Number.NaN)
    }
    pair.near.end()
    return answers
  }
  const [count, answers] = await pair.settle(Promise.all([echo(), ask()]))
  expect(count).toBe(51)
  expect(answers).toEqual(Array.from({ length: 51 }, (_, index) => index * 2))
})

it('outlives a link, and ends without one after its resume window', async () => {
  const pair = joinCircuits({ resumeMs: 2_000 })
  pair.near.send({ subject: 'late' })
  pair.cut()
  await pair.run(1_500)
  expect([pair.now, pair.near.state]).toEqual([1_500, 'open'])
  pair.relink()
  expect((await pair.settle(pair.far.read()))?.subject).toBe('late')
  const { now } = pair
  pair.cut()
  const reason = await pair.settle(pair.near.closed)
  expect(reason.error?.code).toBe('LINK_LOST')
  expect(pair.now - now).toBeGreaterThanOrEqual(2_000)
  expect(pair.now - now).toBeLessThan(2_100)
})

it('says when a promise does not settle', async () => {
  const pair = joinCircuits()
  await expect(pair.settle(pair.far.read(), 10_000)).rejects.toThrow('still waiting after 10000 virtual milliseconds')
  expect(pair.now).toBeLessThanOrEqual(10_000)
})

it('keeps to the limits that it is given', () => {
  const pair = joinCircuits({ limits: { fragmentBytes: 1_000 } })
  expect(() => pair.near.send({ payload: new Uint8Array(1_001) })).toThrow(/1,?000/)
})
