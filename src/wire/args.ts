import { utf8Length, utf8Write } from '../base/bytes.ts'
import { PlaitError } from '../base/error.ts'
import type { Limits } from '../base/limits.ts'
import { varintLength, writeVarint } from '../base/varint.ts'
import { beyond, malformed } from './reader.ts'
import type { Reader } from './reader.ts'

/** Names and values of a fragment; a received one has no prototype, so that `__proto__` is a plain name. */
export type FragmentArgs = Readonly<Record<string, string>>

/** What a fragment without args has. Shared and frozen. */
export const noArgs: FragmentArgs = Object.freeze(Object.create(null) as Record<string, string>)

/** Whether there is at least one own name. */
export function hasArgs(args: FragmentArgs): boolean {
  for (const name in args) if (Object.hasOwn(args, name)) return true
  return false
}

/** Bytes that `writeArgs` writes. Throws `INVALID_ARGUMENT` for a value that is no text, `FRAGMENT_TOO_LARGE` with the `limit`. */
export function argsLength(args: FragmentArgs, limits: Limits): number {
  const names = Object.keys(args)
  if (names.length > limits.argCount) throw tooLarge('a fragment has too many args', limits.argCount)
  let length = varintLength(names.length)
  let textBytes = 0
  for (const name of names) {
    const value = args[name]
    if (typeof value !== 'string')
      throw new PlaitError('INVALID_ARGUMENT', `the arg ${name} is not a text`, { facts: { name } })
    const nameBytes = utf8Length(name)
    const valueBytes = utf8Length(value)
    if (nameBytes > limits.argKeyBytes) throw tooLarge('the name of an arg is too long', limits.argKeyBytes)
    if (valueBytes > limits.argValueBytes) throw tooLarge(`the arg ${name} is too long`, limits.argValueBytes)
    textBytes += nameBytes + valueBytes
    length += varintLength(nameBytes) + nameBytes + varintLength(valueBytes) + valueBytes
  }
  if (textBytes > limits.argsBytes) throw tooLarge('the args of a fragment are too long together', limits.argsBytes)
  return length
}

/** Writes what `argsLength` has accepted; returns the offset behind it. */
export function writeArgs(out: Uint8Array, offset: number, args: FragmentArgs): number {
  const names = Object.keys(args)
  let end = writeVarint(out, offset, names.length)
  for (const name of names) {
    const value = args[name] as string
    end = utf8Write(name, out, writeVarint(out, end, utf8Length(name)))
    end = utf8Write(value, out, writeVarint(out, end, utf8Length(value)))
  }
  return end
}

/** Throws `PROTOCOL` for what is malformed, names that come twice among it, and `LIMIT` for what is too long. */
export function readArgs(reader: Reader, limits: Limits): FragmentArgs {
  const count = reader.varint()
  if (count === 0) throw malformed('args without any')
  if (count > limits.argCount) throw beyond(count, limits.argCount)
  const args = Object.create(null) as Record<string, string>
  let textBytes = 0
  for (let index = 0; index < count; index += 1) {
    const nameBytes = reader.length(limits.argKeyBytes)
    const name = reader.utf8(nameBytes)
    const valueBytes = reader.length(limits.argValueBytes)
    textBytes += nameBytes + valueBytes
    if (textBytes > limits.argsBytes) throw beyond(textBytes, limits.argsBytes)
    if (name in args) throw malformed('an arg twice')
    args[name] = reader.utf8(valueBytes)
  }
  return args
}

function tooLarge(what: string, limit: number): PlaitError {
  return new PlaitError('FRAGMENT_TOO_LARGE', `${what}: the limit is ${limit}`, { facts: { limit } })
}
