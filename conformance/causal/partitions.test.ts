import { expect, it } from 'vitest'
import { count, fullCounts, withinMs } from '../counts.ts'
import { Proxy } from '../support/proxy.ts'
import { Member, until } from './members.ts'

// Networks that are slow or cut between some members.

it(
  'G5 an answer is never shown before its question, and comes through the member that has both',
  { timeout: 300_000 },
  async () => {
    const rounds = count(50, 5)
    // No heartbeat finds the slow link dead.
    const [second, first, third] = (await Member.group('list', 2, { heartbeatMs: 60_000 })) as [Member, Member, Member]
    await second.ask('answer', { name: 'question', prefix: 'answer' })
    // Whoever of both dials the other one does so through a proxy: there is no other way between them.
    const slow: Proxy[] = []
    for (const [from, to] of [
      [first, third],
      [third, first],
    ] as const) {
      const proxy = await Proxy.open({ host: '127.0.0.1', port: to.far.port })
      slow.push(proxy)
      await from.ask('route', { route: [[to.far.port, proxy.port]] })
      await from.ask('block', { ports: [to.far.port] })
      await from.ask('block', { ports: [] })
    }
    await until(async () => slow.some(({ live }) => live > 0))
    await Promise.all([first, third].map((member) => member.joined(3)))
    for (const { shape } of slow) shape.delayMs = 5_000
    const took: number[] = []
    for (let round = 0; round < rounds; round += 1) {
      const askedAt = Date.now()
      await first.ask('publish', { texts: [`question ${round}`] })
      const at = await third.ask<number>('has', { count: 2 * (round + 1) })
      took.push(at - askedAt)
    }
    const said = (await third.listed()).map(({ text }) => text)
    const expected = Array.from({ length: rounds }, (_, round) => [`question ${round}`, `answer ${round}`]).flat()
    expect(said).toEqual(expected)
    took.sort((left, right) => left - right)
    process.stdout.write(`both are there after ${took[rounds >> 1]} ms, at most ${took.at(-1)} ms\n`)
    expect(took.at(-1)).toBeLessThan(withinMs(1_000))
  },
)

it('G7 both sides of a split write on, and are equal soon after it is healed', { timeout: 900_000 }, async () => {
  const [operations, bytes] = [count(10_000, 300), 200]
  // Sessions are given up while the network is split.
  const members = await Member.group('replica', 4, { resumeMs: 3_000 })
  const ports = members.map(({ far }) => far.port)
  const sideOf = (index: number): number => (index < 3 ? 0 : 1)
  for (const [index, member] of members.entries())
    await member.ask('block', { ports: ports.filter((_, other) => sideOf(other) !== sideOf(index)) })
  await until(async () => {
    const facts = await Promise.all(members.map((member) => member.facts()))
    return facts.every(({ members: all, node }, index) => {
      const connected = all.filter(({ isConnected, node: other }) => isConnected && other !== node).length
      return connected === (sideOf(index) === 0 ? 2 : 1)
    })
  })
  const sizeOf = (index: number): number => (sideOf(index) === 0 ? 3 : 2)
  await Promise.all(
    members.map((member, index) => {
      const share = Math.ceil(operations / sizeOf(index))
      return member.ask('add', { count: share, prefix: `of ${index}, `, bytes })
    }),
  )
  const sizes = [3 * Math.ceil(operations / 3), 2 * Math.ceil(operations / 2)]
  for (const [index, member] of members.entries())
    await until(async () => (await member.ask<number>('size')) === sizes[sideOf(index)])
  const split = await Promise.all(members.map((member) => member.facts()))
  const healedAt = performance.now()
  for (const member of members) await member.ask('block', { ports: [] })
  const all = (sizes[0] as number) + (sizes[1] as number)
  for (const member of members) await until(async () => (await member.ask<number>('size')) === all)
  const states = await Promise.all(members.map((member) => member.ask<{ size: number; hash: string }>('state')))
  const tookMs = performance.now() - healedAt
  const healed = await Promise.all(members.map((member) => member.facts()))
  const sum = (value: (index: number) => number): number => members.reduce((total, _, index) => total + value(index), 0)
  const received = sum((index) => healed[index]!.received - split[index]!.received)
  const missing = sum((index) => healed[index]!.held - split[index]!.held)
  const payload = sum((index) => bytes * (all - sizes[sideOf(index)]!))
  process.stdout.write(
    `${all} operations equal ${tookMs.toFixed(0)} ms after the split was healed; ${received} B received, ${(received / missing).toFixed(3)} x the missing blocks, ${(received / payload).toFixed(3)} x the payload\n`,
  )
  expect(new Set(states.map(({ hash }) => hash)).size).toBe(1)
  expect(states.map(({ size }) => size)).toEqual(members.map(() => all))
  expect(healed.flatMap(({ events }) => events)).toEqual([])
  expect(tookMs).toBeLessThan(withinMs(10_000))
  if (fullCounts) expect(received / missing).toBeLessThan(1.3)
})
