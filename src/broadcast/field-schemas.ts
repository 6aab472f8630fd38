import { PlaitError } from '../base/error.ts'
import { publicKeyBytes, type NodeId } from '../identity/node-id.ts'
import { beyond, malformed } from '../wire/reader.ts'
import { upTo, type Schema } from '../wire/schema.ts'
import { idOf, putKey } from './known-keys.ts'

/** A node's key, 32 bytes; one that no node can have is refused. */
export const nodeId: Schema<NodeId> = {
  bytesMin: publicKeyBytes,
  openEnded: false,
  measure: () => publicKeyBytes,
  write(value, out, offset) {
    if (!putKey(value, out, offset)) throw new PlaitError('INVALID_ARGUMENT', `${value} is not a node id`)
    return offset + publicKeyBytes
  },
  read(reader) {
    const key = reader.bytes(publicKeyBytes)
    try {
      return idOf(key)
    } catch (error) {
      if (PlaitError.is(error)) throw malformed('a key that no node can have')
      throw error
    }
  },
  describe: () => ({ type: 'key', bound: '32 bytes' }),
}

/** A byte that is the index of one of these. */
export function oneOf<const Value extends string>(values: readonly Value[]): Schema<Value> {
  const number = upTo(values.length - 1)
  return {
    ...number,
    measure: () => 1,
    write: (value, out, offset) => number.write(values.indexOf(value), out, offset),
    read: (reader) => values[number.read(reader)] as Value,
    describe: () => ({ type: 'LEB128', bound: values.map((value, index) => `${index} ${value}`).join(', ') }),
  }
}

/** All that follows, at most `max` bytes; what is read is a view of what it came in. */
export function remainder(options: { readonly max: number }): Schema<Uint8Array> {
  const { max } = options
  return {
    bytesMin: 1,
    openEnded: true,
    measure(value) {
      if (value.length > max) throw new PlaitError('INVALID_ARGUMENT', `${value.length} bytes are more than ${max}`)
      return value.length
    },
    write(value, out, offset) {
      out.set(value, offset)
      return offset + value.length
    },
    read(reader) {
      if (reader.remaining > max) throw beyond(reader.remaining, max)
      return reader.bytes(reader.remaining)
    },
    describe: () => ({ type: 'the remaining bytes', bound: `at most ${max}` }),
  }
}
