import { createCipheriv } from 'node:crypto'

/** The blocks of a feed, which follow from their numbers alone: any process can make them, and check them. */
export interface Corpus {
  readonly blocks: number
  readonly blockBytes: number
}

/** Larger than what any store packs at a time, so that there is nothing to pack. */
const poolBytes = 4 * 1024 * 1024
const numberBytes = 4
/** Far apart, so that neighbours share nothing. */
const strideBytes = 1_000_003

let pool: Uint8Array | undefined

/** A block of its own memory: its number, then bytes that look random. */
export function blockOf(number: number, { blockBytes }: Corpus): Uint8Array {
  pool ??= createCipheriv('aes-128-ctr', new Uint8Array(16), new Uint8Array(16)).update(new Uint8Array(poolBytes))
  const block = new Uint8Array(blockBytes)
  const start = (number * strideBytes) % (poolBytes - blockBytes)
  block.set(pool.subarray(start, start + blockBytes))
  new DataView(block.buffer).setUint32(0, number, true)
  return block
}

export function numberOf(block: Uint8Array, start = 0): number {
  return new DataView(block.buffer, block.byteOffset + start, numberBytes).getUint32(0, true)
}

/** Throws when the block is not the one of this number. */
export function checkBlock(block: Uint8Array, number: number, corpus: Corpus): void {
  if (Buffer.compare(block, blockOf(number, corpus)) !== 0)
    throw new Error(`block ${number} is not the one that was appended`)
}

export function payloadBytes({ blocks, blockBytes }: Corpus): number {
  return blocks * blockBytes
}
