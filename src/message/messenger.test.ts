import { describe, expect, test } from 'vitest'
import { joinCircuits } from '../testing/joined-circuits.ts'
import type { JoinedCircuits, JoinedCircuitsOptions } from '../testing/joined-circuits.ts'
import { bytes } from './codecs/bytes.ts'
import { cbor } from './codecs/cbor.ts'
import { json } from './codecs/json.ts'
import { utf8 } from './codecs/utf8.ts'
import { defineMessage } from './define-message.ts'
import type { Messenger, MessengerOptions } from './messenger-api.ts'
import { messenger } from './messenger.ts'

const Echo = defineMessage({ id: 4_096, name: 'echo', request: bytes() })
const Sum = defineMessage({ id: 4_097, name: 'sum', request: cbor<number[]>(), response: json<number>() })
const Note = defineMessage({ id: 4_098, name: 'note', request: utf8() })
const Range = defineMessage({
  id: 4_099,
  name: 'range',
  request: json<{ from: number; to: number }>(),
  response: cbor<number>(),
})

interface Pair {
  readonly joined: JoinedCircuits
  readonly near: Messenger
  readonly far: Messenger
}

function pairOf(
  { near, far }: { readonly near?: MessengerOptions; readonly far?: MessengerOptions } = {},
  options: JoinedCircuitsOptions = {},
): Pair {
  const joined = joinCircuits(options)
  return { joined, near: messenger(joined.near, near), far: messenger(joined.far, far) }
}

describe('a request', () => {
  test('is answered by either side, at once or later, each by its own codec', async () => {
    const { joined, near, far } = pairOf()
    far.handle(Sum, (numbers) => numbers.reduce((sum, number) => sum + number, 0))
    near.handle(Echo, async (message) => message)
    expect(await joined.settle(near.request(Sum, [1, 2, 3]))).toBe(6)
    expect(await joined.settle(far.request(Echo, Uint8Array.of(7, 8)))).toEqual(Uint8Array.of(7, 8))
    expect([near.live, far.live]).toEqual([0, 0])
  })

  test('that nobody handles is refused at once', async () => {
    const { joined, near } = pairOf()
    await expect(joined.settle(near.request(Sum, [1]))).rejects.toMatchObject({
      code: 'NO_HANDLER',
      facts: { id: 4_097 },
    })
    expect(joined.now).toBeLessThan(50)
  })

  test('ends with its deadline at both ends', async () => {
    const { joined, near, far } = pairOf()
    let fired = 0
    far.handle(
      Echo,
      (message, { signal }) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => {
            fired = joined.now
            resolve(message)
          })
        }),
    )
    await expect(joined.settle(near.request(Echo, new Uint8Array(1), { deadlineMs: 400 }))).rejects.toMatchObject({
      code: 'TIMEOUT',
    })
    expect(joined.now).toBeGreaterThanOrEqual(400)
    expect(joined.now).toBeLessThan(500)
    await joined.run(100)
    expect(fired).toBeGreaterThanOrEqual(400)
    expect([near.live, far.live]).toEqual([0, 0])
  })
})

describe('a stream', () => {
  test('gives what an iterable gives, and is left by break', async () => {
    const { joined, near, far } = pairOf()
    let sent = 0
    let left = false
    far.handleStream(Range, async function* ({ from, to }) {
      try {
        for (let number = from; number < to; number += 1) {
          sent += 1
          yield number
        }
      } finally {
        left = true
      }
    })
    const read = async (): Promise<number[]> => {
      const numbers: number[] = []
      for await (const number of near.stream(Range, { from: 0, to: 1_000_000 })) {
        numbers.push(number)
        if (numbers.length === 100) break
      }
      return numbers
    }
    expect((await joined.settle(read())).at(-1)).toBe(99)
    await joined.run(10)
    expect(left).toBe(true)
    expect(sent).toBeLessThan(1_000)
    expect([near.live, far.live]).toEqual([0, 0])
  })

  test('carries messages both ways, and half of it may end', async () => {
    const { joined, near, far } = pairOf()
    far.handleStream(Note, async (first, _context, stream) => {
      let text = first
      for await (const more of stream) text += more
      stream.send(text)
    })
    const stream = near.stream(Note, 'a')
    stream.send('b')
    stream.send('c')
    stream.end()
    expect(await joined.settle(stream.read())).toBe('abc')
    expect(await joined.settle(stream.read())).toBe(undefined)
    await joined.settle(stream.closed)
    expect([near.live, far.live]).toEqual([0, 0])
  })
})

describe('posts', () => {
  test('arrive in order, all of them before the circuit closes', async () => {
    const { joined, near, far } = pairOf()
    const taken: string[] = []
    far.handle(Note, (text) => {
      taken.push(text)
      return ''
    })
    for (let index = 0; index < 10_000; index += 1) near.post(Note, String(index))
    await joined.settle(near.close())
    await joined.run(10)
    expect(taken).toEqual(Array.from({ length: 10_000 }, (_, index) => String(index)))
  })
})
