import { emptyBytes, utf8Length, utf8Write } from '../base/bytes.ts'
import { PlaitError } from '../base/error.ts'
import type { Limits } from '../base/limits.ts'
import { varintLength, writeVarint, writeZigzag, zigzagLength } from '../base/varint.ts'
import { argsLength, hasArgs, noArgs, readArgs, writeArgs } from './args.ts'
import type { FragmentArgs } from './args.ts'
import { errorLength, readError, writeError } from './error.ts'
import type { WireError } from './error.ts'
import { beyond, malformed, Reader } from './reader.ts'

export type { FragmentArgs } from './args.ts'
export type { WireError } from './error.ts'

/** What a sender may put into one fragment; all of it optional. */
export interface FragmentFields {
  /** A safe integer. 0 when absent. */
  readonly op?: number
  readonly subject?: string
  /** A safe integer, int64 on the wire. 0 when absent. */
  readonly part?: number
  readonly args?: FragmentArgs
  readonly payload?: Uint8Array
  readonly error?: WireError
}

/** Bits of the first byte of a fragment: which fields follow, in this order. */
export const fragmentFlags = { op: 1, subject: 2, part: 4, args: 8, error: 16 } as const

/** A fragment as it arrived. */
export class ReceivedFragment {
  op = 0
  subject = ''
  part = 0
  args: FragmentArgs = noArgs
  error: WireError | undefined = undefined
  /** Where the payload begins, in the bytes that were read. */
  payloadStart: number

  /** What follows is filled in by the layer above, so that a fragment is one object. */
  payload: Uint8Array = emptyBytes
  serial = 0
  /** Credit that goes back when it is read, and memory that is charged until then: its bytes, and the objects around them. */
  frameBytes = 0
  heldBytes = 0
  overheadBytes = 0

  constructor(payloadStart: number) {
    this.payloadStart = payloadStart
  }
}

/**
 * Bytes that `writeMetadata` writes for all of a fragment but its payload. Throws `INVALID_ARGUMENT` for a value of the wrong kind,
 * and `FRAGMENT_TOO_LARGE` with the fact `limit`.
 */
export function metadataLength(fields: FragmentFields, limits: Limits): number {
  const { op, subject, part, args, error } = fields
  let length = 1
  if (op !== undefined && op !== 0) length += zigzagLength(safeInteger('op', op))
  if (subject !== undefined && subject !== '') length += subjectLength(subject, limits)
  if (part !== undefined && part !== 0) {
    safeInteger('part', part)
    length += 8
  }
  if (args !== undefined && hasArgs(args)) length += argsLength(args, limits)
  if (error !== undefined) length += errorLength(error, limits)
  return length
}

/** Writes what `metadataLength` has accepted; returns the offset behind it, where the payload belongs. */
export function writeMetadata(out: Uint8Array, offset: number, fields: FragmentFields): number {
  const { op, subject, part, args, error } = fields
  let flags = 0
  let end = offset + 1
  if (op !== undefined && op !== 0) {
    flags |= fragmentFlags.op
    end = writeZigzag(out, end, op)
  }
  if (subject !== undefined && subject !== '') {
    flags |= fragmentFlags.subject
    end = utf8Write(subject, out, writeVarint(out, end, utf8Length(subject)))
  }
  if (part !== undefined && part !== 0) {
    flags |= fragmentFlags.part
    end = writeInt64(out, end, part)
  }
  if (args !== undefined && hasArgs(args)) {
    flags |= fragmentFlags.args
    end = writeArgs(out, end, args)
  }
  if (error !== undefined) {
    flags |= fragmentFlags.error
    end = writeError(out, end, error)
  }
  out[offset] = flags
  return end
}

/**
 * Reads the fragment that stands at `start` .. `end` of `bytes`; its payload, up to `end`, stays there. Throws `PROTOCOL` for what
 * is malformed, a field with its default value among it, and `LIMIT` for what is too long.
 */
export function readFragment(bytes: Uint8Array, start: number, end: number, limits: Limits): ReceivedFragment {
  const fragment =
    start < end && bytes[start] === 0 ? new ReceivedFragment(start + 1) : readFields(bytes, start, end, limits)
  const payloadBytes = end - fragment.payloadStart
  if (payloadBytes > limits.fragmentBytes) throw beyond(payloadBytes, limits.fragmentBytes)
  return fragment
}

function readFields(bytes: Uint8Array, start: number, end: number, limits: Limits): ReceivedFragment {
  const reader = new Reader(bytes, start, end)
  const flags = reader.u8()
  if (flags > allFlags) throw malformed(`a fragment with unknown flags ${flags}`)
  const fragment = new ReceivedFragment(start)
  if ((flags & fragmentFlags.op) !== 0) fragment.op = given(reader.zigzag())
  if ((flags & fragmentFlags.subject) !== 0) {
    fragment.subject = reader.text(limits.subjectBytes)
    given(fragment.subject.length)
  }
  if ((flags & fragmentFlags.part) !== 0) fragment.part = given(reader.i64())
  if ((flags & fragmentFlags.args) !== 0) fragment.args = readArgs(reader, limits)
  if ((flags & fragmentFlags.error) !== 0) fragment.error = readError(reader, limits)
  fragment.payloadStart = reader.position
  return fragment
}

/** A field that is there says something: each fragment has one encoding only. */
function given(value: number): number {
  if (value === 0) throw malformed('a field of a fragment with its default value')
  return value
}

function subjectLength(subject: string, limits: Limits): number {
  if (typeof subject !== 'string') throw new PlaitError('INVALID_ARGUMENT', 'the subject of a fragment is a text')
  const length = utf8Length(subject)
  const limit = limits.subjectBytes
  if (length > limit) {
    throw new PlaitError('FRAGMENT_TOO_LARGE', `a subject of ${length} bytes exceeds the limit of ${limit}`, {
      facts: { limit },
    })
  }
  return varintLength(length) + length
}

function safeInteger(name: string, value: number): number {
  if (!Number.isSafeInteger(value)) {
    throw new PlaitError('INVALID_ARGUMENT', `${name} is ${String(value)}; it has to be a safe integer`, {
      facts: { name },
    })
  }
  return value
}

/** A safe integer in two's complement, little-endian. */
function writeInt64(out: Uint8Array, offset: number, value: number): number {
  const high = Math.floor(value / 0x1_0000_0000)
  const low = value - high * 0x1_0000_0000
  for (let index = 0; index < 4; index += 1) {
    out[offset + index] = low >>> (index * 8)
    out[offset + 4 + index] = high >> (index * 8)
  }
  return offset + 8
}

const allFlags = 31
