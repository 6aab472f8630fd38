import { describe, expect, test } from 'vitest'
import type { PlaitError } from '../../src/base/error.ts'
import { windowBytesFirst } from '../../src/message/flow.ts'
import type { MessageStream, StreamHandler } from '../../src/message/messenger-api.ts'
import { count, Echo, HostilePair, kinds, Note, pairOf, Range, statsOf } from './pair.ts'

const none = new Uint8Array(0)

async function all<Item>(stream: AsyncIterable<Item>, atMost = Infinity): Promise<Item[]> {
  const items: Item[] = []
  for await (const item of stream) {
    items.push(item)
    if (items.length >= atMost) break
  }
  return items
}

describe('M5: a range query', () => {
  test('that is left after 100 rows: at most one window more was sent, the signal fires, the source is left', async () => {
    const { joined, near, far } = pairOf()
    let sent = 0
    let left = false
    let firedAt = 0
    far.handleStream(Range, async function* (query, { signal }) {
      signal.addEventListener('abort', () => (firedAt = joined.now))
      try {
        for await (const number of count(query)) {
          sent += 1
          yield number
        }
      } finally {
        left = true
      }
    })
    const rows = await joined.settle(all(near.stream(Range, { from: 0, to: 1_000_000 }), 100))
    const leftAt = joined.now
    expect(rows).toEqual(Array.from({ length: 100 }, (_, index) => index))
    await joined.run(100)
    expect(left).toBe(true)
    expect(firedAt - leftAt).toBeLessThan(100)
    expect(sent).toBeLessThanOrEqual(100 + (2 * windowBytesFirst) / 64)
    expect([near.live, far.live]).toEqual([0, 0])
  })

  test('again and again uses up nothing', async () => {
    const { joined, near, far } = pairOf()
    far.handleStream(Range, count)
    for (let round = 0; round < 500; round += 1)
      expect(await joined.settle(all(near.stream(Range, { from: round, to: 1e6 }), 3))).toHaveLength(3)
    await joined.run(20)
    expect([near.live, far.live]).toEqual([0, 0])
    expect(statsOf(near)).toMatchObject({ streamsOpened: 500, streamsClosed: 500, streamsLive: 0 })
  })

  test('that is read to its end ends at both ends, without a word of who has asked', async () => {
    const { joined, near, far } = pairOf()
    far.handleStream(Range, count)
    expect(await joined.settle(all(near.stream(Range, { from: 0, to: 5_000 })))).toHaveLength(5_000)
    const stream = near.stream(Range, { from: 0, to: 2 })
    expect([await joined.settle(stream.read()), await joined.settle(stream.read())]).toEqual([0, 1])
    expect(await joined.settle(stream.read())).toBe(undefined)
    await joined.settle(stream.closed)
    await joined.run(10)
    expect([near.live, far.live]).toEqual([0, 0])
  })
})

describe('M6: crossing closes', () => {
  test('both sides close the same stream in the same turn while new ones open: each end fires once', async () => {
    const { joined, near, far } = pairOf()
    let farClosed = 0
    let nearClosed = 0
    const served: MessageStream<string, string>[] = []
    far.handleStream(Note, (_first, _context, stream) => {
      served.push(stream)
      void stream.closed.then(() => (farClosed += 1))
    })
    const rounds = 1_000
    for (let round = 0; round < rounds; round += 1) {
      const stream = near.stream(Note, String(round))
      void stream.closed.then(() => (nearClosed += 1))
      await joined.run(3)
      const other = served.pop() as MessageStream<string, string>
      stream.send('on its way')
      other.send('on its way')
      if (round % 3 === 0) {
        stream.close()
        other.close()
      } else if (round % 3 === 1) {
        stream.end()
        other.close()
      } else {
        stream.end()
        other.end()
      }
    }
    await joined.run(20)
    expect([nearClosed, farClosed, near.live, far.live]).toEqual([rounds, rounds, 0, 0])
    expect(statsOf(near).streamsClosed).toBe(rounds)
  })
})

describe('a stream', () => {
  test('carries messages both ways; each direction ends for itself', async () => {
    const { joined, near, far } = pairOf()
    far.handleStream(Note, (first, _context, stream) => {
      stream.send(`first ${first}`)
      stream.end()
      stream.receive((message) => taken.push(message))
    })
    const taken: string[] = []
    const stream = near.stream(Note, 'a')
    expect(await joined.settle(stream.read())).toBe('first a')
    expect(await joined.settle(stream.read())).toBe(undefined)
    for (let index = 0; index < 2_000; index += 1) if (!stream.send(String(index))) await joined.settle(stream.ready())
    stream.end()
    await joined.settle(stream.closed)
    await joined.run(10)
    expect(taken).toEqual(Array.from({ length: 2_000 }, (_, index) => String(index)))
    expect([near.live, far.live]).toEqual([0, 0])
  })

  test('whose other side does not read takes a window, waits, and throws when too much waits', async () => {
    const { joined, near, far } = pairOf({}, { limits: { sendBufferBytes: 100_000 } })
    far.handleStream(Echo, () => {})
    const stream = near.stream(Echo, none)
    let taken = 0
    const fill = (): void => {
      for (; taken < 10_000; taken += 1) stream.send(none)
    }
    expect(fill).toThrow(expect.objectContaining({ code: 'BUFFER_FULL' }) as Error)
    await joined.run(20)
    expect(statsOf(near).itemsSent).toBe(windowBytesFirst / 64)
    expect(taken * 64).toBeLessThanOrEqual(100_000 + windowBytesFirst)
    expect(await joined.settle(near.ping())).toBeLessThan(50)
    let isReady = false
    void stream.ready().then(() => (isReady = true))
    await joined.run(20)
    expect(isReady).toBe(false)
    stream.close()
    await joined.run(5)
    expect([isReady, near.live, far.live]).toEqual([true, 0, 0])
  })

  test('of empty messages that wait for credit becomes ready when they have left', async () => {
    const { joined, near, far } = pairOf()
    far.handleStream(Echo, async (_first, _context, stream) => {
      while ((await stream.read()) !== undefined);
    })
    const stream = near.stream(Echo, none)
    for (let index = 0; index < 1_000; index += 1) stream.send(none)
    await joined.settle(stream.ready())
    expect(statsOf(near).itemsSent).toBe(1_000)
    stream.end()
    await joined.settle(stream.closed)
  })

  test('whose handler does not read to the end tells its caller to stop, after all that it has sent', async () => {
    const { joined, near, far } = pairOf()
    far.handleStream(Note, async function* () {
      yield 'one'
      yield 'two'
    })
    const stream = near.stream(Note, 'go')
    for (let index = 0; index < 1_000; index += 1) stream.send('nobody reads this')
    expect(await joined.settle(all(stream))).toEqual(['one', 'two'])
    await joined.settle(stream.ready())
    expect(() => stream.send('more')).toThrow(expect.objectContaining({ code: 'CIRCUIT_CLOSED' }) as Error)
    await joined.run(10)
    expect([near.live, far.live]).toEqual([0, 0])
  })

  test('whose handler ended it by itself, and is through while more comes, ends in order', async () => {
    const { joined, near, far } = pairOf()
    far.handleStream(Note, async (_first, _context, stream) => {
      stream.send('one')
      stream.end()
      await stream.read()
    })
    const stream = near.stream(Note, 'go')
    stream.send('read')
    stream.send('not read')
    expect(await joined.settle(all(stream))).toEqual(['one'])
    await joined.settle(stream.closed)
    await joined.run(10)
    expect([near.live, far.live]).toEqual([0, 0])
  })

  test.each<[what: string, handler: StreamHandler<string, string>]>([
    [
      'throws',
      () => {
        throw new Error('inside')
      },
    ],
    ['rejects', () => Promise.reject(new Error('inside'))],
    [
      'throws between two rows',
      async function* () {
        yield 'row'
        throw new Error('inside')
      },
    ],
  ])('whose handler %s fails, after the rows that came before', async (what, handler) => {
    const errors: string[] = []
    const { joined, near, far } = pairOf({ far: { onError: (_error, type) => errors.push(type) } })
    far.handleStream(Note, handler)
    const stream = near.stream(Note, 'a')
    if (what === 'throws between two rows') {
      await joined.run(20)
      expect(await stream.read()).toBe('row')
    }
    await expect(joined.settle(stream.read())).rejects.toMatchObject({ code: 'HANDLER_FAILED' })
    expect(stream.signal.aborted).toBe(true)
    expect(errors).toEqual(['note'])
    await joined.run(10)
    expect([near.live, far.live]).toEqual([0, 0])
  })

  test('whose reader throws fails at both ends, and only it', async () => {
    const { joined, near, far } = pairOf()
    far.handleStream(Range, count)
    const stream = near.stream(Range, { from: 0, to: 100 })
    stream.receive((number) => {
      if (number === 5) throw new Error('inside')
    })
    await joined.settle(stream.closed)
    await joined.run(10)
    expect([near.live, far.live, near.circuit.state]).toEqual([0, 0, 'open'])
  })

  test('with a deadline ends with it at both ends, also one that waits', async () => {
    const { joined, near, far } = pairOf({ far: { maxInFlight: 1 } })
    let reason: unknown
    far.handleStream(Note, async (_first, { signal }, stream) => {
      signal.addEventListener('abort', () => (reason = (signal.reason as PlaitError).code))
      await stream.read()
    })
    await joined.run(5)
    const first = near.stream(Note, 'a', { deadlineMs: 300 })
    const second = near.stream(Note, 'b', { deadlineMs: 100 })
    second.send('never sent')
    await expect(joined.settle(second.read())).rejects.toMatchObject({ code: 'TIMEOUT' })
    expect(joined.now).toBeLessThan(200)
    await expect(joined.settle(first.read())).rejects.toMatchObject({ code: 'TIMEOUT' })
    await joined.run(20)
    expect([near.live, far.live, reason]).toEqual([0, 0, 'CANCELLED'])
    expect(statsOf(far).streamsOpened).toBe(1)
  })

  test('that waited for room sends what was said meanwhile, in order', async () => {
    const { joined, near, far } = pairOf({ far: { maxInFlight: 1 } })
    far.handleStream(Note, async (first, _context, stream) => {
      stream.send((await all(stream)).concat(first).join())
    })
    await joined.run(5)
    const first = near.stream(Note, 'a')
    const second = near.stream(Note, 'b')
    second.send('1')
    second.send('2')
    second.end()
    await joined.run(5)
    first.end()
    expect(await joined.settle(second.read())).toBe('1,2,b')
    await joined.run(5)
    first.close()
    second.close()
    await joined.run(5)
    expect([near.live, far.live]).toEqual([0, 0])
  })

  test.each(['before it is sent', 'while it is served'])('cancelled by a signal %s leaves nothing', async (when) => {
    const { joined, near, far } = pairOf({ far: { maxInFlight: 1 } })
    far.handleStream(Range, count)
    far.handle(Echo, () => new Promise<never>(() => {}))
    await joined.run(5)
    const blocker = new AbortController()
    const blocked = near.request(Echo, none, { signal: blocker.signal }).catch(() => {})
    const controller = new AbortController()
    const stream = near.stream(Range, { from: 0, to: 1e6 }, { signal: controller.signal })
    if (when === 'while it is served') blocker.abort()
    await joined.run(20)
    controller.abort(new Error('not wanted'))
    await expect(stream.read()).rejects.toMatchObject({ code: 'CANCELLED' })
    blocker.abort()
    await blocked
    await joined.run(20)
    expect([near.live, far.live]).toEqual([0, 0])
  })

  test('that nobody reads, again and again, costs its session nothing in the end', async () => {
    const { joined, near, far } = pairOf({}, { limits: { accountBytes: 200_000 } })
    far.handleStream(Echo, async function* () {
      yield none
    })
    for (let round = 0; round < 100; round += 1) {
      const stream = near.stream(Echo, none)
      stream.send(new Uint8Array(10_000))
      if (round % 3 === 0) stream.close()
      else if (round % 3 === 1)
        for await (const _item of joinedReads(stream, (promise) => joined.settle(promise))) break
      else {
        await joined.run(5)
        stream.close()
      }
      await joined.run(10)
    }
    expect([near.circuit.state, near.live, far.live]).toEqual(['open', 0, 0])
  })
})

async function* joinedReads<Item>(
  stream: MessageStream<unknown, Item>,
  settle: <Value>(promise: Promise<Value>) => Promise<Value>,
): AsyncGenerator<Item> {
  try {
    for (let item = await settle(stream.read()); item !== undefined; item = await settle(stream.read())) yield item
  } finally {
    stream.close()
  }
}

describe('a hostile end of a stream', () => {
  test('that sends beyond its credit loses that stream only', async () => {
    const hostile = new HostilePair()
    let served: MessageStream<string, string> | undefined
    hostile.messages.handleStream(Note, (_first, _context, stream) => {
      served = stream
    })
    hostile.say(kinds.open, 1, none, { op: Note.id, content: 1 })
    for (let bytes = 0; bytes < windowBytesFirst; bytes += 64) hostile.say(kinds.data, 1, none, { content: 1 })
    await hostile.run()
    expect([hostile.kindsHeard(1), hostile.messages.live]).toEqual([[], 1])
    hostile.say(kinds.data, 1, none, { content: 1 })
    await hostile.run()
    expect([hostile.kindsHeard(1), hostile.messages.live]).toEqual([[kinds.reset], 0])
    await expect(served?.read().then(() => served?.read())).rejects.toMatchObject({ code: 'PROTOCOL' })
    expect(hostile.joined.far.state).toBe('open')
  })

  test.each([
    [
      'data after its end',
      (hostile: HostilePair) => {
        hostile.say(kinds.end, 1)
        hostile.say(kinds.data, 1, none, { content: 1 })
      },
    ],
    [
      'a second end',
      (hostile: HostilePair) => {
        hostile.say(kinds.end, 1)
        hostile.say(kinds.end, 1)
      },
    ],
    ['an answer', (hostile: HostilePair) => hostile.say(kinds.response, 1)],
    ['credit of nothing', (hostile: HostilePair) => hostile.say(kinds.credit, 1, none, { op: 0 })],
    ['negative credit', (hostile: HostilePair) => hostile.say(kinds.credit, 1, none, { op: -5 })],
    [
      'more credit than a number holds',
      (hostile: HostilePair) => hostile.say(kinds.credit, 1, none, { op: Number.MAX_SAFE_INTEGER }),
    ],
  ])('that says %s loses that stream only', async (_what, misuse) => {
    const hostile = new HostilePair()
    hostile.messages.handleStream(Note, () => {})
    hostile.say(kinds.open, 1, none, { op: Note.id, content: 1 })
    misuse(hostile)
    await hostile.run()
    expect([hostile.kindsHeard(1), hostile.messages.live]).toEqual([[kinds.reset], 0])
    expect(hostile.joined.far.state).toBe('open')
  })

  test('that sends on after it was refused is not heard, and its last word frees the number', async () => {
    const hostile = new HostilePair()
    hostile.say(kinds.open, 1, none, { op: Note.id })
    await hostile.run()
    hostile.say(kinds.data, 1)
    hostile.say(kinds.data, 1)
    await hostile.run()
    expect([statsOf(hostile.messages).dropped, hostile.messages.live]).toEqual([2, 1])
    hostile.say(kinds.end, 1)
    await hostile.run()
    expect(hostile.messages.live).toBe(0)
  })

  test('that sends what cannot be read loses that stream only', async () => {
    const hostile = new HostilePair()
    const errors: unknown[] = []
    hostile.messages.handleStream(Note, async (_first, _context, stream) => {
      await stream.read().catch((error: PlaitError) => errors.push(error.code))
    })
    hostile.say(kinds.open, 1, none, { op: Note.id, content: 1 })
    hostile.say(kinds.data, 1, Uint8Array.of(0xff), { content: 1 })
    hostile.say(kinds.end, 1)
    await hostile.run()
    expect([errors, hostile.messages.live, hostile.joined.far.state]).toEqual([['INVALID_MESSAGE'], 0, 'open'])
  })
})
