import { expect, test } from 'vitest'
import { concatBytes, decodeHex } from '../base/bytes.ts'
import { PlaitError } from '../base/error.ts'
import { defaultLimits } from '../base/limits.ts'
import { writeVarint } from '../base/varint.ts'
import { FrameDecoder } from './decoder.ts'
import { decodeError } from './error.ts'
import { readFragment } from './fragment.ts'
import { array, bytes, decode, struct, text, tlv, u64, varint } from './schema.ts'

/** Lengths that somebody may claim: 2^32 - 1, 2^53 - 1, 2^53 (which no LEB128 here may say), and one without an end. */
const claims = ['ffffffff0f', 'ffffffffffffff0f', '8080808080808010', 'ff'.repeat(1_000)]

const unbounded = Number.MAX_SAFE_INTEGER
const readers: [string, (claim: Uint8Array) => unknown][] = [
  ['a text', (claim) => decode(text({ max: unbounded }), claim)],
  ['bytes', (claim) => decode(bytes({ max: unbounded }), claim)],
  ['an array', (claim) => decode(array(varint, { max: unbounded }), claim)],
  ['an array of wide items', (claim) => decode(array(u64, { max: unbounded }), claim)],
  [
    'arrays in arrays',
    (claim) => decode(array(array(struct({ x: varint }), { max: unbounded }), { max: unbounded }), claim),
  ],
  ['a type of an entry', (claim) => decode(tlv({}), claim)],
  ['an entry', (claim) => decode(tlv({}), concatBytes([Uint8Array.of(1), claim]))],
  ['a subject', (claim) => fragmentOf(2, claim)],
  ['a count of args', (claim) => fragmentOf(8, claim)],
  ['a name of an arg', (claim) => fragmentOf(8, Uint8Array.of(1), claim)],
  ['a value of an arg', (claim) => fragmentOf(8, Uint8Array.of(1, 0), claim)],
  ['a message', (claim) => fragmentOf(16, Uint8Array.of(1, 0), claim)],
  ['facts', (claim) => decodeError(concatBytes([Uint8Array.of(1, 0, 0), claim]))],
]

test.each(readers)('%s of a claimed length is refused in no time and without memory', (_, read) => {
  for (const claim of claims) {
    const bytes = concatBytes([decodeHex(claim) as Uint8Array, new Uint8Array(64)])
    expect(refusalMs(() => read(bytes))).toBeLessThan(10)
  }
})

test('many args with one name are refused at the second', () => {
  const one = decodeHex('095f5f70726f746f5f5f00') as Uint8Array
  expect(refusalMs(() => fragmentOf(8, Uint8Array.of(64), ...Array.from({ length: 64 }, () => one)))).toBeLessThan(10)
})

test('a frame of 16 MiB is refused by its header', () => {
  const sink = {
    stopped: false,
    check(_type: number, _channel: number, bodyLength: number): void {
      if (bodyLength > defaultLimits.framePayloadBytes) throw new PlaitError('LIMIT', 'a frame too long')
    },
    place: () => undefined,
    frame: () => expect.unreachable(),
  }
  const header = decodeHex('16ffffff02000000') as Uint8Array
  expect(refusalMs(() => new FrameDecoder().feed(header, sink))).toBeLessThan(10)
})

test('lists of a hundred thousand entries cost what their bytes cost', () => {
  const out = new Uint8Array(500_000)
  let end = 0
  for (let type = 1; type <= 100_000; type += 1) end = writeVarint(out, writeVarint(out, end, type), 0)
  expect(decode(tlv({}), out, 0, end)).toEqual({})
  out[end] = 1
  expect(() => decode(tlv({}), out, 0, end + 2)).toThrow(expect.objectContaining({ code: 'PROTOCOL' }))
})

function fragmentOf(flags: number, ...parts: Uint8Array[]): unknown {
  const whole = concatBytes([Uint8Array.of(flags), ...parts])
  return readFragment(whole, 0, whole.length, defaultLimits)
}

/**
 * Milliseconds that a refusal takes, after it was seen to take no memory. The best of five: the first also pays for compiling, and
 * the machine may be busy.
 */
function refusalMs(step: () => unknown): number {
  let shortestMs = Infinity
  const before = process.memoryUsage().arrayBuffers
  for (let turn = 0; turn < 5; turn += 1) {
    const begun = performance.now()
    expect(step).toThrow(PlaitError)
    shortestMs = Math.min(shortestMs, performance.now() - begun)
  }
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1_000_000)
  return shortestMs
}
