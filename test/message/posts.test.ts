import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { PlaitError } from '../../src/base/error.ts'
import { bytes } from '../../src/message/codecs/bytes.ts'
import { defineMessage } from '../../src/message/define-message.ts'
import { heartbeat, whoAmI } from '../../src/message/system.ts'
import { count, Echo, Note, pairOf, Range, statsOf } from './pair.ts'

const none = new Uint8Array(0)
const MiB = 1024 * 1024

function filled(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => index * 31 + (index >> 8))
}

function hash(payload: Uint8Array): string {
  return createHash('sha256').update(payload).digest('hex')
}

describe('M7: sizes', () => {
  const limit = 256 * 1024

  test.each([0, 1, 64 * 1024 + 1, limit])('%d bytes arrive whole by post, request and stream', async (length) => {
    const { joined, near, far } = pairOf({}, { limits: { fragmentBytes: limit } })
    const payload = filled(length)
    const posted = new Promise<string>((resolve) =>
      far.handle(Echo, (message) => {
        resolve(hash(message))
        return message
      }),
    )
    far.handleStream(Echo, async function* (message) {
      yield message
    })
    near.post(Echo, payload)
    expect(await joined.settle(posted)).toBe(hash(payload))
    expect(hash(await joined.settle(near.request(Echo, payload)))).toBe(hash(payload))
    const back = await joined.settle(near.stream(Echo, payload).read())
    expect(hash(back ?? none)).toBe(hash(payload))
  })

  test('one byte more is refused at the sender, with nothing sent and nothing left', async () => {
    const { joined, near, far } = pairOf({}, { limits: { fragmentBytes: limit } })
    const large = new Uint8Array(limit + 1)
    const refused = { code: 'FRAGMENT_TOO_LARGE', facts: { limit } }
    far.handle(Echo, (message) => (message.length === 0 ? large : message))
    far.handleStream(Echo, async (_first, _context, stream) => void (await stream.read()))
    expect(() => near.post(Echo, large)).toThrow(expect.objectContaining(refused) as Error)
    await expect(near.request(Echo, large)).rejects.toMatchObject(refused)
    expect(() => near.stream(Echo, large)).toThrow(expect.objectContaining(refused) as Error)
    expect([near.live, statsOf(near).bytesSent]).toEqual([0, 0])
    const stream = near.stream(Echo, none)
    expect(() => stream.send(large)).toThrow(expect.objectContaining(refused) as Error)
    stream.send(none)
    // An answer that is too large is the handler's failure, and its caller is told.
    await expect(joined.settle(near.request(Echo, none))).rejects.toMatchObject({ code: 'HANDLER_FAILED' })
    await joined.run(10)
    stream.close()
    await joined.run(10)
    expect([near.live, far.live]).toEqual([0, 0])
  })

  test('a message of the largest size behind others waits for its room', async () => {
    const { joined, near, far } = pairOf({ near: { flushMs: 1 } })
    const taken: number[] = []
    far.handle(Echo, (message) => {
      taken.push(message.length)
      return none
    })
    far.handle(Note, () => '')
    const large = new Uint8Array(16 * MiB)
    near.post(Note, 'small')
    const asked = near.request(Echo, new Uint8Array(1_000))
    expect(() => near.post(Echo, large)).toThrow(expect.objectContaining({ code: 'BUFFER_FULL' }) as Error)
    await joined.settle(asked)
    near.post(Echo, large)
    await joined.settle(near.close())
    await joined.run(10)
    expect(taken).toEqual([1_000, 16 * MiB])
  })

  test('an answer of the largest size behind others waits for its room', async () => {
    const { joined, near, far } = pairOf()
    far.handle(Echo, () => new Uint8Array(16 * MiB))
    const asked = [near.request(Echo, none), near.request(Echo, none)]
    const answers = await joined.settle(Promise.all(asked))
    expect(answers.map(({ length }) => length)).toEqual([16 * MiB, 16 * MiB])
  })

  test('answers that nobody takes are refused when they are more than a session may hold', async () => {
    const { joined, near, far } = pairOf({}, { limits: { accountBytes: 2 * MiB } })
    far.handle(Echo, () => new Uint8Array(256 * 1024))
    const asked = Array.from({ length: 40 }, () =>
      near.request(Echo, none).then(
        () => 'answered',
        (error: PlaitError) => error.code,
      ),
    )
    const outcomes = await joined.settle(Promise.all(asked))
    expect(new Set(outcomes)).toEqual(new Set(['answered', 'BUSY']))
    expect([near.live, far.live]).toEqual([0, 0])
  })
})

describe('M8: flush and drain', () => {
  test('a lone post with flushMs waits so long, and not when there is a batch or a flush', async () => {
    const { joined, near, far } = pairOf({ near: { flushMs: 10, batchBytes: 1_000 } })
    const at: number[] = []
    far.handle(Note, () => {
      at.push(joined.now)
      return ''
    })
    const beganAt = joined.now
    near.post(Note, 'alone')
    await joined.run(50)
    expect(at).toHaveLength(1)
    expect((at[0] as number) - beganAt).toBeGreaterThanOrEqual(10)
    expect((at[0] as number) - beganAt).toBeLessThanOrEqual(25)
    near.post(Note, 'x'.repeat(2_000))
    await joined.run(5)
    expect(at).toHaveLength(2)
    near.post(Note, 'flushed')
    near.flush()
    await joined.run(5)
    expect(at).toHaveLength(3)
    expect(statsOf(near).flushes).toBe(3)
  })

  test('posts keep the order of their calls, with requests among them', async () => {
    for (const flushMs of [0, 5]) {
      const { joined, near, far } = pairOf({ near: { flushMs } })
      const taken: string[] = []
      far.handle(Note, (text) => {
        taken.push(text)
        return text
      })
      const asked: Promise<string>[] = []
      for (let index = 0; index < 300; index += 1)
        if (index % 3 === 0) asked.push(near.request(Note, String(index)))
        else near.post(Note, String(index))
      await joined.settle(Promise.all(asked))
      expect(taken).toEqual(Array.from({ length: 300 }, (_, index) => String(index)))
    }
  })

  test('close after 10,000 accepted posts delivers all, waits for what is under way, and begins nothing new', async () => {
    const { joined, near, far } = pairOf({ near: { flushMs: 20 } })
    let taken = 0
    far.handle(Note, (text) => {
      taken += 1
      return text
    })
    const { timers } = near.circuit.context.runtime
    far.handle(Echo, (message) => new Promise((resolve) => void timers.after(500, () => resolve(message))))
    const asked = near.request(Echo, Uint8Array.of(1))
    for (let index = 0; index < 10_000; index += 1) near.post(Note, String(index))
    const closed = near.close()
    expect(near.close()).toBe(closed)
    expect(() => near.post(Note, 'late')).toThrow(expect.objectContaining({ code: 'CIRCUIT_CLOSED' }) as Error)
    await expect(joined.settle(far.request(Note, 'late'))).rejects.toMatchObject({ code: 'GOING_AWAY' })
    expect(await joined.settle(asked)).toEqual(Uint8Array.of(1))
    await joined.settle(closed)
    await joined.run(10)
    expect([taken, near.live, far.live]).toEqual([10_000, 0, 0])
    expect(near.circuit.state).toBe('closed')
  })

  test('close ends with the last stream that its own end gives up', async () => {
    const { joined, near, far } = pairOf()
    far.handleStream(Note, () => {})
    const stream = near.stream(Note, 'a')
    const served = near.close()
    await joined.run(100)
    expect(near.circuit.state).toBe('open')
    stream.close()
    await joined.settle(served)
    await joined.run(10)
    expect(near.circuit.state).toBe('closed')
  })

  test('close waits no longer than its signal', async () => {
    const { joined, near, far } = pairOf()
    far.handle(Echo, () => new Promise<never>(() => {}))
    const asked = near.request(Echo, none).catch((error: PlaitError) => error.code)
    const controller = new AbortController()
    const closed = near.close({ signal: controller.signal })
    await joined.run(100)
    controller.abort()
    await joined.settle(closed)
    expect(await joined.settle(asked)).toBe('CIRCUIT_CLOSED')
    await joined.run(10)
    expect([near.live, far.live]).toEqual([0, 0])
  })

  test('posts beyond the buffer throw, and ready says when there is room', async () => {
    for (const flushMs of [0, 5]) {
      const { joined, near, far } = pairOf({ near: { flushMs } })
      let taken = 0
      far.handle(Echo, () => {
        taken += 1
        return none
      })
      let posted = 0
      let isRoomy = true
      const fill = (): void => {
        for (; posted < 1_000; posted += 1) isRoomy = near.post(Echo, new Uint8Array(100_000))
      }
      expect(fill).toThrow(expect.objectContaining({ code: 'BUFFER_FULL' }) as Error)
      expect(isRoomy).toBe(false)
      const accepted = posted
      await joined.settle(near.ready())
      expect(near.post(Echo, none)).toBe(true)
      await joined.settle(near.close())
      await joined.run(100)
      expect(taken).toBe(accepted + 1)
    }
  })

  test('what fails at an ended circuit is said, and what waits for room fails with it', async () => {
    const { joined, near } = pairOf()
    expect(() => {
      for (;;) near.post(Echo, new Uint8Array(100_000))
    }).toThrow(PlaitError)
    const waiting = near.ready().catch((error: PlaitError) => error.code)
    near.abort()
    expect(await joined.settle(waiting)).toBe('ABORTED')
    await expect(near.ready()).rejects.toMatchObject({ code: 'ABORTED' })
    await expect(near.request(Echo, none)).rejects.toMatchObject({ code: 'ABORTED' })
    await joined.settle(near.close())
  })
})

describe('posts', () => {
  test.each([
    [
      'throws',
      () => {
        throw new Error('inside')
      },
    ],
    ['rejects', () => Promise.reject(new Error('inside'))],
  ] as const)('whose handler %s are told to onError only', async (_what, handler: () => Promise<never>) => {
    const errors: unknown[] = []
    const { joined, near, far } = pairOf({ far: { onError: (error, type) => errors.push([type, error]) } })
    far.handle(Note, handler)
    near.post(Note, 'x')
    await joined.run(5)
    expect(errors).toEqual([['note', expect.any(Error)]])
    expect(near.circuit.state).toBe('open')
  })

  test('a link that breaks loses none and repeats none', async () => {
    const { joined, near, far } = pairOf()
    const taken: number[] = []
    far.handle(Note, (text) => {
      taken.push(Number(text))
      return text
    })
    const asked: Promise<string>[] = []
    for (let index = 0; index < 2_000; index += 2) {
      near.post(Note, String(index))
      asked.push(near.request(Note, String(index + 1)))
      if (index % 500 !== 100) continue
      await joined.run(1)
      joined.cut()
      joined.relink()
    }
    await joined.settle(Promise.all(asked))
    expect(taken).toEqual(Array.from({ length: 2_000 }, (_, index) => index))
  })
})

describe('the system', () => {
  test('says who it is, answers a ping, counts heartbeats', async () => {
    const { joined, near, far } = pairOf()
    expect(await joined.settle(near.request(whoAmI, none))).toEqual({ nodeId: 'far' })
    expect(await joined.settle(far.request(whoAmI, none))).toEqual({ nodeId: 'near' })
    expect(await joined.settle(near.ping())).toBeGreaterThanOrEqual(0)
    near.post(heartbeat, none)
    await joined.run(5)
    expect([statsOf(near).heartbeatsSent, statsOf(far).heartbeatsReceived]).toEqual([1, 1])
  })

  test('numbers below 4096, and types that are handled already, are refused', () => {
    const { near } = pairOf()
    for (const id of [0, 1, 4_095, -1, 4_096.5, 2 ** 53])
      expect(() => defineMessage({ id, name: 'x', request: bytes() })).toThrow(PlaitError)
    near.handle(Echo, (message) => message)
    expect(() => near.handle(Echo, (message) => message)).toThrow(PlaitError)
    expect(() => near.handle(whoAmI, () => ({ nodeId: 'other' }))).toThrow(PlaitError)
    near.unhandle(Echo)
    near.handle(Echo, (message) => message)
    near.handleStream(Echo, () => {})
    expect(() => near.handleStream(Echo, () => {})).toThrow(PlaitError)
  })

  test.each([
    ['maxInFlight', 0],
    ['maxInFlight', 5_000],
    ['maxHandlers', 0],
    ['maxHandlers', 1.5],
  ])('%s may not be %d', (name, value) => {
    expect(() => pairOf({ near: { [name]: value } })).toThrow(PlaitError)
  })

  test('names like __proto__ are plain values', async () => {
    const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty']
    const types = names.map((name, index) => defineMessage({ id: 5_000 + index, name, request: bytes() }))
    const { joined, near, far } = pairOf()
    for (const type of types) {
      far.handle(type, (message) => message)
      expect(await joined.settle(near.request(type, Uint8Array.of(1)))).toEqual(Uint8Array.of(1))
    }
  })
})

describe('M10: counters', () => {
  test('of a scripted mix agree at both ends', async () => {
    const { joined, near, far } = pairOf({ near: { accept: ['zstd'] }, far: { accept: ['gzip'], maxInFlight: 10 } })
    far.handle(Note, (text) => {
      if (text === 'fails') throw new Error('inside')
      return text.repeat(100)
    })
    far.handle(Echo, () => new Promise<never>(() => {}))
    far.handleStream(Range, count)
    near.handle(Note, (text) => text)
    await joined.run(5)
    for (let index = 0; index < 20; index += 1) near.post(Note, 'post '.repeat(500))
    const settled: Promise<unknown>[] = []
    for (let index = 0; index < 50; index += 1)
      settled.push(near.request(Note, index % 10 === 0 ? 'fails' : `${index}`).catch(() => {}))
    for (let index = 0; index < 5; index += 1) settled.push(far.request(Note, 'back'))
    settled.push(near.request(Echo, none, { deadlineMs: 30 }).catch(() => {}))
    await joined.settle(Promise.all(settled))
    for (const to of [3, 3_000]) {
      const stream = near.stream(Range, { from: 0, to })
      for (let rows = 0; rows < 3; rows += 1) await joined.settle(stream.read())
      if (to === 3) expect(await joined.settle(stream.read())).toBe(undefined)
      stream.close()
    }
    await joined.run(50)
    const [sent, received] = [statsOf(near), statsOf(far)]
    for (const [here, there] of [
      [sent, received],
      [received, sent],
    ] as const) {
      expect(here.postsSent).toBe(there.postsReceived)
      expect(here.requestsSent).toBe(there.requestsReceived)
      expect(here.responsesSent).toBe(there.responsesReceived)
      expect(here.errorsSent).toBe(there.errorsReceived)
      expect(here.itemsSent).toBe(there.itemsReceived)
      expect(here.bytesSent).toBe(there.bytesReceived)
      expect([here.streamsOpened, here.streamsClosed, here.streamsLive]).toEqual([2, 2, 0])
    }
    expect(sent).toMatchObject({ postsSent: 21, requestsSent: 51, responsesReceived: 45, errorsReceived: 6 })
    expect(sent.latency.count).toBe(45)
    expect(sent.latency.buckets.at(-1)).toEqual({ upToMs: Infinity, count: 45 })
    expect([near.live, far.live]).toEqual([0, 0])
  })
})
