import { expect, it } from 'vitest'
import { Scheduler } from '../../runtime/simulated/scheduler.ts'
import { Turns } from './turns.ts'
import type { BusyLink } from './turns.ts'

interface LinkOptions {
  readonly busy?: boolean
  readonly recentMs?: number
  /** It wants the next turn at once. */
  readonly lasting?: boolean
  readonly content?: boolean
}

/** An event loop on virtual time: `work` runs in each turn, then what waits for its end; each takes the time that it moves `now` by. */
class Loop {
  now = 0
  turn = 0
  readonly order: string[] = []
  readonly #ends = new Scheduler()
  readonly turns: Turns = new Turns(
    { after: (delayMs, fire) => this.#ends.at(delayMs, fire), endOfTurn: (run) => this.#ends.endOfTurn(run) },
    { now: () => this.now, wallMs: () => this.now },
  )

  async run(count: number, work: () => void = () => (this.now += 0.01)): Promise<void> {
    for (let index = 0; index < count; index += 1) {
      this.turn += 1
      work()
      this.#ends.step(Infinity)
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  /** A link that works for `ms` when its turn comes. */
  link(name: string, ms: number, options: LinkOptions = {}): BusyLink {
    const { busy = true, recentMs = 0, lasting = false, content = false } = options
    const link: BusyLink = {
      busy,
      content,
      recentMs: () => recentMs,
      goOn: () => {
        this.order.push(name)
        this.now += ms
        this.turns.spend(link, ms, this.now)
        if (lasting) this.turns.wait(link)
      },
    }
    return link
  }
}

it('lets the link go on first that was busy for the shortest time, and one in a turn', async () => {
  const loop = new Loop()
  for (const [name, recentMs] of [
    ['much', 30],
    ['little', 1],
    ['some', 9],
  ] as const) {
    loop.turns.wait(loop.link(name, 0, { recentMs }))
  }
  expect(loop.turns.waiting).toBe(3)
  await loop.run(1)
  expect(loop.order).toEqual(['little'])
  await loop.run(1)
  expect(loop.order).toEqual(['little', 'some'])
  await loop.run(1)
  expect([loop.order.at(-1), loop.turns.waiting]).toEqual(['much', 0])
})

it('lets those go on at once that are not busy, until the turn is full, and then one more', async () => {
  const loop = new Loop()
  for (let index = 0; index < 5; index += 1) loop.turns.wait(loop.link(`${index}`, 4, { busy: false }))
  await loop.run(1)
  expect(loop.order).toEqual(['0', '1', '2', '3'])
  expect(loop.turns.full).toBe(true)
  await loop.run(1)
  expect(loop.order).toEqual(['0', '1', '2', '3', '4'])
  await loop.run(1)
  expect(loop.turns.full).toBe(false)
})

it('leaves four fifths of the time to others while they have work, or half of it when those that are busy move content', async () => {
  for (const [content, expected] of [
    [false, 1_250],
    [true, 2_000],
  ] as const) {
    const loop = new Loop()
    for (let index = 0; index < 20; index += 1) loop.turns.wait(loop.link(`${index}`, 4, { lasting: true, content }))
    await loop.run(1_000, () => (loop.now += 1))
    expect(loop.now).toBeGreaterThan(0.95 * expected)
    expect(loop.now).toBeLessThan(1.1 * expected)
  }
})

it('begins one handshake after another, those of each address in turn, and waits for what comes of each', async () => {
  const loop = new Loop()
  const beginner = (name: string) => ({
    begin: () => {
      loop.order.push(name)
      void Promise.resolve().then(() => (loop.now += 1))
    },
  })
  for (let index = 0; index < 50; index += 1) loop.turns.queue('attacker', beginner('attacker'))
  const gone = beginner('gone')
  loop.turns.queue('other', gone)
  loop.turns.forget('other', gone)
  loop.turns.queue('honest', beginner('honest'))
  await loop.run(40, () => (loop.now += 1))
  expect(loop.order).toEqual(['attacker', 'honest', 'attacker'])
  await loop.run(200, () => (loop.now += 1))
  expect(loop.order.length).toBeGreaterThan(12)
  expect(loop.order.length).toBeLessThan(17)
})

it('lets links and handshakes wait for their own kind only', async () => {
  const loop = new Loop()
  loop.turns.spend(loop.link('other', 0), 0.1, loop.now)
  for (let index = 0; index < 3; index += 1) loop.turns.wait(loop.link('link', 4))
  loop.turns.queue('a', { begin: () => loop.order.push('handshake') })
  await loop.run(2, () => (loop.now += 1))
  expect(loop.order).toEqual(['link', 'handshake'])
})

it('makes one that is alone wait for no longer than a turn', async () => {
  const loop = new Loop()
  loop.turns.wait(loop.link('alone', 4, { lasting: true }))
  await loop.run(100, () => (loop.now += 1))
  expect(loop.order.length).toBe(100)
})

it('lets those share what is free that give orders, and only them', () => {
  const { turns, ...loop } = new Loop()
  const links = Array.from({ length: 9 }, (_, index) => new Loop().link(`${index}`, 0))
  for (const [index, link] of links.entries()) expect(turns.sharing(link, 600 + index)).toBe(index + 1)
  expect(turns.sharing(new Loop().link('content', 0, { content: true }), 700)).toBe(1)
  expect(turns.sharing(links[0]!, 1_200)).toBe(9)
  expect(turns.sharing(links[0]!, 1_800)).toBe(1)
  expect(loop.order).toEqual([])
})

it('lets a handshake begin at once when none did of late, and none waits', async () => {
  const loop = new Loop()
  expect(loop.turns.admit()).toBe(true)
  expect(loop.turns.admit()).toBe(false)
  loop.now += 1_000
  loop.turns.queue('a', { begin: () => loop.order.push('queued') })
  expect(loop.turns.admit()).toBe(false)
  await loop.run(3, () => (loop.now += 1_000))
  expect([loop.order, loop.turns.admit()]).toEqual([['queued'], true])
})
