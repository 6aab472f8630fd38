import { decodeBase32, encodeBase32 } from '../base/bytes.ts'
import { PlaitError } from '../base/error.ts'
import { bounds } from './bounds.ts'

/**
 * Who writes: the 32 bytes of a key in base32, as node ids and the ids of feeds are written. Two writers are in the order of these texts.
 * An incarnation of a member that may not go on where its copy stopped is another writer.
 */
export type Writer = string

/** Names one operation for ever: who wrote it, and which of theirs it is, from 1 up. */
export interface Dot {
  readonly writer: Writer
  readonly number: number
}

/** Bytes of a writer's key. */
export const writerBytes = 32

/** The writer with this key, which stays the caller's. Throws `INVALID_ARGUMENT` unless it is 32 bytes. */
export function writerFromKey(key: Uint8Array): Writer {
  if (key.length === writerBytes) return encodeBase32(key)
  throw new PlaitError('INVALID_ARGUMENT', `the key of a writer has 32 bytes, not ${key.length}`)
}

/** The key of a writer, fresh. Throws `INVALID_ARGUMENT` for a text that is not 32 bytes in base32. */
export function keyFromWriter(writer: Writer): Uint8Array {
  const key = typeof writer === 'string' ? decodeBase32(writer) : undefined
  if (key?.length === writerBytes) return key
  throw new PlaitError('INVALID_ARGUMENT', `a writer is 52 characters out of a-z and 2-7, not ${writer}`)
}

/** The dot, checked. Throws `INVALID_ARGUMENT` when its number is none from 1 to 2^48. */
export function dotOf(writer: Writer, number: number): Dot {
  if (Number.isInteger(number) && number >= 1 && number <= bounds.number) return { writer, number }
  throw new PlaitError('INVALID_ARGUMENT', `the number of a dot is in 1 .. 2^48, not ${number}`)
}

/** Below 0 when `left` comes first: by writer, then by number. An order to write them in; it says nothing of what came before what. */
export function compareDots(left: Dot, right: Dot): number {
  if (left.writer === right.writer) return left.number - right.number
  return left.writer < right.writer ? -1 : 1
}

export function sameDot(left: Dot, right: Dot): boolean {
  return left.number === right.number && left.writer === right.writer
}

/** For people and for the keys of a map: `NUMBER@WRITER`. */
export function formatDot(dot: Dot): string {
  return `${dot.number}@${dot.writer}`
}

/** The dot that `formatDot` wrote. Throws `INVALID_ARGUMENT` for any other text. */
export function parseDot(text: string): Dot {
  const [, number, writer] = /^([1-9]\d{0,14})@([a-z2-7]{52})$/.exec(text) ?? []
  if (number === undefined || writer === undefined) {
    throw new PlaitError('INVALID_ARGUMENT', `a dot is NUMBER@WRITER, not ${text}`)
  }
  keyFromWriter(writer)
  return dotOf(writer, Number(number))
}
