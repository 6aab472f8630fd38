import { emptyBytes } from './bytes.ts'

/** Up to here the engine keeps the bytes inside the array, and from here on each array has a buffer of its own: see `smallBytes`. */
const insideBytesMax = 64

/** Up to here arrays share a buffer: above, one of its own costs little for what it holds. */
const sharedBytesMax = 1024
const chunkBytes = 4 * 1024

let chunk: Uint8Array = emptyBytes
let used = 0

/**
 * Zeroed memory that belongs to the caller; a short array may share its `buffer` with others. To make a buffer costs the engine
 * 1.3 µs whatever its size (Node.js 24), which is more than all the rest of what is done with a short message; to share one costs
 * 0.1. Whoever keeps one of those arrays keeps its chunk of 4 KiB.
 */
export function smallBytes(length: number): Uint8Array {
  if (length <= insideBytesMax || length > sharedBytesMax) return new Uint8Array(length)
  if (used + length > chunk.length) {
    chunk = new Uint8Array(chunkBytes)
    used = 0
  }
  const bytes = new Uint8Array(chunk.buffer, used, length)
  used += length
  return bytes
}

/** A copy in memory as of `smallBytes`. */
export function copySmallBytes(bytes: Uint8Array): Uint8Array {
  const copy = smallBytes(bytes.length)
  copy.set(bytes)
  return copy
}
