import { defaultLimits } from '../../src/base/limits.ts'
import type { Limits } from '../../src/base/limits.ts'
import { varintLength, writeVarint } from '../../src/base/varint.ts'
import { writeUint64 } from '../../src/session/control.ts'
import { metadataLength, writeMetadata } from '../../src/wire/fragment.ts'
import type { FragmentFields } from '../../src/wire/fragment.ts'

export const KiB = 1024
export const MiB: number = 1024 * KiB

/** Limits that keep nobody from encoding what is far beyond the real ones. */
const none = Object.fromEntries(Object.keys(defaultLimits).map((name) => [name, 2 ** 31])) as unknown as Limits

export function u64(value: number): Uint8Array {
  const bytes = new Uint8Array(8)
  writeUint64(bytes, 0, value)
  return bytes
}

export function varint(value: number): Uint8Array {
  const bytes = new Uint8Array(varintLength(value))
  writeVarint(bytes, 0, value)
  return bytes
}

export function text(value: string): Uint8Array {
  const bytes = new TextEncoder().encode(value)
  return concat(varint(bytes.length), bytes)
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** The body of an OPEN to `service`, of whatever length. */
export function openBody(service: string, creditBytes: number = 16 * KiB): Uint8Array {
  const [kind, version] = [Uint8Array.of(0), Uint8Array.of(0)]
  return concat(u64(creditBytes), kind, text(service), text(''), version, text('raw'), text('1'))
}

/** A fragment as no honest sender would write it. */
export function rawFragment(fields: FragmentFields): Uint8Array {
  const payload = fields.payload ?? new Uint8Array(0)
  const metadata = new Uint8Array(metadataLength(fields, none))
  writeMetadata(metadata, 0, fields)
  return concat(metadata, payload)
}
