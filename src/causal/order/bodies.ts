import type { Schema } from '../../wire/schema.ts'
import { refuse } from '../../wire/field-path.ts'
import { malformed } from '../../wire/reader.ts'

/** All bytes up to the end. */
export const rawBody: Schema<Uint8Array> = {
  bytesMin: 0,
  openEnded: true,
  measure(value) {
    if (!(value instanceof Uint8Array)) refuse('not a Uint8Array')
    return value.length
  },
  write(value, out, offset) {
    out.set(value, offset)
    return offset + value.length
  },
  read: (reader) => reader.bytes(reader.remaining).slice(),
  describe: () => ({ type: 'bytes', bound: 'up to the end' }),
}

/** Nothing. */
export const emptyBody: Schema<undefined> = {
  bytesMin: 0,
  openEnded: true,
  measure: () => 0,
  write: (_value, _out, offset) => offset,
  read(reader) {
    if (reader.remaining > 0) throw malformed('something where nothing is to be')
  },
  describe: () => ({ type: 'nothing', bound: '' }),
}
