import type { Timer, Timers } from '../../runtime/timers.ts'

/** A file that is open for reading; `DiskFile` is one. */
export interface ReadableFile {
  /** Up to `length` bytes from `offset` on, fewer at the end of the file; the caller's. */
  read(offset: number, length: number): Promise<Uint8Array>
  close(): Promise<void>
}

/** The way to the files of a folder. */
export interface FileDoor {
  /** Rejects with a `PlaitError` when there is no regular file that may be read. Follows no link. */
  open(path: string): Promise<ReadableFile>
}

interface OpenFile {
  readonly path: string
  readonly file: Promise<ReadableFile>
  users: number
  /** Closed when nobody uses it any more. */
  isDropped: boolean
}

/** Files that stay open for a moment, because chunks of one file are asked for one after the other. */
export class OpenFiles {
  readonly #door: FileDoor
  readonly #timers: Timers
  readonly #max: number
  readonly #idleMs: number
  /** The one used last is the last. */
  readonly #openByPath = new Map<string, OpenFile>()
  #idle: Timer | undefined

  /** No more than `max` stay open unused, none for much longer than `idleMs`: a file that is removed keeps its space until it is closed. */
  constructor(
    door: FileDoor,
    timers: Timers,
    { max = 16, idleMs = 1_000 }: { readonly max?: number; readonly idleMs?: number } = {},
  ) {
    this.#door = door
    this.#timers = timers
    this.#max = max
    this.#idleMs = idleMs
  }

  /** Rejects with what the door or `work` reject with; the file is then opened anew the next time. */
  async use<Result>(path: string, work: (file: ReadableFile) => Promise<Result>): Promise<Result> {
    const open = this.#take(path)
    try {
      return await work(await open.file)
    } catch (error) {
      this.#drop(open)
      throw error
    } finally {
      open.users -= 1
      if (open.users === 0) this.#rest(open)
    }
  }

  /** Another file may have that name by now. */
  forget(path: string): void {
    const open = this.#openByPath.get(path)
    if (open !== undefined) this.#drop(open)
  }

  /** Closes what nobody uses, and the others when they are done. More may be opened afterwards. */
  close(): void {
    this.#idle?.cancel()
    this.#idle = undefined
    for (const open of this.#openByPath.values()) this.#drop(open)
  }

  #take(path: string): OpenFile {
    const known = this.#openByPath.get(path)
    const open = known ?? { path, file: this.#door.open(path), users: 0, isDropped: false }
    open.users += 1
    this.#openByPath.delete(path)
    this.#openByPath.set(path, open)
    return open
  }

  /** Nobody uses it at the moment. */
  #rest(open: OpenFile): void {
    if (open.isDropped) return closeFile(open)
    for (const oldest of this.#openByPath.values()) {
      if (this.#openByPath.size <= this.#max) break
      if (oldest.users === 0) this.#drop(oldest)
    }
    this.#arm()
  }

  #arm(): void {
    if (this.#openByPath.size === 0) return
    const before = new Set(this.#openByPath.values())
    this.#idle ??= this.#timers.after(this.#idleMs, () => this.#closeIdle(before), { background: true })
  }

  /** Closes those that were open a while ago and are not in use; the rest has another while. */
  #closeIdle(before: ReadonlySet<OpenFile>): void {
    this.#idle = undefined
    for (const open of before) if (open.users === 0) this.#drop(open)
    this.#arm()
  }

  #drop(open: OpenFile): void {
    if (open.isDropped) return
    open.isDropped = true
    this.#openByPath.delete(open.path)
    if (open.users === 0) closeFile(open)
  }
}

/** What cannot be closed was only read from. */
function closeFile({ file }: OpenFile): void {
  file.then((one) => one.close()).catch(() => undefined)
}
