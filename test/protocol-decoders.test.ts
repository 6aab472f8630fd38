import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Malformed } from '../conformance/decoder/byte-reader.ts'
import { decodeError as decodeErrorByPage } from '../conformance/decoder/messages.ts'
import { decodeFragment, decodeHello as decodeHelloByPage } from '../conformance/decoder/messages.ts'
import { decodeOpen as decodeOpenByPage, decodeResume as decodeResumeByPage } from '../conformance/decoder/messages.ts'
import { PlaitError } from '../src/base/error.ts'
import { defaultLimits } from '../src/base/limits.ts'
import { decodeOpen, encodeOpen } from '../src/circuit/open.ts'
import { withCredit } from '../src/session/channel.ts'
import { decodeHello, encodeHello } from '../src/session/hello.ts'
import { decodeResume, encodeResume } from '../src/session/resumption.ts'
import { errorLength, readError, writeError } from '../src/wire/error.ts'
import type { WireError } from '../src/wire/error.ts'
import { metadataLength, readFragment, writeMetadata } from '../src/wire/fragment.ts'
import type { FragmentFields } from '../src/wire/fragment.ts'
import { Reader } from '../src/wire/reader.ts'

// The decoder of PROTOCOL.md and that of the code take the same bytes for the same thing, and refuse the same bytes: what the page
// does not explain would show here.

const safe = fc.maxSafeInteger()
const word = fc.string({ unit: 'binary', maxLength: 12 })
const small = fc.uint8Array({ maxLength: 20 })
const id = fc.uint8Array({ minLength: 16, maxLength: 16 })

const wireError: fc.Arbitrary<WireError> = fc.record({
  code: fc.integer({ min: 0, max: 0xffff }),
  message: word,
  facts: fc.dictionary(word, fc.oneof(word, safe, fc.boolean()), { maxKeys: 4 }),
})

const fragment: fc.Arbitrary<FragmentFields> = fc.record(
  {
    op: safe,
    subject: word,
    part: safe,
    args: fc.dictionary(word, word, { maxKeys: 4 }),
    payload: small,
    error: wireError,
  },
  { requiredKeys: [] },
)

/** What may happen to bytes: nothing, another byte, one more, one less, the end cut off. */
const change = fc.oneof(
  fc.constant((bytes: Uint8Array) => bytes),
  fc.tuple(fc.nat(), fc.nat(255)).map(([at, byte]) => (bytes: Uint8Array) => {
    const changed = bytes.slice()
    if (changed.length > 0) changed[at % changed.length] = byte
    return changed
  }),
  fc.tuple(fc.nat(), fc.nat(255)).map(([at, byte]) => (bytes: Uint8Array) => {
    const cut = at % (bytes.length + 1)
    return Uint8Array.of(...bytes.subarray(0, cut), byte, ...bytes.subarray(cut))
  }),
  fc.nat().map((at) => (bytes: Uint8Array) => {
    const cut = at % (bytes.length + 1)
    return Uint8Array.of(...bytes.subarray(0, cut), ...bytes.subarray(cut + 1))
  }),
  fc.nat().map((at) => (bytes: Uint8Array) => bytes.slice(0, at % (bytes.length + 1))),
)

const refused = 'refused'

function attempt(read: () => unknown): unknown {
  try {
    return read()
  } catch (error) {
    if (error instanceof Malformed) return refused
    if (PlaitError.is(error) && ['PROTOCOL', 'LIMIT', 'VERSION_MISMATCH'].includes(error.code)) return refused
    throw error
  }
}

/** Throws where one takes what the other does not. Returns how often both have taken, or refused, whichever was less. */
function compare(
  encoded: fc.Arbitrary<Uint8Array>,
  byCode: (bytes: Uint8Array) => unknown,
  byPage: typeof byCode,
): number {
  const counts = { taken: 0, refused: 0 }
  fc.assert(
    fc.property(encoded, fc.array(change, { minLength: 0, maxLength: 2 }), (bytes, changes) => {
      const changed = changes.reduce((before, next) => next(before), bytes)
      const expected = attempt(() => byCode(changed))
      expect(attempt(() => byPage(changed))).toEqual(expected)
      counts[expected === refused ? 'refused' : 'taken'] += 1
    }),
    { numRuns: 1_000 },
  )
  return Math.min(counts.taken, counts.refused)
}

function plainError(error: WireError | undefined): unknown {
  return error && { code: error.code, message: error.message, facts: new Map(Object.entries(error.facts ?? {})) }
}

describe('the code and the page agree', { timeout: 30_000 }, () => {
  it('on fragments', () => {
    const encoded = fragment.map((fields) => {
      const payload = fields.payload ?? new Uint8Array(0)
      const bytes = new Uint8Array(metadataLength(fields, defaultLimits) + payload.length)
      bytes.set(payload, writeMetadata(bytes, 0, fields))
      return bytes
    })
    const least = compare(
      encoded,
      (bytes) => {
        const { op, subject, part, args, error, payloadStart } = readFragment(bytes, 0, bytes.length, defaultLimits)
        const payload = bytes.slice(payloadStart)
        return { op, subject, part, args: new Map(Object.entries(args)), error: plainError(error), payload }
      },
      (bytes) => {
        const decoded = decodeFragment(bytes)
        return { ...decoded, payload: decoded.payload.slice() }
      },
    )
    expect(least).toBeGreaterThan(50)
  })

  it('on errors', () => {
    const encoded = wireError.map((error) => {
      const bytes = new Uint8Array(errorLength(error, defaultLimits))
      writeError(bytes, 0, error)
      return bytes
    })
    const least = compare(
      encoded,
      (bytes) => {
        const reader = new Reader(bytes)
        const error = readError(reader, defaultLimits)
        reader.finish()
        return plainError(error)
      },
      decodeErrorByPage,
    )
    expect(least).toBeGreaterThan(50)
  })

  it('on HELLO', () => {
    const encoded = fc
      .record(
        {
          epoch: id,
          agent: word,
          addresses: fc.array(word, { maxLength: 3 }),
          network: fc.uint8Array({ minLength: 32, maxLength: 32 }),
        },
        { requiredKeys: ['epoch', 'agent', 'addresses'] },
      )
      .map((local) => encodeHello(local, defaultLimits))
    const speaks1 = ({ versionMin, versionMax }: { versionMin: number; versionMax: number }): boolean =>
      Math.min(versionMax, 1) >= Math.max(versionMin, 1)
    const least = compare(
      encoded,
      (bytes) => {
        const { version: _, ...hello } = decodeHello(bytes)
        return hello
      },
      (bytes) => {
        const { versionMin, versionMax, ...hello } = decodeHelloByPage(bytes)
        if (!speaks1({ versionMin, versionMax })) throw new Malformed('another version')
        return hello
      },
    )
    expect(least).toBeGreaterThan(50)
  })

  it('on RESUME', () => {
    const encoded = fc
      .record({
        proof: fc.uint8Array({ minLength: 33, maxLength: 33 }),
        sessionId: id,
        epoch: id,
        remoteEpoch: id,
        receivedFrames: fc.maxSafeNat(),
      })
      .map(encodeResume)
    const least = compare(
      encoded,
      (bytes) => decodeResume(bytes, 0, bytes.length),
      (bytes) => {
        const { role, binding, ...rest } = decodeResumeByPage(bytes)
        return { ...rest, proof: Uint8Array.of(role, ...binding) }
      },
    )
    expect(least).toBeGreaterThan(50)
  })

  it('on OPEN', () => {
    const encoded = fc
      .record({
        kind: fc.nat(255),
        service: word,
        peerId: word,
        version: fc.maxSafeNat(),
        sourceService: word,
        sourcePeerId: word,
      })
      .map((request) => withCredit(16_384, encodeOpen(request)))
    const least = compare(
      encoded,
      (bytes) => ({ grant: new Reader(bytes).u64(), ...decodeOpen(bytes.slice(8)) }),
      decodeOpenByPage,
    )
    expect(least).toBeGreaterThan(50)
  })
})
