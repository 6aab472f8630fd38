import { expect, test } from 'vitest'
import { concatBytes, decodeHex } from '../base/bytes.ts'
import { PlaitError } from '../base/error.ts'
import { defaultLimits } from '../base/limits.ts'
import { RawPeer, rawFrame } from '../testing/raw-peer.ts'
import { frameTypes } from '../wire/frame.ts'
import { decodeHello, encodeHello } from './hello.ts'
import { decodeResume, encodeResume } from './resumption.ts'

/** Lengths that somebody may claim: 2^32 - 1, 2^53 - 1, 2^53 (which no LEB128 here may say), and one without an end. */
const claims = ['ffffffff0f', 'ffffffffffffff0f', '8080808080808010', 'ff'.repeat(1_000)].map(hex)

const epoch = new Uint8Array(16)
const hello = encodeHello({ epoch, agent: 'raw', addresses: ['10.0.0.1:7001'] }, defaultLimits)
const magic = hello.subarray(0, 8)

/** Where each entry of the hello begins: its type, its length, its value. */
const entries = [...entriesOf(hello)]

const resume = encodeResume({
  proof: new Uint8Array(33),
  sessionId: new Uint8Array(16),
  epoch,
  remoteEpoch: epoch,
  receivedFrames: 3,
})

test.each(entries)('a hello whose entry $type claims a length is refused in no time and without memory', (entry) => {
  for (const claim of claims) {
    const bytes = concatBytes([hello.subarray(0, entry.start + 1), claim, hello.subarray(entry.value)])
    expect(refusalMs(() => decodeHello(bytes))).toBeLessThan(10)
  }
})

test.each(entries)(
  'a hello whose entry $type claims a length inside is refused in no time and without memory',
  (entry) => {
    for (const claim of claims) {
      const value = concatBytes([claim, new Uint8Array(4)])
      const bytes = concatBytes([hello.subarray(0, entry.start), Uint8Array.of(entry.type, value.length), value])
      if (value.length > 127) continue
      expect(refusalMs(() => decodeHello(bytes))).toBeLessThan(10)
    }
  },
)

test('a hello with arrays of as many items as it says, all empty, is refused by their limit', () => {
  for (const type of [6, 7]) {
    const items = concatBytes([hex('ff1f'), new Uint8Array(4_000)])
    const bytes = concatBytes([
      magic,
      entryOf(1),
      entryOf(2),
      entryOf(3),
      entryOf(5),
      Uint8Array.of(type),
      hex('a21f'),
      items,
    ])
    expect(refusalMs(() => decodeHello(bytes))).toBeLessThan(10)
  }
})

test('the same entry twice is refused at the second, however many there are', () => {
  for (const { type, value, end } of entries) {
    const one = concatBytes([Uint8Array.of(type, end - value), hello.subarray(value, end)])
    const bytes = concatBytes([magic, ...Array.from({ length: 200 }, () => one)])
    expect(refusalMs(() => decodeHello(bytes))).toBeLessThan(10)
  }
})

test('a hello of ten thousand unknown entries costs what its bytes cost, and one without the known ones is refused', () => {
  // Types from 100 up, two bytes each, without a value.
  const unknown: Uint8Array[] = []
  for (let type = 128; type < 10_128; type += 1) unknown.push(Uint8Array.of((type & 127) | 128, type >> 7, 0))
  expect(decodeHello(concatBytes([hello, ...unknown])).agent).toBe('raw')
  expect(refusalMs(() => decodeHello(concatBytes([magic, ...unknown])))).toBeLessThan(20)
})

test('a RESUME of any other length is refused in no time, and one that has received absurdly much', () => {
  expect(decodeResume(resume, 0, resume.length).receivedFrames).toBe(3)
  for (let length = 0; length < resume.length; length += 1)
    expect(() => decodeResume(resume, 0, length)).toThrow(expect.objectContaining({ code: 'PROTOCOL' }))
  const longer = concatBytes([resume, new Uint8Array(60_000)])
  expect(refusalMs(() => decodeResume(longer, 0, longer.length))).toBeLessThan(10)
  for (const count of ['0000000000002000', 'ffffffffffffffff', '0000000000000080'].map(hex)) {
    const bytes = concatBytes([resume.subarray(0, resume.length - 8), count])
    expect(refusalMs(() => decodeResume(bytes, 0, bytes.length))).toBeLessThan(10)
  }
})

test.each([
  ['HELLO', frameTypes.HELLO],
  ['RESUME', frameTypes.RESUME],
])('a %s of 16 MiB is refused by its header', (_, type) => {
  const header = Uint8Array.of(type, 0xff, 0xff, 0xff, 0, 0, 0, 0)
  let error: PlaitError | undefined
  const before = process.memoryUsage().arrayBuffers
  const ms = bestMs(() => {
    const peer = new RawPeer()
    if (type === frameTypes.RESUME) peer.send(rawFrame(frameTypes.HELLO, 0, hello))
    peer.send(header)
    error = peer.end.error
  })
  expect(error?.code).toBe('LIMIT')
  expect(ms).toBeLessThan(10)
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1_000_000)
})

interface Entry {
  readonly type: number
  readonly start: number
  readonly value: number
  readonly end: number
}

function* entriesOf(bytes: Uint8Array): Iterable<Entry> {
  for (let start = magic.length; start < bytes.length;) {
    const value = start + 2
    const end = value + (bytes[start + 1] as number)
    yield { type: bytes[start] as number, start, value, end }
    start = end
  }
}

function entryOf(type: number): Uint8Array {
  const entry = entries.find((one) => one.type === type) as Entry
  return hello.subarray(entry.start, entry.end)
}

function hex(text: string): Uint8Array {
  return decodeHex(text) as Uint8Array
}

/** Milliseconds that a refusal takes, after it was seen to take no memory. */
function refusalMs(step: () => unknown): number {
  const before = process.memoryUsage().arrayBuffers
  const ms = bestMs(() => expect(step).toThrow(PlaitError))
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1_000_000)
  return ms
}

/** The best of five: the first also pays for compiling, and the machine may be busy. */
function bestMs(step: () => unknown): number {
  let shortestMs = Infinity
  for (let turn = 0; turn < 5; turn += 1) {
    const begun = performance.now()
    step()
    shortestMs = Math.min(shortestMs, performance.now() - begun)
  }
  return shortestMs
}
