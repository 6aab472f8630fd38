import { PlaitError } from '../base/error.ts'
import type { Disk, DiskFile } from '../runtime/disk.ts'
import { synced } from './log-folder.ts'

export interface FlatFileOptions {
  readonly disk: Disk
  readonly path: string
  readonly entryBytes: number
  /** Written entries that wait before `write` says to wait for `flush`; at 16 times as many bytes it throws. 4 MiB when absent. */
  readonly bufferBytes?: number
}

interface Page {
  readonly bytes: Uint8Array
  /** Which entries of it are set. */
  readonly isSet: Uint8Array
}

/**
 * Entries of one length, by number. It is derived from the log: what is written is on the disk after `sync` only, which an owner calls
 * before a checkpoint, and what stands behind the checkpoint is written again from the log. An entry that was never written reads as
 * zeros. There are no checksums: what an entry leads to has to prove it, a record its CRC, a node of a tree the root.
 */
export class FlatFile {
  readonly #file: DiskFile
  readonly #entryBytes: number
  readonly #entriesPerPage: number
  readonly #bufferBytes: number
  /** Entries that are not in the file yet, and those that are being written. */
  #waiting = new Map<number, Page>()
  #leaving = new Map<number, Page>()
  #running: Promise<void> = Promise.resolve()
  /** Pages as they are in the file, the oldest first. */
  readonly #kept = new Map<number, Promise<Uint8Array>>()
  #length: number

  private constructor(
    file: DiskFile,
    fileBytes: number,
    { entryBytes, bufferBytes = 4 * 1024 * 1024 }: FlatFileOptions,
  ) {
    this.#file = file
    this.#entryBytes = entryBytes
    this.#entriesPerPage = Math.max(1, Math.floor(pageBytes / entryBytes))
    this.#bufferBytes = bufferBytes
    this.#length = Math.floor(fileBytes / entryBytes)
  }

  /** Opens the file, or makes it. Its folder must exist, and has to be synced before a checkpoint, too. */
  static async open(options: FlatFileOptions): Promise<FlatFile> {
    const file = await options.disk.open(options.path, { create: true })
    return new FlatFile(file, await file.size(), options)
  }

  /** One more than the highest entry that was ever written. */
  get length(): number {
    return this.#length
  }

  /** Sets entries from `index` on; `bytes`, which is copied, has one or more whole ones. Returns false when `flush` should be awaited. */
  write(index: number, bytes: Uint8Array): boolean {
    const waitingBytes = this.#waiting.size * pageBytes
    if (waitingBytes >= bufferedMax * this.#bufferBytes) {
      throw new PlaitError('BUFFER_FULL', `${waitingBytes} bytes of a derived file wait to be written; wait for flush`)
    }
    const count = bytes.length / this.#entryBytes
    for (let done = 0; done < count;) {
      const at = (index + done) % this.#entriesPerPage
      const page = this.#page((index + done - at) / this.#entriesPerPage)
      const part = Math.min(count - done, this.#entriesPerPage - at)
      page.bytes.set(bytes.subarray(done * this.#entryBytes, (done + part) * this.#entryBytes), at * this.#entryBytes)
      page.isSet.fill(1, at, at + part)
      done += part
    }
    this.#length = Math.max(this.#length, index + count)
    return waitingBytes < this.#bufferBytes
  }

  /** `count` entries from `index` on, in a buffer of the caller's own. */
  async read(index: number, count: number): Promise<Uint8Array> {
    const out = new Uint8Array(count * this.#entryBytes)
    const pages = [...this.#pagesWithin(this.#leaving, index, count), ...this.#pagesWithin(this.#waiting, index, count)]
    // What was written last is mostly what is read: then the file is not needed.
    if (!this.#areSet(pages, index, count)) {
      if (count === 1) out.set(await this.#readOne(index))
      else out.set(await this.#file.read(index * this.#entryBytes, out.length))
    }
    for (const [number, page] of pages) this.#overlay(out, index, count, number, page)
    return out
  }

  /** Of a page that is kept: single entries are mostly read one close to the other. */
  async #readOne(index: number): Promise<Uint8Array> {
    const at = index % this.#entriesPerPage
    const number = (index - at) / this.#entriesPerPage
    let page = this.#kept.get(number)
    if (page === undefined) {
      const bytes = this.#entriesPerPage * this.#entryBytes
      page = this.#file.read(number * bytes, bytes)
      this.#kept.set(number, page)
      page.catch(() => this.#kept.delete(number))
      for (const oldest of this.#kept.keys()) {
        if (this.#kept.size <= keptPages) break
        this.#kept.delete(oldest)
      }
    }
    return (await page).subarray(at * this.#entryBytes, (at + 1) * this.#entryBytes)
  }

  /** Hands all that waits to the operating system. */
  flush(): Promise<void> {
    return this.#inTurn(() => this.#writePages())
  }

  /** Makes durable all that was written before the call. */
  sync(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#writePages()
      await synced(this.#file.sync())
    })
  }

  /** Forgets all entries from `count` on, written ones and waiting ones. */
  truncate(count: number): Promise<void> {
    return this.#inTurn(async () => {
      await this.#writePages()
      await this.#file.truncate(count * this.#entryBytes)
      this.#kept.clear()
      this.#length = Math.min(this.#length, count)
    })
  }

  /** Leaves what was not flushed. */
  async close(): Promise<void> {
    await this.#running.catch(() => {})
    await this.#file.close()
  }

  /** The file is changed, or synced, by one at a time. */
  #inTurn(run: () => Promise<void>): Promise<void> {
    const turn = this.#running.then(run, run)
    this.#running = turn
    return turn
  }

  async #writePages(): Promise<void> {
    if (this.#waiting.size === 0 && this.#leaving.size === 0) return
    // What a failed attempt has left is older than what waits.
    for (const [number, page] of this.#leaving) this.#mergeOlder(number, page)
    this.#leaving = this.#waiting
    this.#waiting = new Map()
    for (const [number, page] of [...this.#leaving].sort(([one], [other]) => one - other)) {
      for (const [from, to] of runs(page.isSet)) {
        const offset = (number * this.#entriesPerPage + from) * this.#entryBytes
        await this.#file.write(offset, page.bytes.subarray(from * this.#entryBytes, to * this.#entryBytes))
      }
    }
    // What was read meanwhile may be of before.
    for (const number of this.#leaving.keys()) this.#kept.delete(number)
    this.#leaving = new Map()
  }

  #mergeOlder(number: number, older: Page): void {
    const newer = this.#waiting.get(number)
    this.#waiting.set(number, older)
    if (newer === undefined) return
    for (const [from, to] of runs(newer.isSet)) {
      older.bytes.set(newer.bytes.subarray(from * this.#entryBytes, to * this.#entryBytes), from * this.#entryBytes)
      older.isSet.fill(1, from, to)
    }
  }

  #page(number: number): Page {
    let page = this.#waiting.get(number)
    if (page === undefined) {
      const entries = this.#entriesPerPage
      page = { bytes: new Uint8Array(entries * this.#entryBytes), isSet: new Uint8Array(entries) }
      this.#waiting.set(number, page)
    }
    return page
  }

  #pagesWithin(pages: ReadonlyMap<number, Page>, index: number, count: number): [number, Page][] {
    const found: [number, Page][] = []
    const last = Math.floor((index + count - 1) / this.#entriesPerPage)
    for (let number = Math.floor(index / this.#entriesPerPage); number <= last; number += 1) {
      const page = pages.get(number)
      if (page !== undefined) found.push([number, page])
    }
    return found
  }

  #areSet(pages: readonly [number, Page][], index: number, count: number): boolean {
    for (let entry = index; entry < index + count; entry += 1) {
      const at = entry % this.#entriesPerPage
      const number = (entry - at) / this.#entriesPerPage
      if (!pages.some(([other, { isSet }]) => other === number && isSet[at] === 1)) return false
    }
    return true
  }

  #overlay(out: Uint8Array, index: number, count: number, number: number, page: Page): void {
    const first = number * this.#entriesPerPage
    for (const [from, to] of runs(page.isSet)) {
      const start = Math.max(first + from, index)
      const end = Math.min(first + to, index + count)
      if (start >= end) continue
      const bytes = page.bytes.subarray((start - first) * this.#entryBytes, (end - first) * this.#entryBytes)
      out.set(bytes, (start - index) * this.#entryBytes)
    }
  }
}

/** The ranges of set entries. */
function* runs(isSet: Uint8Array): IterableIterator<readonly [from: number, to: number]> {
  for (let from = isSet.indexOf(1); from >= 0;) {
    const end = isSet.indexOf(0, from)
    const to = end < 0 ? isSet.length : end
    yield [from, to]
    from = isSet.indexOf(1, to)
  }
}

const pageBytes = 16 * 1024
/** Pages that are kept when single entries of them were read. */
const keptPages = 32
/** How many times the mark may wait. */
const bufferedMax = 16
