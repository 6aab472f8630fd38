import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeHex } from '../base/bytes.ts'
import { PlaitError } from '../base/error.ts'
import { FrameDecoder } from './decoder.ts'
import type { FrameSink } from './decoder.ts'
import { bodyBytesMax, frameTypes, headerBytes, isNumbered, readBodyLength, readChannel, writeHeader } from './frame.ts'

interface Sample {
  readonly type: number
  readonly channel: number
  readonly body: Uint8Array
}

/** Keeps the frames as they come, and can refuse, stop, or offer a place. */
class Recorder implements FrameSink {
  readonly frames: string[] = []
  readonly checked: string[] = []
  places = 0
  placed: Uint8Array | undefined
  ownedCount = 0
  stopAfter = Infinity

  get stopped(): boolean {
    return this.frames.length >= this.stopAfter
  }

  check(type: number, channel: number, bodyLength: number): void {
    if (bodyLength > 65_536) throw new PlaitError('LIMIT', `a body of ${bodyLength} bytes`)
    this.checked.push(`${type} ${channel} ${bodyLength}`)
  }

  place(_type: number, _channel: number, bodyLength: number): Uint8Array | undefined {
    this.places += 1
    return this.placed?.subarray(0, bodyLength)
  }

  frame(type: number, channel: number, bytes: Uint8Array, start: number, end: number, owned: boolean): void {
    if (owned) this.ownedCount += 1
    this.frames.push(`${type} ${channel} ${encodeHex(bytes.subarray(start, end))}`)
  }
}

const samples = fc.array(
  fc.record({
    type: fc.constantFrom(...Object.values(frameTypes)),
    channel: fc.integer({ min: 0, max: 0xffff_ffff }),
    body: fc.uint8Array({ maxLength: 20 }),
  }),
  { maxLength: 6 },
)

test('a header has its type, 24 bits of length and 32 of channel', () => {
  const out = new Uint8Array(headerBytes + 1)
  writeHeader(out, 1, frameTypes.MORE, bodyBytesMax - 1, 0xfedc_ba98)
  expect(encodeHex(out)).toBe('0018feffff98badcfe')
  expect(readBodyLength(out, 1)).toBe(bodyBytesMax - 1)
  expect(readChannel(out, 1)).toBe(0xfedc_ba98)
})

test('frames are numbered from OPEN on', () => {
  const numbered = Object.entries(frameTypes).filter(([, type]) => isNumbered(type))
  expect(numbered.map(([name]) => name)).toEqual([
    'OPEN',
    'ACCEPT',
    'REFUSE',
    'RESET',
    'END',
    'CLOSE',
    'DATA',
    'FIRST',
    'MORE',
  ])
})

test('a stream gives the same frames however it is split', () => {
  fc.assert(
    fc.property(samples, fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 8 }), (frames, sizes) => {
      const stream = streamOf(frames)
      const recorder = new Recorder()
      const decoder = new FrameDecoder()
      for (let at = 0, turn = 0; at < stream.length; turn += 1) {
        const size = sizes[turn % sizes.length] as number
        feedLent(decoder, stream.subarray(at, at + size), recorder)
        at += size
      }
      expect(recorder.frames).toEqual(frames.map(described))
      expect(recorder.checked).toHaveLength(frames.length)
      expect(decoder.partial).toBe('nothing')
      expect(decoder.heldBytes).toBe(0)
    }),
  )
})

test('a stream cut in two at any byte gives the same frames; only a body that crosses the cut is copied', () => {
  const frames: Sample[] = [
    { type: frameTypes.DATA, channel: 6, body: Uint8Array.of(1, 2, 3) },
    { type: frameTypes.END, channel: 0xffff_ffff, body: new Uint8Array(0) },
    { type: frameTypes.ACK, channel: 0, body: new Uint8Array(8) },
  ]
  const stream = streamOf(frames)
  const bodyCuts = new Set([9, 10, 28, 29, 30, 31, 32, 33, 34, 8, 27])
  for (let cut = 0; cut <= stream.length; cut += 1) {
    const recorder = new Recorder()
    const decoder = new FrameDecoder()
    feedLent(decoder, stream.subarray(0, cut), recorder)
    feedLent(decoder, stream.subarray(cut), recorder)
    expect(recorder.frames).toEqual(frames.map(described))
    expect([cut, recorder.ownedCount]).toEqual([cut, bodyCuts.has(cut) ? 1 : 0])
  }
})

test('a body that crosses chunks lands where the sink wants it', () => {
  const stream = streamOf([{ type: frameTypes.MORE, channel: 2, body: Uint8Array.of(7, 8, 9) }])
  const recorder = new Recorder()
  recorder.placed = new Uint8Array(3)
  const decoder = new FrameDecoder()
  decoder.feed(stream.subarray(0, 9), recorder)
  // What stands in the sink's own memory is the sink's to charge.
  expect(decoder.heldBytes).toBe(0)
  decoder.feed(stream.subarray(9), recorder)
  expect([...recorder.placed]).toEqual([7, 8, 9])
  expect(recorder.places).toBe(1)
})

test('a length that is not allowed is refused with the last byte of the header, before a place is asked for', () => {
  const header = new Uint8Array(headerBytes)
  writeHeader(header, 0, frameTypes.DATA, bodyBytesMax, 1)
  for (let cut = 0; cut < headerBytes; cut += 1) {
    const recorder = new Recorder()
    const decoder = new FrameDecoder()
    decoder.feed(header.subarray(0, cut), recorder)
    expect(() => decoder.feed(header.subarray(cut), recorder)).toThrow(expect.objectContaining({ code: 'LIMIT' }))
    expect(recorder.places).toBe(0)
    expect(decoder.heldBytes).toBe(0)
  }
})

test('a sink that has stopped is given nothing more', () => {
  const frame: Sample = { type: frameTypes.END, channel: 4, body: Uint8Array.of(1) }
  const stream = streamOf([frame, frame, frame])
  const recorder = new Recorder()
  recorder.stopAfter = 1
  const decoder = new FrameDecoder()
  decoder.feed(stream, recorder)
  decoder.feed(stream, recorder)
  expect(recorder.frames).toHaveLength(1)
  expect(recorder.checked).toHaveLength(1)
})

test('a new link begins between frames, wherever the old one was cut', () => {
  const frame: Sample = { type: frameTypes.DATA, channel: 4, body: new Uint8Array(5).fill(3) }
  const stream = streamOf([frame])
  for (let cut = 0; cut < stream.length; cut += 1) {
    const recorder = new Recorder()
    const decoder = new FrameDecoder()
    decoder.feed(stream.subarray(0, cut), recorder)
    decoder.reset()
    decoder.feed(stream, recorder)
    expect(recorder.frames).toEqual([described(frame)])
  }
})

function streamOf(frames: readonly Sample[]): Uint8Array {
  const stream = new Uint8Array(frames.reduce((sum, { body }) => sum + headerBytes + body.length, 0))
  let at = 0
  for (const { type, channel, body } of frames) {
    writeHeader(stream, at, type, body.length, channel)
    stream.set(body, at + headerBytes)
    at += headerBytes + body.length
  }
  return stream
}

function described({ type, channel, body }: Sample): string {
  return `${type} ${channel} ${encodeHex(body)}`
}

/** Scribbles on the chunk afterwards, so that a decoder that kept a view of it is found out. */
function feedLent(decoder: FrameDecoder, bytes: Uint8Array, sink: FrameSink): void {
  const chunk = bytes.slice()
  decoder.feed(chunk, sink)
  chunk.fill(0xaa)
}
