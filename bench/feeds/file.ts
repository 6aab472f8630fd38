import { close, fdatasync, open, writev } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { FeedTool, FeedWriter } from './tool.ts'

/** The floor of an append: bytes at the end of one file, with no tree, no signature and no checksum. */
export function createTool(): FeedTool {
  return {
    version: `Node.js ${process.version}`,
    settings: 'one plain file, fdatasync before an append resolves; what waits meanwhile shares the next one',
    create: (folder) => FileWriter.create(join(folder, 'blocks')),
  }
}

const [openFile, closeFile, syncFile] = [promisify(open), promisify(close), promisify(fdatasync)]
/** What the system takes in one call. */
const vectorMost = 1_024

export class FileWriter implements FeedWriter {
  readonly id = ''
  readonly #file: number
  #waiting: Uint8Array[] = []
  #next: Promise<void> | undefined
  #current: Promise<void> = Promise.resolve()

  private constructor(file: number) {
    this.#file = file
  }

  static async create(path: string): Promise<FileWriter> {
    return new FileWriter(await openFile(path, 'w'))
  }

  /** All that come before the disk is free again are written and synced together. */
  append(blocks: readonly Uint8Array[]): Promise<void> {
    for (const block of blocks) this.#waiting.push(block)
    this.#next ??= this.#current.then(() => {
      this.#next = undefined
      this.#current = this.#write(this.#waiting)
      this.#waiting = []
      return this.#current
    })
    return this.#next
  }

  async close(): Promise<void> {
    await this.#current
    await closeFile(this.#file)
  }

  async #write(blocks: readonly Uint8Array[]): Promise<void> {
    // Many small ones are one write: a vector for each costs more than the copy.
    const bytes = blocks.reduce((sum, block) => sum + block.length, 0)
    const buffers = bytes / blocks.length < vectorMost ? [Buffer.concat(blocks)] : blocks
    for (let start = 0; start < buffers.length; start += vectorMost)
      await this.#writeVector(buffers.slice(start, start + vectorMost))
    await syncFile(this.#file)
  }

  async #writeVector(buffers: readonly Uint8Array[]): Promise<void> {
    const bytes = buffers.reduce((sum, buffer) => sum + buffer.length, 0)
    const written = await new Promise<number>((resolve, reject) =>
      writev(this.#file, buffers, (error, count) => (error === null ? resolve(count) : reject(error))),
    )
    if (written !== bytes) throw new Error(`${written} bytes written instead of ${bytes}`)
  }
}
