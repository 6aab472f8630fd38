import { describe, expect, test } from 'vitest'
import { PlaitError } from '../../src/base/error.ts'
import { Echo, HostilePair, kinds, Note, pairOf, statsOf } from './pair.ts'

const none = new Uint8Array(0)
const forever = new Promise<never>(() => {})

/** A promise of another kind, which settles twice. */
const thenable: unknown = Object.defineProperty({}, ['th', 'en'].join(''), { value: answerTwice })

function answerTwice(resolve: (value: Uint8Array) => void): void {
  resolve(Uint8Array.of(1))
  resolve(Uint8Array.of(2))
}

/** Number and side, so that an answer that went astray is seen. */
function text(side: string, index: number): Uint8Array {
  return new TextEncoder().encode(`${side} ${index}`)
}

describe('M1: both ends ask at once', () => {
  test('10,000 each, more than may be in flight: all answers match, nothing is left', async () => {
    const { joined, near, far } = pairOf()
    near.handle(Echo, (message) => message)
    far.handle(Echo, async (message) => message)
    const asked: Promise<Uint8Array>[] = []
    for (let index = 0; index < 10_000; index += 1)
      asked.push(near.request(Echo, text('near', index)), far.request(Echo, text('far', index)))
    expect(near.live).toBe(10_000)
    const answers = await joined.settle(Promise.all(asked))
    const decoder = new TextDecoder()
    const expected = Array.from({ length: 20_000 }, (_, at) => `${at % 2 === 0 ? 'near' : 'far'} ${at >> 1}`)
    expect(answers.map((answer) => decoder.decode(answer))).toEqual(expected)
    expect([near.live, far.live]).toEqual([0, 0])
  })

  test('beyond what may wait the next one is refused, and one that was cancelled makes room', async () => {
    const { joined, near, far } = pairOf({ far: { maxInFlight: 2 } }, { limits: { requestsWaiting: 3 } })
    far.handle(Echo, () => forever)
    await joined.run(5)
    const controller = new AbortController()
    const { signal } = controller
    const asked = Array.from({ length: 5 }, (_, index) =>
      near.request(Echo, text('near', index), index === 3 ? { signal } : {}).catch((error: unknown) => error),
    )
    expect(near.live).toBe(5)
    await expect(near.request(Echo, none)).rejects.toMatchObject({ code: 'BUFFER_FULL', facts: { limit: 3 } })
    controller.abort(new Error('no more'))
    expect(near.live).toBe(4)
    asked.push(near.request(Echo, none).catch((error: unknown) => error))
    await expect(near.request(Echo, none)).rejects.toMatchObject({ code: 'BUFFER_FULL' })
    far.abort()
    const reasons = await joined.settle(Promise.all(asked))
    expect(reasons.map((reason) => (reason as PlaitError).code)).toEqual([
      'ABORTED',
      'ABORTED',
      'ABORTED',
      undefined,
      'ABORTED',
      'ABORTED',
    ])
    expect([near.live, far.live]).toEqual([0, 0])
  })

  test('a thousand that wait and are cancelled, again and again, leave nothing behind', async () => {
    const { joined, near, far } = pairOf({ far: { maxInFlight: 1 } }, { limits: { requestsWaiting: 10 } })
    far.handle(Echo, () => forever)
    await joined.run(5)
    void near.request(Echo, none).catch(() => {})
    for (let round = 0; round < 1_000; round += 1) {
      const controller = new AbortController()
      const asked = near.request(Echo, none, { signal: controller.signal })
      controller.abort()
      await expect(asked).rejects.toThrow()
    }
    expect(near.live).toBe(1)
  })
})

describe('M3: a late answer', () => {
  test('1,000 deadlines of 400 ms, answers at 600 ms: time-outs, signals, late answers counted, nothing left', async () => {
    const { joined, near, far } = pairOf()
    let fired = 0
    const timers = near.circuit.context.runtime.timers
    far.handle(Echo, (message, { signal }) => {
      signal.addEventListener('abort', () => (fired += 1))
      return new Promise((resolve) => void timers.after(600, () => resolve(message)))
    })
    const beganAt = joined.now
    const asked = Array.from({ length: 1_000 }, (_, index) =>
      near.request(Echo, text('near', index), { deadlineMs: 400 }).then(
        () => 'answered',
        (error: PlaitError) => `${error.code} ${joined.now - beganAt >= 400 && joined.now - beganAt <= 500}`,
      ),
    )
    const outcomes = await joined.settle(Promise.all(asked))
    expect(new Set(outcomes)).toEqual(new Set(['TIMEOUT true']))
    await joined.run(300)
    expect(fired).toBe(1_000)
    expect([near.live, far.live]).toEqual([0, 0])
    expect(statsOf(far).late).toBeGreaterThanOrEqual(1_000)
    expect(statsOf(far).responsesSent).toBe(0)
  })

  test('its deadline is over with its answer', async () => {
    const { joined, near, far } = pairOf()
    far.handle(Echo, (message) => message)
    await joined.settle(near.request(Echo, none, { deadlineMs: 100 }))
    await joined.run(1_000)
    expect(statsOf(near).timeouts + statsOf(far).timeouts).toBe(0)
  })

  test('the deadline runs also while it waits for room, and what is left of it travels', async () => {
    const { joined, near, far } = pairOf({ far: { maxInFlight: 1 } })
    far.handle(Echo, () => forever)
    await joined.run(5)
    const first = near.request(Echo, none, { deadlineMs: 200 }).catch((error: PlaitError) => error.code)
    const second = near.request(Echo, none, { deadlineMs: 100 }).catch((error: PlaitError) => error.code)
    expect(await joined.settle(second)).toBe('TIMEOUT')
    expect(near.live).toBe(1)
    expect(await joined.settle(first)).toBe('TIMEOUT')
    await joined.run(20)
    expect([near.live, far.live]).toEqual([0, 0])
    expect(statsOf(far).requestsReceived).toBe(1)
  })

  test.each([0, -1, Number.NaN, 1e10])('%d is no deadline', async (deadlineMs) => {
    const { near } = pairOf()
    await expect(near.request(Echo, none, { deadlineMs })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })
})

describe('M4: a message that nobody handles', () => {
  test('is refused at once, a post is counted, a stream refused; the circuit stays', async () => {
    const { joined, near, far } = pairOf()
    await expect(joined.settle(near.request(Echo, none))).rejects.toMatchObject({ code: 'NO_HANDLER' })
    expect(joined.now).toBeLessThan(50)
    near.post(Note, 'hello')
    await expect(joined.settle(near.stream(Note, 'a').read())).rejects.toMatchObject({ code: 'NO_HANDLER' })
    await joined.run(5)
    expect(statsOf(far).unhandled).toBe(3)
    expect(await joined.settle(near.ping())).toBeLessThan(50)
    expect([near.live, far.live]).toEqual([0, 0])
  })

  test('goes to the default handler, post and request', async () => {
    const { joined, near, far } = pairOf()
    const taken: unknown[] = []
    far.handleDefault(({ id, kind, content, payload }) => {
      taken.push([id, kind, content, new TextDecoder().decode(payload)])
      return Uint8Array.of(1, 2)
    })
    near.post(Note, 'hello')
    expect(await joined.settle(near.request(Echo, text('x', 1)))).toEqual(Uint8Array.of(1, 2))
    expect(taken).toEqual([
      [Note.id, 'post', 1, 'hello'],
      [Echo.id, 'request', 0, 'x 1'],
    ])
  })

  test('a default handler that gives no bytes has failed', async () => {
    const { joined, near, far } = pairOf()
    far.handleDefault(() => 'text' as unknown as Uint8Array)
    await expect(joined.settle(near.request(Echo, none))).rejects.toMatchObject({ code: 'HANDLER_FAILED' })
  })
})

describe('a handler', () => {
  const secret = new PlaitError('FILE_FAILED', 'nobody may know this path')

  test.each([
    [
      'throws',
      () => {
        throw new Error('inside')
      },
      'HANDLER_FAILED',
    ],
    ['rejects', () => Promise.reject(new Error('inside')), 'HANDLER_FAILED'],
    [
      'throws what is only for this process',
      () => {
        throw secret
      },
      'HANDLER_FAILED',
    ],
    [
      'throws what may cross',
      () => {
        throw new PlaitError('BUSY', 'later')
      },
      'BUSY',
    ],
    [
      'throws with a number of its own',
      () => {
        throw new PlaitError('REMOTE', 'x', { facts: { number: 5_000 } })
      },
      'REMOTE',
    ],
    ['gives what its codec cannot write', () => 'no bytes' as unknown as Uint8Array, 'HANDLER_FAILED'],
  ] as const)(
    'that %s ends its exchange only',
    async (_what, handler: () => Uint8Array | Promise<Uint8Array>, code) => {
      const errors: unknown[] = []
      const { joined, near, far } = pairOf({
        far: {
          onError: (error) => {
            errors.push(error)
            throw error
          },
        },
      })
      far.handle(Echo, handler)
      far.handle(Note, (message) => message)
      const failing = joined.settle(near.request(Echo, none))
      await expect(failing).rejects.toMatchObject({ code })
      await expect(failing).rejects.not.toThrow(/inside|path/)
      expect(errors).toHaveLength(1)
      expect(await joined.settle(near.request(Note, 'still'))).toBe('still')
      expect([near.live, far.live]).toEqual([0, 0])
    },
  )

  test('that answers twice answers once, and counts as one', async () => {
    const { joined, near, far } = pairOf({ far: { maxHandlers: 1 } })
    const twice = thenable as Promise<Uint8Array>
    let running = 0
    far.handle(Echo, (message) => (message.length === 0 ? twice : message))
    far.handle(Note, async (message) => {
      running += 1
      expect(running).toBe(1)
      await new Promise<void>((resolve) => void near.circuit.context.runtime.timers.after(10, resolve))
      running -= 1
      return message
    })
    expect(await joined.settle(near.request(Echo, none))).toEqual(Uint8Array.of(1))
    const notes = Array.from({ length: 5 }, (_, index) => near.request(Note, String(index)))
    expect(await joined.settle(Promise.all(notes))).toEqual(['0', '1', '2', '3', '4'])
    expect([statsOf(far).responsesSent, near.live, far.live]).toEqual([6, 0, 0])
  })

  test('that never settles ends with its caller, and with its circuit', async () => {
    const { joined, near, far } = pairOf()
    let reasons: unknown[] = []
    far.handle(Echo, (_message, { signal }) => {
      signal.addEventListener('abort', () => (reasons = [...reasons, (signal.reason as PlaitError).code]))
      return forever
    })
    const controller = new AbortController()
    const cancelled = near.request(Echo, none, { signal: controller.signal })
    const open = near.request(Echo, none).catch((error: PlaitError) => error.code)
    await joined.run(5)
    controller.abort(new Error('not wanted'))
    await expect(cancelled).rejects.toThrow('not wanted')
    await joined.run(5)
    expect(reasons).toEqual(['CANCELLED'])
    expect([near.live, far.live]).toEqual([1, 1])
    near.abort()
    expect(await joined.settle(open)).toBe('ABORTED')
    await joined.run(5)
    expect(reasons).toEqual(['CANCELLED', 'ABORTED'])
    expect([near.live, far.live]).toEqual([0, 0])
  })

  test.each(['close', 'abort', 'end'] as const)('that does circuit.%s() ends its circuit only', async (how) => {
    const { joined, near, far } = pairOf()
    far.handle(Echo, async (message, { circuit }) => {
      void circuit[how]()
      return message
    })
    const asked = near.request(Echo, none).catch((error: PlaitError) => error.code)
    await joined.run(10)
    if (how === 'end') near.abort()
    expect(['CIRCUIT_CLOSED', 'ABORTED']).toContain(await joined.settle(asked))
    await joined.run(10)
    expect([near.live, far.live]).toEqual([0, 0])
    expect(() => near.post(Note, 'late')).toThrow(PlaitError)
  })

  test('that asks and posts back while it answers does not stumble', async () => {
    const { joined, near, far } = pairOf()
    const notes: string[] = []
    near.handle(Note, (message) => {
      notes.push(message)
      return `${message}!`
    })
    far.handle(Echo, async (message) => {
      far.post(Note, 'posted')
      return new TextEncoder().encode(`${await far.request(Note, 'asked')} ${message.length}`)
    })
    expect(new TextDecoder().decode(await joined.settle(near.request(Echo, none)))).toBe('asked! 0')
    expect(notes).toEqual(['posted', 'asked'])
  })

  test('that waits for its turn gives its room back when it is cancelled', async () => {
    const { joined, near, far } = pairOf({ far: { maxHandlers: 1 } }, { limits: { accountBytes: 512 * 1024 } })
    far.handle(Echo, () => forever)
    void near.request(Echo, none).catch(() => {})
    // Together far more than the account of a session takes.
    for (let round = 0; round < 100; round += 1) {
      const asked = near.request(Echo, new Uint8Array(60_000), { deadlineMs: 20 })
      await expect(joined.settle(asked)).rejects.toMatchObject({ code: 'TIMEOUT' })
    }
    expect(near.circuit.state).toBe('open')
    await joined.run(20)
    expect([near.live, far.live]).toEqual([1, 1])
  })
})

describe('a hostile end', () => {
  test.each(['data', 'end', 'credit'] as const)(
    'that answers a request with %s ends that request, and frees its place',
    async (kind) => {
      const hostile = new HostilePair()
      const asked = hostile.messages.request(Echo, none)
      const other = hostile.messages.request(Echo, none)
      await hostile.run()
      hostile.say(kinds[kind], 1, none, { theirs: true, op: 1 })
      await expect(hostile.joined.settle(asked)).rejects.toMatchObject({ code: 'PROTOCOL' })
      expect([hostile.kindsHeard(1), hostile.messages.live]).toEqual([[kinds.request, kinds.reset], 1])
      // What it says after that is dropped.
      hostile.say(kinds.response, 1, none, { theirs: true })
      hostile.say(kinds.response, 2, Uint8Array.of(2), { theirs: true })
      expect(await hostile.joined.settle(other)).toEqual(Uint8Array.of(2))
      expect(hostile.messages.live).toBe(0)
    },
  )

  test('whose credit means nothing, when this end has ended its stream, frees the place of the stream', async () => {
    const hostile = new HostilePair()
    const stream = hostile.messages.stream(Echo, none)
    stream.end()
    await hostile.run()
    hostile.say(kinds.credit, 1, none, { theirs: true })
    await hostile.run()
    expect([hostile.kindsHeard(1), hostile.messages.live]).toEqual([[kinds.open, kinds.end, kinds.reset], 0])
    await expect(stream.read()).rejects.toMatchObject({ code: 'PROTOCOL' })
  })

  test('that begins a number again, or speaks of one that was never begun, ends its circuit', async () => {
    for (const number of [1, 2, 9]) {
      const hostile = new HostilePair()
      hostile.messages.handle(Echo, () => forever)
      hostile.say(kinds.request, 2, none, { op: Echo.id })
      if (number === 9) hostile.say(kinds.data, 9)
      else hostile.say(kinds.request, number, none, { op: Echo.id })
      await hostile.run()
      expect([number, hostile.joined.far.state, hostile.messages.live]).toEqual([number, 'closed', 0])
    }
  })

  test('answers with the number of an exchange of its own: nothing here is answered by it', async () => {
    const hostile = new HostilePair()
    hostile.messages.handle(Note, () => forever)
    const asked = hostile.messages.request(Echo, none).then(
      () => 'answered',
      (error: PlaitError) => error.code,
    )
    hostile.say(kinds.request, 1, none, { op: Note.id, content: 1 })
    await hostile.run()
    hostile.say(kinds.response, 1, Uint8Array.of(1))
    await hostile.run()
    expect(hostile.messages.live).toBe(1)
    hostile.say(kinds.response, 1, Uint8Array.of(2), { theirs: true })
    expect(await hostile.joined.settle(asked)).toBe('answered')
  })

  test('a cancelled number stays taken until its last word has come', async () => {
    const hostile = new HostilePair()
    hostile.say(kinds.post, 0, new TextEncoder().encode('{"accept":[],"maxInFlight":1}'), { op: 4, content: 2 })
    await hostile.run()
    const controller = new AbortController()
    const first = hostile.messages.request(Echo, none, { signal: controller.signal })
    const second = hostile.messages.request(Echo, none)
    await hostile.run()
    controller.abort()
    await expect(first).rejects.toThrow()
    await hostile.run()
    expect([hostile.kindsHeard(1), hostile.kindsHeard(2)]).toEqual([[kinds.request, kinds.reset], []])
    hostile.say(kinds.response, 1, none, { theirs: true })
    await hostile.run()
    expect(hostile.kindsHeard(2)).toEqual([kinds.request])
    hostile.say(kinds.response, 2, none, { theirs: true })
    expect(await hostile.joined.settle(second)).toEqual(none)
    expect(statsOf(hostile.messages).late).toBe(1)
  })

  test('that cancels gets the last word, once', async () => {
    const hostile = new HostilePair()
    hostile.messages.handle(Echo, () => forever)
    hostile.say(kinds.request, 1, none, { op: Echo.id })
    const error = Uint8Array.of(10, 1, 0, 0)
    hostile.say(kinds.reset, 1, error)
    hostile.say(kinds.reset, 1, error)
    await hostile.run()
    expect([hostile.kindsHeard(1), hostile.messages.live]).toEqual([[kinds.reset], 0])
  })

  test('that opens more streams than may live is refused, and nothing is kept of them', async () => {
    const hostile = new HostilePair({}, { limits: { requestsInFlight: 4 } })
    hostile.messages.handleStream(Note, () => {})
    for (let number = 1; number <= 1_000; number += 1)
      hostile.say(kinds.open, number, none, { op: Note.id, content: 1 })
    await hostile.run(20)
    expect(hostile.messages.live).toBe(4)
    expect(statsOf(hostile.messages)).toMatchObject({ refused: 996, streamsOpened: 4 })
  })

  test('whose codec is another one is told so, for that message only', async () => {
    const hostile = new HostilePair()
    hostile.messages.handle(Echo, (message) => message)
    hostile.say(kinds.request, 1, none, { op: Echo.id, content: 200 })
    hostile.say(kinds.post, 0, none, { op: Echo.id, content: 200 })
    hostile.say(kinds.request, 2, none, { op: Echo.id })
    await hostile.run()
    expect([hostile.kindsHeard(1), hostile.kindsHeard(2)]).toEqual([[kinds.reset], [kinds.response]])
    expect(statsOf(hostile.messages).invalid).toBe(2)
  })

  test('whose answer nobody can read ends that request', async () => {
    const hostile = new HostilePair()
    const asked = hostile.messages.request(Echo, none)
    await hostile.run()
    hostile.say(kinds.response, 1, none, { theirs: true, content: 3 })
    await expect(hostile.joined.settle(asked)).rejects.toMatchObject({ code: 'UNKNOWN_CODEC' })
  })

  test.each([
    ['a deadline of letters', { op: Echo.id, part: 65_536 + 0x11, args: { deadline: 'soon' } }],
    ['a deadline of 0', { op: Echo.id, part: 65_536 + 0x11, args: { deadline: '0' } }],
    ['an unknown kind', { op: Echo.id, part: 65_536 + 0x18 }],
    ['a reserved bit', { op: Echo.id, part: 65_536 + 0x91 }],
    ['a negative header', { op: Echo.id, part: -1 }],
  ])('with %s ends its circuit', async (_what, fragment) => {
    const hostile = new HostilePair()
    hostile.messages.handle(Echo, (message) => message)
    hostile.joined.near.send(fragment)
    await hostile.run()
    expect(hostile.joined.far.state).toBe('closed')
  })
})
