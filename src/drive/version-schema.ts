import { refuse } from '../wire/field-path.ts'
import { malformed } from '../wire/reader.ts'
import { bytes, struct, text, u8, u16, varint } from '../wire/schema.ts'
import type { Schema } from '../wire/schema.ts'
import { linkTargetBytes } from './tree-path.ts'
import { permissionBits, type EntryKind, type Version } from './version.ts'

const kinds: readonly EntryKind[] = ['file', 'directory', 'link']
const rootBytes = 32

/** Seconds and nanoseconds: 1677 to 2262, as far as 64 bits of nanoseconds go. */
const mtimeMaxNs = 2n ** 63n - 1n
const mtimeMinNs = -(2n ** 63n)

/**
 * A version as it stands in an operation: it comes from others, and says nothing that no entry could be. Whether the path is one that may
 * be here is for `layoutOf` to judge, which knows it.
 */
export const versionSchema: Schema<Version> = {
  ...mapped(
    struct({
      kind: u8,
      mode: u16,
      mtime: fixedTime(),
      size: varint,
      root: bytes({ max: rootBytes }),
      target: text({ max: linkTargetBytes }),
    }),
  ),
}

interface Written {
  readonly kind: number
  readonly mode: number
  readonly mtime: bigint
  readonly size: number
  readonly root: Uint8Array
  readonly target: string
}

function mapped(schema: Schema<Written>): Schema<Version> {
  const written = ({ kind, mode, mtimeNs, size, root, target }: Version): Written => ({
    kind: kinds.indexOf(kind),
    mode,
    mtime: mtimeNs,
    size,
    root,
    target,
  })
  return {
    bytesMin: schema.bytesMin,
    openEnded: schema.openEnded,
    measure(version) {
      const problem = versionProblem(version)
      if (problem !== undefined) refuse(problem)
      return schema.measure(written(version))
    },
    write: (version, out, offset) => schema.write(written(version), out, offset),
    read(reader) {
      const { kind, mode, mtime, size, root, target } = schema.read(reader)
      const version = { kind: kinds[kind] ?? ('' as EntryKind), mode, mtimeNs: mtime, size, root, target }
      const problem = versionProblem(version)
      if (problem !== undefined) throw malformed(problem)
      return version
    },
    describe: () => schema.describe(),
  }
}

function versionProblem({ kind, mode, mtimeNs, size, root, target }: Version): string | undefined {
  if (!kinds.includes(kind)) return 'a version of no kind'
  if (mode > permissionBits) return 'a mode with more than permissions'
  if (mtimeNs > mtimeMaxNs || mtimeNs < mtimeMinNs) return 'a time that no file has'
  if (root.length !== (kind === 'file' ? rootBytes : 0)) return `a ${kind} with ${root.length} bytes of root`
  if (kind !== 'file' && size !== 0) return `a ${kind} with a size`
  if ((target === '') === (kind === 'link')) return `a ${kind} with ${target === '' ? 'no' : 'a'} target`
  if (/\p{Surrogate}/u.test(target)) return 'a target with half a surrogate pair'
  return undefined
}

/** Nanoseconds since 1970 as a signed number of 64 bits, little-endian. */
function fixedTime(): Schema<bigint> {
  return {
    bytesMin: 8,
    openEnded: false,
    measure: () => 8,
    write(value, out, offset) {
      new DataView(out.buffer, out.byteOffset).setBigInt64(offset, value, true)
      return offset + 8
    },
    read(reader) {
      const read = reader.bytes(8)
      return new DataView(read.buffer, read.byteOffset, 8).getBigInt64(0, true)
    },
    describe: () => ({ type: 'i64', bound: '' }),
  }
}
