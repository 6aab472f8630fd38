import { utf8Length } from '../base/bytes.ts'
import { defaultLimits } from '../base/limits.ts'
import { malformed, Reader } from '../wire/reader.ts'
import { RecordWriter } from './record-writer.ts'

/** A receiver's wish for one file. */
export interface Want {
  /** Chosen by the receiver, a safe integer from 0 up; the answer bears it. */
  readonly id: number
  readonly path: string
  /** SHA-256 of what the receiver has under that path: if it is the same, no content is sent. */
  readonly hash?: Uint8Array
}

export const hashBytes = 32
/** How many wants go into one fragment, and are open on one circuit, at most. */
export const wantsMax = 256
const wantOverheadBytes = 16

/** A fragment's payload for 1 to `wantsMax` wants. */
export function writeWants(wants: readonly Want[]): Uint8Array {
  let bytes = 0
  for (const want of wants)
    bytes += wantOverheadBytes + utf8Length(want.path) + (want.hash === undefined ? 0 : hashBytes)
  const writer = new RecordWriter(new Uint8Array(bytes))
  for (const want of wants) {
    writer.varint(want.id)
    writer.text(want.path)
    writer.u8(want.hash === undefined ? 0 : 1)
    if (want.hash !== undefined) writer.raw(want.hash)
  }
  return writer.written
}

/** Throws `PROTOCOL`, also for more than `wantsMax`. Paths are not checked for what they mean. */
export function readWants(payload: Uint8Array): readonly Want[] {
  const reader = new Reader(payload)
  const wants: Want[] = []
  while (reader.remaining > 0) {
    if (wants.length === wantsMax) throw malformed(`more than ${wantsMax} wants at once`)
    const id = reader.varint()
    const path = reader.text(defaultLimits.pathBytes)
    wants.push(reader.u8() === 0 ? { id, path } : { id, path, hash: reader.bytes(hashBytes) })
  }
  return wants
}
