import { expect, it } from 'vitest'
import { SeededRandom } from '../../src/runtime/simulated/random.ts'
import { count } from '../counts.ts'
import { seed } from '../seed.ts'
import { Member, texts, until, type Listed } from './members.ts'

// kill -9 of members while operations are on their way.

it('G2 a receiver that is killed again and again applies each message once', { timeout: 600_000 }, async () => {
  const [messages, kills] = [count(1_000, 120), count(20, 4)]
  const random = new SeededRandom(seed)
  const [sender, receiver] = (await Member.group('apply', 1)) as [Member, Member]
  const points = Array.from({ length: kills }, () => random.integer(2, messages - kills)).sort(
    (one, other) => one - other,
  )
  let published = 0
  const applied: number[] = []
  for (const point of points) {
    const fresh = Math.max(1, point - published)
    const publishing = sender.ask('publish', { texts: texts(published + 1, published + fresh) })
    published += fresh
    // Somewhere while they come, and after something has.
    await receiver.ask('has', { count: random.integer(1, fresh) })
    await new Promise((resolve) => setTimeout(resolve, random.integer(0, 20)))
    applied.push((await receiver.listed()).length)
    await receiver.killAndStart()
    await publishing
  }
  await sender.ask('publish', { texts: texts(published + 1, messages) })
  const once = Array.from({ length: messages }, () => 1)
  expect(await sender.ask('counts', { count: messages })).toEqual(once)
  await receiver.joined(2)
  const senderClock = (await sender.facts()).lengths
  await until(async () => {
    const { clock } = await receiver.facts()
    return Object.entries(senderClock).every(([writer, length]) => (clock[writer] ?? 0) >= length)
  })
  expect(await receiver.ask('counts', { count: messages })).toEqual(once)
  process.stdout.write(
    `${messages} messages, killed ${kills} times, each time after ${applied.join(', ')} deliveries\n`,
  )
  expect((await receiver.facts()).events).toEqual([])
})

it(
  'G3 a sender that is killed again and again loses nothing that was acknowledged, skips no number, reuses none',
  { timeout: 900_000 },
  async () => {
    const [publishes, kills] = [count(500, 40), count(50, 4)]
    const random = new SeededRandom(seed)
    const [one, other, sender] = (await Member.group('list', 2)) as [Member, Member, Member]
    const points = new Set<number>()
    while (points.size < kills) points.add(random.integer(1, publishes - 1))
    const acked = new Map<string, number>()
    const readAcked = (): void => {
      for (const [, number, text] of sender.far.program.stdout.matchAll(/^acked (\d+) of (\S+)$/gm))
        acked.set(text as string, Number(number))
    }
    let attempt = 0
    const next = (from: number, to: number): string[] => texts(from, to).map((text) => `${text}.${attempt}`)
    let done = 0
    for (const point of [...points].sort((left, right) => left - right)) {
      const publishing = sender.ask('publish', { texts: next(done + 1, publishes) }).catch(() => {})
      if (point > done) await sender.far.program.line(new RegExp(`^acked \\d+ of m${point}\\.${attempt}$`))
      await sender.far.program.kill('SIGKILL')
      await publishing
      readAcked()
      done = Math.max(...[...acked.keys()].map((text) => Number(/^m(\d+)/.exec(text)?.[1])))
      attempt += 1
      await sender.startAgain()
      if (done >= publishes) break
    }
    if (done < publishes) await sender.ask('publish', { texts: next(done + 1, publishes) })
    readAcked()
    const { lengths, events } = await sender.facts()
    const writer = await sender.writer()
    for (const member of [one, other])
      await until(async () => ((await member.facts()).clock[writer] ?? 0) >= (lengths[writer] ?? Infinity))
    const lists = await Promise.all([one.listed(), other.listed()])
    for (const list of lists) {
      const own = list.filter(({ dot }) => dot.endsWith(writer))
      const numbers = own.map(({ dot }) => numberOf(dot))
      expect(numbers).toEqual([...new Set(numbers)].sort((left, right) => left - right))
      expect(new Set(own.map(({ text }) => text)).size).toBe(own.length)
      const byText = new Map(own.map(({ dot, text }) => [text, numberOf(dot)]))
      expect([...acked].filter(([text, number]) => byText.get(text) !== number)).toEqual([])
      // Every message was acknowledged once: what was not, and got through nevertheless, is a number of its own.
      expect(new Set([...acked.keys()].map((text) => text.split('.')[0])).size).toBe(publishes)
    }
    const plain = (list: readonly Listed[]): string[] => list.map(({ dot, text }) => `${dot} ${text}`)
    expect(plain(lists[0])).toEqual(plain(lists[1]))
    const unasked = lists[0].length - acked.size
    process.stdout.write(
      `${acked.size} acknowledged, ${unasked} more got through; ${points.size} kills; the feed has ${lengths[writer]} entries\n`,
    )
    expect(events).toEqual([])
  },
)

function numberOf(dot: string): number {
  return Number(dot.slice(0, dot.indexOf('@')))
}

it('G6 what an author has said to one member before it died reaches all of them', async () => {
  for (let round = 0; round < count(10, 2); round += 1) {
    const [founder, second, third] = (await Member.group('list', 2)) as [Member, Member, Member]
    const link = await founder.ask<string>('invite')
    // They hear nothing of the author while it lives.
    for (const member of [second, third]) member.freeze()
    const author = await Member.start('list')
    await author.ask('join', { link })
    await until(async () => (await author.facts()).joinedMs > 0)
    await author.ask('publish', { texts: ['last words'], replication: 'one' })
    await author.far.program.kill('SIGKILL')
    const begunAt = performance.now()
    for (const member of [second, third]) await member.wake()
    for (const member of [founder, second, third]) {
      await member.ask('has', { count: 1 })
      expect((await member.listed()).map(({ text }) => text)).toEqual(['last words'])
    }
    process.stdout.write(`all had it ${(performance.now() - begunAt).toFixed(0)} ms after they woke\n`)
    await Promise.all([founder, second, third].map((member) => member.far.program.kill('SIGKILL')))
  }
})
