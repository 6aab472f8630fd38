import type { Disk } from '../../runtime/disk.ts'
import { synced } from '../../store/log-folder.ts'
import { FeedFiles, feedFilesFolder } from './feed-files.ts'

/** Feeds whose files are open though nobody uses them. */
const idleMax = 32

interface Slot {
  readonly opened: Promise<FeedFiles>
  users: number
}

/** The files of feeds, open while they are used and some time after: a thousand idle feeds hold no file. */
export class FilePool {
  readonly #disk: Disk
  /** The one that was used last is the last. */
  readonly #slots = new Map<number, Slot>()
  readonly #closing = new Map<number, Promise<void>>()
  /** Written to since they were synced. */
  readonly #dirty = new Set<number>()

  constructor(disk: Disk) {
    this.#disk = disk
  }

  /** Runs something with the files of a feed. */
  async use<Result>(number: number, run: (files: FeedFiles) => Result | Promise<Result>): Promise<Result> {
    const slot = await this.#take(number)
    try {
      return await run(await slot.opened)
    } finally {
      slot.users -= 1
      this.#closeIdle()
    }
  }

  /** What is written from now on is part of the next `sync`. */
  touch(number: number): void {
    this.#dirty.add(number)
  }

  /** Makes durable whatever was written before the call. */
  async sync(): Promise<void> {
    const numbers = [...this.#dirty]
    this.#dirty.clear()
    try {
      for (const number of numbers) await this.use(number, (files) => files.sync())
      if (numbers.length > 0) await synced(this.#disk.syncDirectory(feedFilesFolder))
    } catch (error) {
      for (const number of numbers) this.#dirty.add(number)
      throw error
    }
  }

  /** Takes the files of a feed away, which nobody may use any more. */
  async remove(number: number): Promise<void> {
    const slot = this.#slots.get(number)
    this.#slots.delete(number)
    this.#dirty.delete(number)
    await this.#closing.get(number)
    if (slot !== undefined) await slot.opened.then((files) => files.close()).catch(() => {})
    await FeedFiles.remove(this.#disk, number)
  }

  /** Leaves what was not synced. */
  async close(): Promise<void> {
    await Promise.all(this.#closing.values())
    for (const { opened } of this.#slots.values()) await opened.then((files) => files.close()).catch(() => {})
    this.#slots.clear()
  }

  async #take(number: number): Promise<Slot> {
    while (this.#closing.has(number)) await this.#closing.get(number)
    let slot = this.#slots.get(number)
    if (slot === undefined) {
      slot = { opened: FeedFiles.open(this.#disk, number), users: 0 }
      slot.opened.catch(() => this.#slots.delete(number))
    } else this.#slots.delete(number)
    this.#slots.set(number, slot)
    slot.users += 1
    return slot
  }

  #closeIdle(): void {
    let idle = 0
    for (const { users } of this.#slots.values()) if (users === 0) idle += 1
    for (const [number, slot] of this.#slots) {
      if (idle <= idleMax) return
      if (slot.users > 0) continue
      idle -= 1
      this.#slots.delete(number)
      this.#closing.set(number, this.#retire(number, slot))
    }
  }

  /** What cannot be flushed stays open, with what it has to write. */
  async #retire(number: number, slot: Slot): Promise<void> {
    try {
      const files = await slot.opened
      await files.flush()
      await files.close()
    } catch {
      this.#slots.set(number, slot)
    }
    this.#closing.delete(number)
  }
}
