import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeHex, encodeHex } from '../base/bytes.ts'
import { PlaitError } from '../base/error.ts'
import { defaultLimits } from '../base/limits.ts'
import type { ReceivedFragment, FragmentArgs, FragmentFields } from './fragment.ts'
import { metadataLength, readFragment, writeMetadata } from './fragment.ts'

const strangeNames = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf', '', '0', 'ключ', '\uFEFF']
const name = fc.oneof(fc.constantFrom(...strangeNames), fc.string({ unit: 'grapheme', maxLength: 20 }))
const fields: fc.Arbitrary<FragmentFields> = fc.record(
  {
    op: fc.maxSafeInteger(),
    subject: name,
    part: fc.maxSafeInteger(),
    args: fc.array(fc.tuple(name, name), { maxLength: 6 }).map(argsOf),
    payload: fc.uint8Array({ maxLength: 30 }),
    error: fc.record(
      {
        code: fc.integer({ min: 0, max: 0xffff }),
        message: name,
        facts: fc.dictionary(name, fc.oneof(name, fc.maxSafeInteger(), fc.boolean()), {
          maxKeys: 5,
          noNullPrototype: false,
        }),
      },
      { requiredKeys: ['code', 'message'] },
    ),
  },
  { requiredKeys: [] },
)

test('what is sent is what is read', () => {
  fc.assert(
    fc.property(fields, fc.nat(9), (sent, offset) => {
      const bytes = encodeFragment(sent, offset)
      const read = readFragment(bytes, offset, bytes.length, defaultLimits)
      expect({ op: read.op, subject: read.subject, part: read.part }).toEqual({
        op: (sent.op ?? 0) + 0,
        subject: sent.subject ?? '',
        part: (sent.part ?? 0) + 0,
      })
      expect(Object.entries(read.args).sort()).toEqual(Object.entries(sent.args ?? {}).sort())
      expect(bytes.subarray(read.payloadStart)).toEqual(sent.payload ?? new Uint8Array(0))
      expect(read.error?.code).toBe(sent.error?.code)
      expect(read.error?.message).toBe(sent.error?.message)
      const facts = Object.entries(sent.error?.facts ?? {}).map(([key, value]) => [plain(key), plain(value)])
      expect(new Map(Object.entries(read.error?.facts ?? {}))).toEqual(new Map(facts as [string, unknown][]))
    }),
  )
})

test('a fragment with a payload only costs one byte', () => {
  expect(encodeHex(encodeFragment({ op: 0, subject: '', part: 0, args: {}, payload: Uint8Array.of(9) }))).toBe('0009')
  expect(readFragment(Uint8Array.of(5, 0, 9), 1, 3, defaultLimits).payloadStart).toBe(2)
})

test('names of objects are plain names', () => {
  const args = argsOf([
    ['__proto__', 'a'],
    ['constructor', 'b'],
    ['toString', 'c'],
  ])
  const bytes = encodeFragment({ subject: '__proto__', args })
  const read = readFragment(bytes, 0, bytes.length, defaultLimits)
  expect(read.subject).toBe('__proto__')
  expect(Object.getPrototypeOf(read.args)).toBeNull()
  expect(Object.entries(read.args)).toEqual(Object.entries(args))
})

test('a lone surrogate arrives as U+FFFD', () => {
  const bytes = encodeFragment({ subject: 'a\ud800', args: { b: '\udc00c' } })
  const read = readFragment(bytes, 0, bytes.length, defaultLimits)
  expect([read.subject, read.args['b']]).toEqual(['a\ufffd', '\ufffdc'])
})

const tooMany = Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`k${index}`, '']))
const tooLong = Object.fromEntries(Array.from({ length: 5 }, (_, index) => [`k${index}`, 'x'.repeat(4_000)]))

test.each<[string, FragmentFields, string, number | undefined]>([
  ['op with a fraction', { op: 1.5 }, 'INVALID_ARGUMENT', undefined],
  ['op beyond 2^53', { op: 2 ** 53 }, 'INVALID_ARGUMENT', undefined],
  ['op not a number', { op: Number.NaN }, 'INVALID_ARGUMENT', undefined],
  ['part beyond 2^53', { part: -(2 ** 53) }, 'INVALID_ARGUMENT', undefined],
  ['subject not a text', { subject: 7 as unknown as string }, 'INVALID_ARGUMENT', undefined],
  ['subject too long', { subject: 'x'.repeat(1_025) }, 'FRAGMENT_TOO_LARGE', 1_024],
  ['subject too long in bytes', { subject: 'ü'.repeat(513) }, 'FRAGMENT_TOO_LARGE', 1_024],
  ['arg not a text', { args: { a: 1 as unknown as string } }, 'INVALID_ARGUMENT', undefined],
  ['too many args', { args: tooMany }, 'FRAGMENT_TOO_LARGE', 64],
  ['name of an arg too long', { args: { ['x'.repeat(129)]: '' } }, 'FRAGMENT_TOO_LARGE', 128],
  ['arg too long', { args: { a: 'x'.repeat(4_097) } }, 'FRAGMENT_TOO_LARGE', 4_096],
  ['args too long together', { args: tooLong }, 'FRAGMENT_TOO_LARGE', 16_384],
  ['number of an error no u16', { error: { code: 65_536, message: '' } }, 'INVALID_ARGUMENT', undefined],
  ['fact with a fraction', { error: { code: 1, message: '', facts: { a: 0.5 } } }, 'INVALID_ARGUMENT', undefined],
  ['facts too long', { error: { code: 1, message: '', facts: { a: 'x'.repeat(1_024) } } }, 'FRAGMENT_TOO_LARGE', 1_024],
])('not sent: %s', (_, sent, code, limit) => {
  const error = thrownBy(() => metadataLength(sent, defaultLimits))
  expect([error.code, error.facts['limit']]).toEqual([code, limit])
})

test('everything at its limit is sent and read', () => {
  const sent = {
    subject: 'x'.repeat(1_024),
    args: Object.fromEntries(
      Array.from({ length: 64 }, (_, index) => [`${index}`.padStart(128, 'k'), 'v'.repeat(128)]),
    ),
    error: { code: 65_535, message: 'm'.repeat(1_024), facts: { a: 'x'.repeat(1_018) } },
  }
  const bytes = encodeFragment(sent)
  expect(readFragment(bytes, 0, bytes.length, defaultLimits).args).toEqual(sent.args)
})

test('a receiver with smaller limits says which one', () => {
  const limits = { ...defaultLimits, subjectBytes: 3, argCount: 1, argKeyBytes: 3, argValueBytes: 3, argsBytes: 5 }
  const refused: [FragmentFields, number][] = [
    [{ subject: 'four' }, 3],
    [{ args: { a: '', b: '' } }, 1],
    [{ args: { four: '' } }, 3],
    [{ args: { a: 'four' } }, 3],
    [{ args: { abc: 'abc' } }, 5],
  ]
  for (const [sent, limit] of refused) {
    const bytes = encodeFragment(sent)
    const error = thrownBy(() => readFragment(bytes, 0, bytes.length, limits))
    expect([error.code, error.facts['limit']]).toEqual(['LIMIT', limit])
  }
})

test.each([
  ['nothing', ''],
  ['an unknown flag', '20'],
  ['op 0', '0100'],
  ['op not in its shortest form', '018200'],
  ['an empty subject', '0200'],
  ['a subject that is not UTF-8', '0201ff'],
  ['a subject cut short', '02036162'],
  ['part 0', '040000000000000000'],
  ['part 2^53', '040000000000002000'],
  ['no args', '0800'],
  ['the same arg twice', '0802016100016100'],
  ['__proto__ twice', `0802${'095f5f70726f746f5f5f00'.repeat(2)}`],
  ['more args than bytes', '08400161'],
  ['an error cut short', '100100'],
])('refused: %s', (_, hex) => {
  const bytes = decodeHex(hex) as Uint8Array
  const { code } = thrownBy(() => readFragment(bytes, 0, bytes.length, defaultLimits))
  expect(code).toBe('PROTOCOL')
})

test('each cut and each changed byte gives a legal fragment or a typed error', () => {
  let legal = 0
  let refused = 0
  for (const bytes of corpus()) {
    for (const mutant of mutants(bytes)) {
      try {
        const read = readFragment(mutant, 0, mutant.length, defaultLimits)
        expect(encodeHex(encodeFragment(fieldsOf(read, mutant)))).toHaveLength(mutant.length * 2)
        legal += 1
      } catch (error) {
        if (!PlaitError.is(error)) throw error
        expect(['PROTOCOL', 'LIMIT']).toContain(error.code)
        refused += 1
      }
    }
  }
  expect(legal).toBeGreaterThan(1_000)
  expect(refused).toBeGreaterThan(1_000)
})

function corpus(): Uint8Array[] {
  const facts = { limit: 64, 'long name': 'value', ok: true }
  return [
    { payload: Uint8Array.of(1, 2) },
    { op: -5, part: 2 ** 40 },
    { op: 300, subject: 'chünk', part: -1, args: { path: 'a/b', mode: '644' }, payload: Uint8Array.of(1) },
    { subject: 's', error: { code: 257, message: 'no', facts } },
  ].map((fragment) => encodeFragment(fragment))
}

function* mutants(bytes: Uint8Array): Generator<Uint8Array> {
  for (let length = 0; length < bytes.length; length += 1) yield bytes.slice(0, length)
  for (let index = 0; index < bytes.length; index += 1) {
    for (let change = 1; change < 256; change += 1) {
      const mutant = bytes.slice()
      mutant[index] = (mutant[index] as number) ^ change
      yield mutant
    }
  }
}

function encodeFragment(fragment: FragmentFields, offset = 0): Uint8Array {
  const payload = fragment.payload ?? new Uint8Array(0)
  const length = metadataLength(fragment, defaultLimits)
  const out = new Uint8Array(offset + length + payload.length)
  expect(writeMetadata(out, offset, fragment)).toBe(offset + length)
  out.set(payload, offset + length)
  return out
}

function fieldsOf(read: ReceivedFragment, bytes: Uint8Array): FragmentFields {
  const { op, subject, part, args, error } = read
  const payload = bytes.subarray(read.payloadStart)
  return error === undefined ? { op, subject, part, args, payload } : { op, subject, part, args, payload, error }
}

function argsOf(entries: readonly (readonly [string, string])[]): FragmentArgs {
  const args = Object.create(null) as Record<string, string>
  for (const [key, value] of entries) args[key] = value
  return args
}

function plain(value: unknown): unknown {
  return typeof value === 'string' ? value.replace(/^\uFEFF+/, '') : value === 0 ? 0 : value
}

function thrownBy(step: () => unknown): PlaitError {
  try {
    step()
  } catch (error) {
    if (PlaitError.is(error)) return error
    throw error
  }
  throw new Error('nothing was thrown')
}
