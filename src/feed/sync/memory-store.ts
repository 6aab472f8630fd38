import { hashBytes } from '../hash.ts'
import { nodeCount } from '../numbering.ts'
import type { Runs } from '../runs.ts'
import type { FeedHead, FeedStore, VerifiedBatch } from './feed-store.ts'

/** A feed's storage in memory, which answers at once. */
export class MemoryStore implements FeedStore {
  readonly blocks: Map<number, Uint8Array> = new Map()
  readonly #nodes = new Map<number, Uint8Array>()
  fork = 0
  head: FeedHead | undefined
  peaks: Uint8Array | undefined
  /** How many batches, and blocks in them that were there already. */
  commits = 0
  repeated = 0

  measure(
    runs: Runs,
    bytesMax: number,
    done: (measured?: { readonly runs: Runs; readonly bytes: number }) => void,
  ): void {
    const cut: number[] = []
    let bytes = 0
    for (let at = 0; at < runs.length; at += 2) {
      const start = runs[at] as number
      let stop = start
      for (; stop < (runs[at + 1] as number); stop += 1) {
        const block = this.blocks.get(stop)
        if (block === undefined) return done()
        if (bytes + block.length > bytesMax && (cut.length > 0 || stop > start)) break
        bytes += block.length
      }
      if (stop > start) cut.push(start, stop)
      if (stop < (runs[at + 1] as number)) break
    }
    done({ runs: cut, bytes })
  }

  readNodes(positions: readonly number[], done: (nodes?: Uint8Array) => void): void {
    const nodes = new Uint8Array(positions.length * hashBytes)
    for (const [index, position] of positions.entries()) {
      const node = this.#nodes.get(position)
      if (node === undefined) return done()
      nodes.set(node, index * hashBytes)
    }
    done(nodes)
  }

  readBlocks(start: number, end: number, bytesMax: number, done: (blocks?: readonly Uint8Array[]) => void): void {
    const blocks: Uint8Array[] = []
    let bytes = 0
    for (let index = start; index < end; index += 1) {
      const block = this.blocks.get(index)
      if (block === undefined) return done()
      bytes += block.length
      if (bytes > bytesMax && blocks.length > 0) break
      blocks.push(block)
    }
    done(blocks)
  }

  store(batch: VerifiedBatch, done: (isStored: boolean) => void): void {
    if (batch.fork !== this.fork) return done(false)
    this.commits += 1
    batch.positions.forEach((position, index) => this.#put(position, batch.hashes, index))
    for (const { start, blocks, position, nodes } of batch.groups) {
      blocks.forEach((block, index) => {
        if (this.blocks.has(start + index)) this.repeated += 1
        this.blocks.set(start + index, block.slice())
      })
      for (let index = 0; index < nodes.length / hashBytes; index += 1) this.#put(position + index, nodes, index)
    }
    if (batch.head !== undefined) {
      this.head = batch.head
      this.peaks = batch.peaks
    }
    done(true)
  }

  reset(fork: number, done: (isStored: boolean) => void): void {
    this.truncate(fork, 0)
    this.head = this.peaks = undefined
    done(true)
  }

  /** What a writer does: blocks from `length` on are taken back. */
  truncate(fork: number, length: number): void {
    this.fork = fork
    for (const block of this.blocks.keys()) if (block >= length) this.blocks.delete(block)
    for (const position of this.#nodes.keys()) if (position >= nodeCount(length)) this.#nodes.delete(position)
  }

  #put(position: number, nodes: Uint8Array, index: number): void {
    this.#nodes.set(position, nodes.slice(index * hashBytes, (index + 1) * hashBytes))
  }
}
