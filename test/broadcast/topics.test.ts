import { expect, it } from 'vitest'
import type { TopicMessage, Topics, TopicsOptions } from '../../src/broadcast/broadcast-api.ts'
import { topics } from '../../src/broadcast/topics.ts'
import { simulatedVerify } from '../../src/identity/simulated.ts'
import { Town } from '../node/town.ts'

const decoder = new TextDecoder()

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

function textOf({ topic, payload, isDirect }: TopicMessage): string {
  return `${isDirect ? 'to me ' : ''}${topic}: ${decoder.decode(payload)}`
}

/** Members of one network, each of which has joined by the first. */
async function crowd(
  size: number,
  options: Partial<TopicsOptions> = {},
): Promise<{ readonly town: Town; readonly members: readonly Topics[] }> {
  const town = new Town(7)
  const members: Topics[] = []
  for (let index = 0; index < size; index += 1) {
    const node = await town.add(`n${index}`)
    const join = index === 0 ? [] : [town.address('n0')]
    members.push(topics(node, { open: 'anyone', join, verify: simulatedVerify, ...options }))
  }
  const isWhole = (): boolean => members.every((one) => one.members.length === size)
  await town.world.run(isWhole, 20_000)
  expect(members.map((one) => one.members.length)).toEqual(members.map(() => size))
  return { town, members }
}

it('brings what is published in one turn to every other member that is subscribed, once and in order', async () => {
  for (const starMembersMax of [64, 0]) {
    const { town, members } = await crowd(6, { settings: { starMembersMax } })
    const heard = members.map((one) => {
      const texts: string[] = []
      one.subscribe('news', (message) => texts.push(textOf(message)))
      return texts
    })
    const [first] = members as [Topics]
    const publication = first.publish('news', bytesOf('one'))
    first.publish('other', bytesOf('not for them'))
    first.publish('news', bytesOf('two'))
    expect(await town.world.settle(publication.report())).toEqual({ reached: 5, missing: 0, unreached: [] })
    expect(heard).toEqual([[], ...heard.slice(1).map(() => ['news: one', 'news: two'])])
    expect(first.snapshot().shape).toBe(starMembersMax === 0 ? 'tree' : 'star')
    expect(first.bufferedBytes).toBe(0)
  }
})

it('sends to some only', async () => {
  const { town, members } = await crowd(4)
  const heard = members.map((one) => {
    const texts: string[] = []
    one.subscribe('inbox', (message) => texts.push(textOf(message)))
    return texts
  })
  const [first, second, third] = members as [Topics, Topics, Topics]
  const ids = [second, third].map((one) => one.snapshot().members.find(({ id }) => id === idOf(town, members, one))?.id)
  const report = first
    .send(
      ids.map((id) => id ?? expect.fail('a member')),
      'inbox',
      bytesOf('hello'),
    )
    .report()
  expect(await town.world.settle(report)).toEqual({ reached: 2, missing: 0, unreached: [] })
  expect(heard).toEqual([[], ['to me inbox: hello'], ['to me inbox: hello'], []])
})

it('says who was not reached', async () => {
  const { town, members } = await crowd(4)
  const [first, , , last] = members as [Topics, Topics, Topics, Topics]
  const lastId = idOf(town, members, last)
  town.node('n3').abort()
  const report = await town.world.settle(first.publish('news', bytesOf('hello')).report(), 60_000)
  expect(report).toEqual({ reached: 2, missing: 1, unreached: [lastId] })
  await town.world.run(() => first.members.length === 3, 20_000)
  expect(first.members.map(({ id }) => id)).not.toContain(lastId)
})

it('an iterator yields what has come, and ends when the subscription is closed', async () => {
  const { town, members } = await crowd(2)
  const [first, second] = members as [Topics, Topics]
  const subscription = second.subscribe('news')
  const texts: string[] = []
  const reading = (async () => {
    for await (const message of subscription) texts.push(textOf(message))
  })()
  first.publish('news', bytesOf('one'))
  await town.world.run(() => texts.length === 1, 5_000)
  await subscription.close()
  await town.world.settle(reading)
  first.publish('news', bytesOf('two'))
  await town.world.run(town.world.now + 1_000)
  expect(texts).toEqual(['news: one'])
})

it('a handler that throws is reported, and handed the next message all the same', async () => {
  const { town, members } = await crowd(2)
  const [first, second] = members as [Topics, Topics]
  const texts: string[] = []
  const failures: unknown[] = []
  second.addEventListener('handlerfailed', ({ detail }) => failures.push(detail))
  const error = new Error('on purpose')
  second.subscribe('news', (message) => {
    texts.push(textOf(message))
    throw error
  })
  for (const text of ['one', 'two']) await town.world.settle(first.publish('news', bytesOf(text)).report())
  expect(texts).toEqual(['news: one', 'news: two'])
  expect(failures).toEqual([
    { topic: 'news', error },
    { topic: 'news', error },
  ])
  expect(first.snapshot().connected).toHaveLength(1)
})

it('tells the others that it leaves, and takes nothing any more', async () => {
  const { town, members } = await crowd(3)
  const [first, second, third] = members as [Topics, Topics, Topics]
  const events: string[] = []
  first.addEventListener('member', ({ detail }) => events.push(detail.status))
  await town.world.settle(third.close())
  await town.world.run(() => second.members.length === 2 && first.members.length === 2, 1_000)
  expect(events).toEqual(['left'])
  expect(() => third.publish('news', bytesOf('late'))).toThrow(expect.objectContaining({ code: 'NODE_CLOSED' }))
})

it('refuses what is too large, and topics without a name', async () => {
  const { town, members } = await crowd(1)
  const [first] = members as [Topics]
  expect(() => first.publish('news', new Uint8Array(64 * 1024 + 1))).toThrow(
    expect.objectContaining({ code: 'FRAGMENT_TOO_LARGE', facts: { limit: 65_536, bytes: 65_537 } }),
  )
  expect(() => first.publish('', bytesOf('x'))).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
  expect(await town.world.settle(first.publish('news', new Uint8Array(64 * 1024)).report())).toEqual({
    reached: 0,
    missing: 0,
    unreached: [],
  })
})

function idOf(town: Town, members: readonly Topics[], one: Topics): string {
  return town.node(`n${members.indexOf(one)}`).id
}
