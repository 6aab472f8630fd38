import { defaultLimits } from '../base/limits.ts'
import { PlaitError } from '../base/error.ts'
import { varintLength, writeVarint } from '../base/varint.ts'
import { beyond, malformed } from '../wire/reader.ts'
import type { Reader } from '../wire/reader.ts'
import type { Schema } from '../wire/schema.ts'
import { copyHash, hashBytes } from './hash.ts'

const { feedBlockBytes: bytesMax, packedChunksBytes, requestChunks: max } = defaultLimits

/** Chunks that are asked for: 32 bytes of hash for each, and their lengths, undefined where any will do. Flat, for many of them wait. */
export interface ChunkList {
  readonly hashes: Uint8Array
  readonly lengths: readonly (number | undefined)[]
}

/** What is asked for: the LEB128 count, then for each its hash and the LEB128 of its length and 1, or 0 when any length will do. */
export const chunkLists: Schema<ChunkList> = {
  bytesMin: 1,
  openEnded: false,
  measure({ hashes, lengths }) {
    checkCount(lengths.length)
    if (hashes.length !== lengths.length * hashBytes) throw invalid('not 32 bytes of hash for each length')
    let measured = varintLength(lengths.length) + hashes.length
    for (const length of lengths) {
      if (length !== undefined) checkLength(length)
      measured += varintLength(codeOf(length))
    }
    return measured
  },
  write({ hashes, lengths }, out, offset) {
    let at = writeVarint(out, offset, lengths.length)
    for (const [index, length] of lengths.entries()) {
      copyHash(hashes, index * hashBytes, out, at)
      at = writeVarint(out, at + hashBytes, codeOf(length))
    }
    return at
  },
  read(reader) {
    const count = readCount(reader)
    if (count > reader.remaining / (hashBytes + 1)) throw malformed(`${count} hashes in ${reader.remaining} bytes`)
    const hashes = new Uint8Array(count * hashBytes)
    const lengths: (number | undefined)[] = []
    for (let index = 0; index < count; index += 1) {
      hashes.set(reader.bytes(hashBytes), index * hashBytes)
      lengths.push(readLength(reader))
    }
    return { hashes, lengths }
  },
  describe: () => ({
    type: 'LEB128 count; for each a hash, and the LEB128 of its length and 1, or 0',
    bound: `1 to ${max} chunks, each at most ${bytesMax} bytes`,
  }),
}

/**
 * What is answered: the LEB128 count, for each the LEB128 of its length and 1, or 0 for one that is absent, then the bytes of all, up to
 * the end of the message. Those that are read are views of what they came in.
 */
export const chunkBodies: Schema<readonly (Uint8Array | undefined)[]> = {
  bytesMin: 1,
  openEnded: true,
  measure(bodies) {
    checkCount(bodies.length)
    let measured = varintLength(bodies.length)
    for (const body of bodies) {
      if (body !== undefined) checkLength(body.length)
      measured += varintLength(codeOf(body?.length)) + (body?.length ?? 0)
    }
    return measured
  },
  write(bodies, out, offset) {
    let at = writeVarint(out, offset, bodies.length)
    for (const body of bodies) at = writeVarint(out, at, codeOf(body?.length))
    for (const body of bodies) {
      if (body === undefined) continue
      out.set(body, at)
      at += body.length
    }
    return at
  },
  read(reader) {
    const count = readCount(reader)
    if (count > reader.remaining) throw malformed(`${count} chunks in ${reader.remaining} bytes`)
    const lengths = Array.from({ length: count }, () => readLength(reader))
    return lengths.map((length) => (length === undefined ? undefined : reader.bytes(length)))
  },
  describe: () => ({
    type: 'LEB128 count; for each the LEB128 of its length and 1, or 0 when it is absent; their bytes',
    bound: `1 to ${max} chunks, each at most ${bytesMax} bytes`,
  }),
}

/**
 * The lengths of chunks that are packed: the LEB128 count, then for each the LEB128 of its length and 1, or 0 for one that is absent. No
 * more together than is unpacked at once.
 */
export const chunkLengths: Schema<readonly (number | undefined)[]> = {
  bytesMin: 1,
  openEnded: false,
  measure(lengths) {
    checkCount(lengths.length)
    if (sumOf(lengths) > packedChunksBytes) throw invalid(`more than ${packedChunksBytes} bytes to be unpacked`)
    return lengths.reduce<number>((sum, length) => sum + varintLength(codeOf(length)), varintLength(lengths.length))
  },
  write(lengths, out, offset) {
    let at = writeVarint(out, offset, lengths.length)
    for (const length of lengths) at = writeVarint(out, at, codeOf(length))
    return at
  },
  read(reader) {
    const count = readCount(reader)
    if (count > reader.remaining) throw malformed(`${count} lengths in ${reader.remaining} bytes`)
    const lengths = Array.from({ length: count }, () => readLength(reader))
    if (sumOf(lengths) > packedChunksBytes) throw beyond(sumOf(lengths), packedChunksBytes)
    return lengths
  },
  describe: () => ({
    type: 'LEB128 count; for each the LEB128 of its length and 1, or 0 when it is absent',
    bound: `1 to ${max} chunks, together at most ${packedChunksBytes} bytes`,
  }),
}

function sumOf(lengths: readonly (number | undefined)[]): number {
  return lengths.reduce<number>((sum, length) => sum + (length ?? 0), 0)
}

/** Of a length that may be absent. */
function codeOf(length: number | undefined): number {
  return length === undefined ? 0 : length + 1
}

function readLength(reader: Reader): number | undefined {
  const code = reader.varint()
  if (code > bytesMax + 1) throw beyond(code - 1, bytesMax)
  return code === 0 ? undefined : code - 1
}

function readCount(reader: Reader): number {
  const count = reader.varint()
  if (count > max) throw beyond(count, max)
  if (count === 0) throw malformed('no chunk')
  return count
}

function checkCount(count: number): void {
  if (count < 1 || count > max) throw invalid(`${count} chunks are not from 1 to ${max}`)
}

function checkLength(length: number): void {
  if (Number.isSafeInteger(length) && length >= 0 && length <= bytesMax) return
  throw invalid(`a chunk of ${length} bytes is not one of at most ${bytesMax}`)
}

function invalid(what: string): PlaitError {
  return new PlaitError('INVALID_ARGUMENT', what)
}
