import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { PlaitError } from '../../src/base/error.ts'
import type { ChannelCircuit } from '../../src/circuit/circuit.ts'
import type { MessageHandler, StreamHandler } from '../../src/message/messenger-api.ts'
import { Echo, Note, pairOf, Range, count, statsOf } from './pair.ts'
import type { Pair } from './pair.ts'

// Whatever a handler does, its exchange ends and nothing else, and both ends come back to where they began.

const none = new Uint8Array(0)
const forever = new Promise<never>(() => {})

let unhandled: unknown[] = []
const keep = (reason: unknown): void => void unhandled.push(reason)

beforeEach(() => {
  unhandled = []
  process.on('unhandledRejection', keep)
})
afterEach(() => {
  process.off('unhandledRejection', keep)
})

/** Another request and another stream go on all the while, and end well. */
async function beside({ joined, near, far }: Pair, act: () => Promise<void>): Promise<void> {
  const { timers } = near.circuit.context.runtime
  far.handle(Echo, (message) => new Promise((resolve) => void timers.after(200, () => resolve(message))))
  far.handleStream(Range, count)
  const asked = near.request(Echo, Uint8Array.of(7))
  const stream = near.stream(Range, { from: 0, to: 3 })
  expect(await joined.settle(stream.read())).toBe(0)
  await act()
  expect(await joined.settle(asked)).toEqual(Uint8Array.of(7))
  expect([await joined.settle(stream.read()), await joined.settle(stream.read())]).toEqual([1, 2])
  expect(await joined.settle(stream.read())).toBe(undefined)
  stream.end()
  expect([near.circuit.state, far.circuit.state]).toEqual(['open', 'open'])
}

/** Nothing is alive, nothing is charged, and no rejection has gone unheard. */
async function expectBase({ joined, near, far }: Pair): Promise<void> {
  await joined.run(50)
  expect([near.live, far.live, statsOf(near).streamsLive, statsOf(far).streamsLive]).toEqual([0, 0, 0, 0])
  for (const { circuit } of [near, far]) expect((circuit as ChannelCircuit).unreadBytes).toBe(0)
  await new Promise((resolve) => setImmediate(resolve))
  expect(unhandled).toEqual([])
}

/** A promise of another kind, which settles twice. */
function twice(first: 'resolve' | 'reject'): Promise<string> {
  const settle = (resolve: (value: string) => void, reject: (error: Error) => void): void => {
    if (first === 'reject') reject(new Error('inside'))
    resolve('one')
    resolve('two')
    reject(new Error('inside'))
  }
  return Object.defineProperty({}, ['th', 'en'].join(''), { value: settle }) as Promise<string>
}

const handlers: readonly [what: string, handler: MessageHandler<string, string>, answer: string][] = [
  [
    'throws',
    () => {
      throw new Error('inside')
    },
    'HANDLER_FAILED',
  ],
  [
    'throws what is no error',
    () => {
      // oxlint-disable-next-line only-throw-error
      throw undefined
    },
    'HANDLER_FAILED',
  ],
  ['rejects', () => Promise.reject(new Error('inside')), 'HANDLER_FAILED'],
  ['settles twice', () => twice('resolve'), 'one'],
  ['rejects and then resolves', () => twice('reject'), 'HANDLER_FAILED'],
]

describe.each(handlers)('a handler that %s', (_what, handler, answer) => {
  test('of a request ends that', async () => {
    const pair = pairOf()
    const { joined, near, far } = pair
    far.handle(Note, handler)
    await beside(pair, async () => {
      const asked = near.request(Note, 'x').catch((error: PlaitError) => error.code)
      expect(await joined.settle(asked)).toBe(answer)
    })
    await expectBase(pair)
  })

  test('of a post ends nothing', async () => {
    const pair = pairOf()
    const { joined, near, far } = pair
    far.handle(Note, handler)
    await beside(pair, async () => {
      near.post(Note, 'x')
      await joined.run(5)
      expect(statsOf(far).postsReceived).toBe(1)
    })
    await expectBase(pair)
  })

  test('of a stream ends that', async () => {
    const pair = pairOf()
    const { joined, near, far } = pair
    far.handleStream(Note, handler as unknown as StreamHandler<string, string>)
    await beside(pair, async () => {
      const read = near.stream(Note, 'x').read()
      const code = await joined.settle(read.catch((error: PlaitError) => error.code))
      // A stream has no answer: what its handler resolves to is nothing that is sent.
      expect(code).toBe(answer === 'one' ? undefined : answer)
    })
    await expectBase(pair)
  })

  test('by default ends what it was called for', async () => {
    const pair = pairOf()
    const { joined, near, far } = pair
    far.handleDefault((message, context) => handler(message.kind, context) as unknown as Promise<Uint8Array>)
    await beside(pair, async () => {
      near.post(Note, 'x')
      const asked = near.request(Note, 'x').catch((error: PlaitError) => error.code)
      // A text is no bytes, which is what a default handler answers with.
      expect(await joined.settle(asked)).toBe('HANDLER_FAILED')
    })
    await expectBase(pair)
  })
})

describe('a handler that never settles', () => {
  test('of a request ends when that is given up, by its caller or by its deadline', async () => {
    const pair = pairOf()
    const { joined, near, far } = pair
    far.handle(Note, () => forever)
    await beside(pair, async () => {
      const controller = new AbortController()
      const asked = near.request(Note, 'x', { signal: controller.signal }).catch(() => 'given up')
      const timed = near.request(Note, 'x', { deadlineMs: 20 }).catch((error: PlaitError) => error.code)
      await joined.run(5)
      controller.abort()
      expect([await joined.settle(asked), await joined.settle(timed)]).toEqual(['given up', 'TIMEOUT'])
    })
    await expectBase(pair)
  })

  test('of a stream ends when that is left, and hears of it', async () => {
    const pair = pairOf()
    const { joined, near, far } = pair
    let reason: unknown
    far.handleStream(Note, (_first, { signal }) => {
      signal.addEventListener('abort', () => (reason = (signal.reason as PlaitError).code))
      return forever
    })
    await beside(pair, async () => {
      const stream = near.stream(Note, 'x')
      stream.send('never read')
      await joined.run(5)
      stream.close()
      await joined.run(5)
    })
    expect(reason).toBe('CANCELLED')
    await expectBase(pair)
  })

  test('of a stream that gives rows for ever between which nothing comes is left too', async () => {
    const pair = pairOf()
    const { joined, near, far } = pair
    far.handleStream(Note, async function* () {
      yield 'first'
      yield await forever
    })
    await beside(pair, async () => {
      const stream = near.stream(Note, 'x')
      expect(await joined.settle(stream.read())).toBe('first')
      stream.close()
      await joined.run(5)
    })
    await expectBase(pair)
  })
})

describe('a handler that says its last word twice', () => {
  test.each<[what: string, handler: StreamHandler<string, string>]>([
    [
      'ends twice',
      async (_first, _context, stream) => {
        stream.send('row')
        stream.end()
        stream.end()
      },
    ],
    [
      'ends, closes and aborts',
      async (_first, _context, stream) => {
        stream.send('row')
        stream.end()
        stream.close()
        stream.abort(new Error('inside'))
      },
    ],
    [
      'sends after its end',
      async (_first, _context, stream) => {
        stream.send('row')
        stream.end()
        stream.send('more')
      },
    ],
    [
      'gives an iterable and has ended before',
      async function* (_first, _context, stream) {
        stream.end()
        yield 'row'
      },
    ],
  ])('by a stream that %s ends that, once', async (_what, handler) => {
    const pair = pairOf()
    const { joined, near, far } = pair
    far.handleStream(Note, handler)
    await beside(pair, async () => {
      const stream = near.stream(Note, 'x')
      let ends = 0
      void stream.closed.then(() => (ends += 1))
      stream.signal.addEventListener('abort', () => (ends += 1))
      while ((await joined.settle(stream.read().catch(() => undefined))) !== undefined);
      stream.close()
      await joined.run(10)
      expect(ends).toBe(2)
    })
    await expectBase(pair)
  })
})

describe.each(['close', 'abort', 'end'] as const)('a handler that does circuit.%s()', (how) => {
  test.each(['post', 'request', 'stream'] as const)(
    'in a %s ends its circuit only, and all on it settles',
    async (kind) => {
      const pair = pairOf()
      const { joined, near, far } = pair
      far.handle(Echo, () => forever)
      far.handle(Note, async (text, { circuit }) => {
        void circuit[how]()
        return text
      })
      far.handleStream(Note, async (_first, { circuit }, stream) => {
        void circuit[how]()
        stream.send('late')
      })
      const codeOf = (promise: Promise<unknown>): Promise<unknown> => promise.catch((error: PlaitError) => error.code)
      const outcomes = [codeOf(near.request(Echo, none))]
      if (kind === 'post') near.post(Note, 'x')
      else if (kind === 'request') outcomes.push(codeOf(near.request(Note, 'x')))
      else outcomes.push(codeOf(near.stream(Note, 'x').read()))
      await joined.run(10)
      // What only ends its own direction leaves the other side waiting for answers that nobody can send any more.
      if (how === 'end') near.abort()
      for (const outcome of await joined.settle(Promise.all(outcomes)))
        expect(['CIRCUIT_CLOSED', 'ABORTED']).toContain(outcome)
      await joined.run(10)
      expect([near.circuit.state, far.circuit.state]).toEqual(['closed', 'closed'])
      await expectBase(pair)
    },
  )
})
