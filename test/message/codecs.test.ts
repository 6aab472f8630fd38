import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { PlaitError } from '../../src/base/error.ts'
import { bytes } from '../../src/message/codecs/bytes.ts'
import { cbor } from '../../src/message/codecs/cbor.ts'
import { json } from '../../src/message/codecs/json.ts'
import { utf8 } from '../../src/message/codecs/utf8.ts'
import { compress, decompress } from '../../src/message/compression/zlib.ts'
import { defineMessage } from '../../src/message/define-message.ts'
import { Flow, windowBytesFirst, windowBytesMax } from '../../src/message/flow.ts'
import { largestNumber, packHeader, unpackHeader } from '../../src/message/frame.ts'
import { Line } from '../../src/message/line.ts'
import { validated } from '../../src/message/validated.ts'
import { Wheel } from '../../src/message/wheel.ts'
import { Note, pairOf, statsOf } from './pair.ts'

const none = new Uint8Array(0)

/** An object with 5,000 names, and one more. */
function manyNames(last: string): string {
  return `{${Array.from({ length: 5_000 }, (_, index) => `"name-${index}":${index}`).join()},"${last}":0}`
}

const invalid = expect.objectContaining({ code: 'INVALID_MESSAGE' }) as Error

describe('codecs', () => {
  const values = [null, true, 0, -1.5, 'ü', [1, [2]], { a: 1, b: { c: 'd' } }]

  test.each([
    ['json', json<unknown>()],
    ['cbor', cbor<unknown>()],
  ])('%s gives back what it was given, names like __proto__ among it', (_name, codec) => {
    for (const value of values) expect(codec.decode(codec.encode(value))).toEqual(value)
    const text = '{"__proto__":{"admin":true},"constructor":1,"toString":2}'
    const given: unknown = JSON.parse(text)
    const back = codec.decode(codec.encode(given)) as Record<string, unknown>
    expect(Object.keys(back).toSorted()).toEqual(['__proto__', 'constructor', 'toString'])
    expect(Object.getPrototypeOf(back)).toBe(Object.prototype)
    expect(back['admin']).toBe(undefined)
  })

  test('say typed what they cannot write', () => {
    const circle: unknown[] = []
    circle.push(circle)
    for (const codec of [json<unknown>(), cbor<unknown>()]) {
      for (const value of [circle, () => 1])
        expect(() => codec.encode(value)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }) as Error)
    }
  })

  test('do not keep what they were lent', () => {
    const lent = cbor<unknown>().encode({ raw: Uint8Array.of(1, 2, 3), text: 'text' })
    const value = cbor<unknown>().decode(lent)
    const plain = bytes().decode(lent)
    const copy = lent.slice()
    lent.fill(0)
    expect(value).toEqual({ raw: Uint8Array.of(1, 2, 3), text: 'text' })
    expect(plain).toEqual(copy)
    const buffer = Buffer.from('buffer')
    const kept = bytes().decode(buffer)
    buffer.fill(0)
    expect(new TextDecoder().decode(kept)).toBe('buffer')
  })

  const deep = 100_000
  const text = new TextEncoder()
  test.each([
    ['JSON of 100,000 levels', json<unknown>(), text.encode('['.repeat(deep) + ']'.repeat(deep))],
    ['CBOR of 100,000 levels', cbor<unknown>(), new Uint8Array(deep).fill(0x81)],
    ['CBOR bytes of 2^32 - 1', cbor<unknown>(), Uint8Array.of(0x5a, 255, 255, 255, 255)],
    ['CBOR text of 2^53', cbor<unknown>(), Uint8Array.of(0x7b, 0, 0x20, 0, 0, 0, 0, 0, 0)],
    ['a CBOR list of 2^53', cbor<unknown>(), Uint8Array.of(0x9b, 0, 0x20, 0, 0, 0, 0, 0, 0)],
    ['a CBOR map of 2^53', cbor<unknown>(), Uint8Array.of(0xbb, 0, 0x20, 0, 0, 0, 0, 0, 0)],
    ['a CBOR map of 2^32 - 1', cbor<unknown>(), Uint8Array.of(0xba, 255, 255, 255, 255, 0x61, 0x61, 1)],
    ['a CBOR list of 2^32 - 1', cbor<unknown>(), Uint8Array.of(0x9a, 255, 255, 255, 255, 1)],
    ['a CBOR name twice', cbor<unknown>(), Uint8Array.of(0xa2, 0x61, 0x61, 1, 0x61, 0x61, 2)],
    ['a JSON name twice', json<unknown>(), text.encode('{"a":1,"b":[{}],"a":2}')],
    ['JSON names by the thousand, one of them twice', json<unknown>(), text.encode(manyNames('name-7'))],
    ['CBOR lists without an end', cbor<unknown>(), new Uint8Array(deep).fill(0x9f)],
    ['CBOR with more behind it', cbor<unknown>(), Uint8Array.of(1, 1)],
    ['JSON that is none', json<unknown>(), text.encode('{')],
    ['no UTF-8', utf8(), Uint8Array.of(0xff)],
  ])('%s is refused at once', (_what, codec, payload) => {
    try {
      codec.decode(payload)
    } catch {
      // Once before, so that the time of compiling is not measured.
    }
    const before = process.memoryUsage()
    const beganAt = performance.now()
    expect(() => codec.decode(payload)).toThrow(invalid)
    // X5 gives 10 ms; five times that beside whatever else the machine does.
    expect(performance.now() - beganAt).toBeLessThan(50)
    const after = process.memoryUsage()
    expect(after.heapUsed - before.heapUsed).toBeLessThan(8 * 1024 * 1024)
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(1024 * 1024)
  })

  test('levels are counted outside of texts only', () => {
    const value = ['['.repeat(5_000), '\\"[[', ...Array.from({ length: 1_000 }, () => [[]])]
    expect(json<unknown>().decode(json<unknown>().encode(value))).toEqual(value)
  })

  test('of the application have their own numbers, and are told apart', async () => {
    const upper = { ...utf8(), content: 128 }
    const type = defineMessage({ id: 5_000, name: 'upper', request: upper })
    const { joined, near, far } = pairOf()
    far.handle(type, (message) => message)
    expect(await joined.settle(near.request(type, 'x'))).toBe('x')
    const other = defineMessage({ id: 5_000, name: 'upper', request: utf8() })
    await expect(joined.settle(near.request(other, 'x'))).rejects.toMatchObject({
      code: 'UNKNOWN_CODEC',
      facts: { content: 1, expected: 128 },
    })
    for (const content of [-1, 256, 1.5])
      expect(() => defineMessage({ id: 5_001, name: 'x', request: { ...utf8(), content } })).toThrow(PlaitError)
  })

  test('are checked by a schema: what it does not accept ends that message only', async () => {
    const positive = validated(json<number>(), {
      '~standard': {
        version: 1,
        validate: (value) =>
          typeof value === 'number' && value > 0 ? { value: value * 2 } : { issues: [{ message: 'not above 0' }] },
      },
    })
    const later = validated(json<number>(), {
      '~standard': { version: 1, validate: () => Promise.reject(new Error('later')) },
    })
    const type = defineMessage({ id: 5_000, name: 'positive', request: positive, response: json<number>() })
    const { joined, near, far } = pairOf()
    far.handle(type, (number) => number)
    expect(await joined.settle(near.request(type, 4))).toBe(8)
    await expect(joined.settle(near.request(type, -4))).rejects.toThrow(/not above 0/)
    expect(statsOf(far).invalid).toBe(1)
    expect(() => later.decode(later.encode(1))).toThrow(invalid)
  })
})

describe('M9: compression', () => {
  const long = 'the same again and again, '.repeat(1_000)

  test('goes one way, above its size, to who has said that it reads it', async () => {
    for (const name of ['gzip', 'brotli', 'zstd'] as const) {
      const { joined, near, far } = pairOf({ far: { accept: [name] } })
      far.handle(Note, (message) => message)
      await joined.run(5)
      expect(await joined.settle(near.request(Note, long))).toBe(long)
      expect(statsOf(near).bytesSent).toBeLessThan(long.length / 10)
      expect(statsOf(near).bytesReceived).toBeGreaterThan(long.length)
      const before = statsOf(near).bytesSent
      await joined.settle(near.request(Note, 'x'.repeat(1_023)))
      expect(statsOf(near).bytesSent - before).toBe(1_023)
    }
  })

  test.each([
    ['gzip', gzipSync],
    ['brotli', brotliCompressSync],
    ['zstd', zstdCompressSync],
  ] as const)('what %s has made small and becomes 100 MiB is refused at the cap', (name, pack) => {
    const bomb = pack(new Uint8Array(100 * 1024 * 1024))
    expect(() => decompress(name, bomb, 4 * 1024 * 1024)).toThrow(
      expect.objectContaining({ code: 'LIMIT', facts: { limit: 4 * 1024 * 1024 } }) as Error,
    )
    expect(decompress(name, pack(new Uint8Array(1_000)), 1_000)).toHaveLength(1_000)
    expect(() => decompress(name, Uint8Array.of(1, 2, 3, 4, 5), 1_000)).toThrow(invalid)
    expect(compress(name, none)).toBe(undefined)
  })

  test('a reader that keeps small messages which are large pays for the large ones', async () => {
    const { joined, near, far } = pairOf({ far: { accept: ['zstd'] } }, { limits: { accountBytes: 1024 * 1024 } })
    far.handleStream(Note, () => {})
    await joined.run(5)
    const stream = near.stream(Note, '')
    for (let index = 0; index < 20; index += 1) stream.send('x'.repeat(200_000))
    await joined.run(20)
    expect(far.circuit.state).toBe('closed')
  })
})

describe('headers', () => {
  test('say what they were given', () => {
    for (const number of [0, 1, 65_535, 2 ** 31, largestNumber])
      for (const [kind, initiator, content, encoding] of [
        [0, true, 255, 3],
        [7, false, 0, 1],
      ] as const) {
        const part = packHeader(kind, initiator, number, content, encoding)
        expect(Number.isSafeInteger(part)).toBe(true)
        expect(unpackHeader(part)).toEqual({ kind, initiator, content, encoding, number })
      }
  })
})

describe('credit', () => {
  test('covers a message of any size while there is any, and comes back by quarters', () => {
    const flow = new Flow()
    expect(flow.receive(windowBytesFirst * 10)).toBe(true)
    expect(flow.receive(1)).toBe(false)
    expect(flow.read(windowBytesFirst / 4 - 1, false)).toBe(0)
    expect(flow.read(1, false)).toBe(windowBytesFirst / 4)
  })

  test('grows for a reader that waits, up to its largest', () => {
    const flow = new Flow()
    for (let round = 0; round < 1_000; round += 1) {
      expect(flow.receive(flow.grantedBytes)).toBe(true)
      flow.read(flow.windowBytes, true)
    }
    expect(flow.windowBytes).toBe(windowBytesMax)
    const slow = new Flow()
    slow.receive(windowBytesFirst)
    slow.read(windowBytesFirst, false)
    expect(slow.windowBytes).toBe(windowBytesFirst)
  })
})

describe('a line', () => {
  test('forgets who has left, however many they are, and keeps the order of the others', () => {
    const line = new Line<number>()
    const kept: number[] = []
    for (let index = 0; index < 1_000; index += 1) {
      const place = line.push(index)
      if (index % 100 === 0) kept.push(index)
      else expect([line.leave(place), line.leave(place)]).toEqual([true, false])
    }
    expect(line.length).toBe(10)
    expect(line.shift()).toBe(0)
    expect(line.clear()).toEqual(kept.slice(1))
    expect([line.length, line.shift()]).toEqual([0, undefined])
  })
})

describe('a wheel', () => {
  test('gives what is due, never early, at most a slot late; what was cleared not at all', () => {
    const wheel = new Wheel(8)
    const entries = Array.from({ length: 1_000 }, (_, index) => ({ dueAt: Infinity, at: (index * 37) % 500, index }))
    for (const entry of entries) wheel.set(entry, entry.at)
    for (const entry of entries) if (entry.index % 3 === 0) wheel.clear(entry)
    const firedAt = new Map<number, number>()
    for (let now = 0; now < 520; now += 1) {
      const isDue = now >= wheel.deadline
      for (const entry of wheel.tick(now)) {
        expect(isDue).toBe(true)
        firedAt.set((entry as (typeof entries)[number]).index, now)
      }
    }
    for (const { index, at } of entries) {
      const late = (firedAt.get(index) ?? Infinity) - at
      if (index % 3 === 0) expect(firedAt.has(index)).toBe(false)
      else expect(late >= 0 && late < 8, `${late} ms late`).toBe(true)
    }
    expect([wheel.size, wheel.deadline]).toEqual([0, Infinity])
  })
})
