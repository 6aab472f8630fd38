import { expect, it } from 'vitest'
import { checksum, Trace } from './trace.ts'

const traced = (fill: (trace: Trace) => void): string => {
  const trace = new Trace()
  trace.record(0, 0, 'start', 0)
  fill(trace)
  trace.record(99, 1, 'end', 1)
  return trace.digest()
}

it('changes with the time, the node, the event, the link and each bit of the bytes', () => {
  const bytes = Uint8Array.from({ length: 67 }, (_, index) => index * 7)
  const event = (timeMs: number, node: number, kind: 'data' | 'write', link: number, body: Uint8Array): string =>
    traced((trace) => {
      trace.record(timeMs, node, kind, link)
      trace.bytes(body)
    })
  const hashes = [
    event(1, 0, 'data', 1, bytes),
    event(1 + 2 ** -40, 0, 'data', 1, bytes),
    event(1, 1, 'data', 1, bytes),
    event(1, 0, 'write', 1, bytes),
    event(1, 0, 'data', 2, bytes),
    event(1, 0, 'data', 1, bytes.subarray(1)),
    event(1, 0, 'data', 1, bytes.subarray(0, 66)),
    traced(() => {}),
  ]
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const flipped = bytes.slice()
    flipped[bit >> 3]! ^= 1 << (bit & 7)
    hashes.push(event(1, 0, 'data', 1, flipped))
  }
  expect(new Set(hashes).size).toBe(hashes.length)
  expect(event(1, 0, 'data', 1, bytes.slice())).toBe(hashes[0])
})

it('does not notice how bytes lie in memory, but in which order they come', () => {
  const buffer = new Uint8Array(1_000)
  const at = (offset: number): Uint8Array => {
    buffer.fill(0)
    buffer.set([1, 2, 3, 4, 5, 6, 7, 8, 9], offset)
    return buffer.subarray(offset, offset + 9)
  }
  expect(checksum(at(1))).toBe(checksum(at(4)))
  expect(checksum(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8))).not.toBe(checksum(Uint8Array.of(5, 6, 7, 8, 1, 2, 3, 4)))
  expect(checksum(new Uint8Array(8))).not.toBe(checksum(new Uint8Array(9)))
})

it('meets no two equal sums among many small texts', () => {
  const sums = new Set<string>()
  for (let index = 0; index < 50_000; index += 1) sums.add(traced((trace) => trace.text(`event ${index}`)))
  expect(sums.size).toBe(50_000)
})
