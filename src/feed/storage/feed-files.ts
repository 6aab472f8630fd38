import { readUint32, readUint64, writeUint32, writeUint64 } from '../../base/little-endian.ts'
import type { Disk } from '../../runtime/disk.ts'
import { crc32c } from '../../store/crc32c.ts'
import { FlatFile } from '../../store/flat-file.ts'
import { copyHash, hashBytes } from '../hash.ts'

/** Of one block: where its record stands, and its length. */
const placeBytes = 12
/** Of one node: its hash, and a CRC32C of that and of its position. A flipped bit here would make honest nodes look like liars. */
const nodeBytes = hashBytes + 4
const bufferBytes = 1024 * 1024

/** Where the folder of these files is, below the store's. */
export const feedFilesFolder = 'feeds'

/** Where a block is: the position of its record in the log, and the block's length. */
export interface BlockPlace {
  readonly position: number
  readonly bytes: number
}

/** What is derived from the records of one feed: where each block stands, and the nodes of its tree. */
export class FeedFiles {
  readonly #places: FlatFile
  readonly #nodes: FlatFile
  #isFull = false

  private constructor(places: FlatFile, nodes: FlatFile) {
    this.#places = places
    this.#nodes = nodes
  }

  static async open(disk: Disk, number: number): Promise<FeedFiles> {
    const path = `${feedFilesFolder}/${number}`
    const places = await FlatFile.open({ disk, path: `${path}.places`, entryBytes: placeBytes, bufferBytes })
    try {
      const nodes = await FlatFile.open({ disk, path: `${path}.nodes`, entryBytes: nodeBytes, bufferBytes })
      return new FeedFiles(places, nodes)
    } catch (error) {
      await places.close()
      throw error
    }
  }

  static async remove(disk: Disk, number: number): Promise<void> {
    for (const name of ['places', 'nodes']) await disk.remove(`${feedFilesFolder}/${number}.${name}`).catch(() => {})
  }

  /** Whether `flush` should be awaited before more is written. */
  get isFull(): boolean {
    return this.#isFull
  }

  /** Says that blocks from `start` on stand in one record. */
  writePlaces(start: number, blocks: readonly { readonly length: number }[], position: number): void {
    const entries = new Uint8Array(blocks.length * placeBytes)
    let at = 0
    for (const block of blocks) {
      writeUint64(entries, at, position)
      writeUint32(entries, at + 8, block.length)
      at += placeBytes
    }
    if (!this.#places.write(start, entries)) this.#isFull = true
  }

  /** Nodes that follow one another, 32 bytes for each. */
  writeNodes(position: number, nodes: Uint8Array): void {
    const count = nodes.length / hashBytes
    const entries = new Uint8Array(count * nodeBytes)
    for (let index = 0; index < count; index += 1) {
      const at = index * nodeBytes
      copyHash(nodes, index * hashBytes, entries, at)
      writeUint32(entries, at + hashBytes, nodeCheck(entries, at, position + index))
    }
    if (!this.#nodes.write(position, entries)) this.#isFull = true
  }

  /** Where the blocks from `start` to before `end` are; undefined for one of which nothing is known. */
  async readPlaces(start: number, end: number): Promise<readonly (BlockPlace | undefined)[]> {
    const entries = await this.#places.read(start, end - start)
    const places: (BlockPlace | undefined)[] = []
    for (let at = 0; at < entries.length; at += placeBytes) {
      const position = readUint64(entries, at)
      places.push(position === 0 ? undefined : { position, bytes: readUint32(entries, at + 8) })
    }
    return places
  }

  /** The node at a position; undefined when it is not there, or damaged. */
  async readNode(position: number): Promise<Uint8Array | undefined> {
    const entry = await this.#nodes.read(position, 1)
    const check = readUint32(entry, hashBytes)
    // What was never written reads as zeros. One node in 2^32 has that check too, and is computed anew.
    if (check === 0 || check !== nodeCheck(entry, 0, position)) return undefined
    return entry.subarray(0, hashBytes)
  }

  /** Forgets everything. */
  async clear(): Promise<void> {
    await this.#places.truncate(0)
    await this.#nodes.truncate(0)
  }

  async flush(): Promise<void> {
    await this.#places.flush()
    await this.#nodes.flush()
    this.#isFull = false
  }

  async sync(): Promise<void> {
    await this.#places.sync()
    await this.#nodes.sync()
    this.#isFull = false
  }

  /** Leaves what was not flushed. */
  async close(): Promise<void> {
    await this.#places.close()
    await this.#nodes.close()
  }
}

function nodeCheck(bytes: Uint8Array, at: number, position: number): number {
  return crc32c(bytes, at, at + hashBytes, position % 0x1_0000_0000)
}
