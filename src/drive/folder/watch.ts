import type { Timer, Timers } from '../../runtime/timers.ts'
import { reservedName } from '../tree-path.ts'
import type { PathRules } from './path-rules.ts'

/** Watches a folder and all in it until it is closed. `tell` is given paths relative to it; `fail` is called when it watches no more. */
export type WatchFolder = (
  folder: string,
  options: {
    /** Relative paths of what is not watched. */
    readonly ignored: readonly string[]
    readonly tell: (paths: readonly string[]) => void
    readonly fail: (error: unknown) => void
  },
) => Promise<{ close(): Promise<void> }>

export interface WatchOptions {
  readonly watch: WatchFolder
  readonly timers: Timers
  readonly rules: PathRules
  /** Called with the paths that have changed, or with undefined when everything has to be looked at. */
  readonly onChange: (paths: ReadonlySet<string> | undefined) => void
  /** A watcher that has failed watches no more; it is to be started again, or the folder scanned now and then. */
  readonly onFailure?: (error: unknown) => void
  /** Quiet before it is told; 10 ms by default. */
  readonly quietMs?: number
  /** It is told at the latest after this, however restless the folder is; 1 s by default. */
  readonly latestMs?: number
}

/** Of more paths than that none is remembered: a scan is cheaper. */
const pathsMax = 1_000

/**
 * Tells that something in a folder has changed, some time after it did. It only says when to scan and where something may be: the scan is
 * the truth, and what the watcher misses the next scan finds.
 */
export class FolderWatch {
  /** Resolves when it watches everywhere, or has failed: what has changed before is not told. */
  readonly ready: Promise<void>
  readonly #options: WatchOptions
  readonly #watcher: ReturnType<WatchFolder>
  #paths: Set<string> | undefined = new Set()
  #quiet: Timer | undefined
  #latest: Timer | undefined
  #isClosed = false

  constructor(folder: string, options: WatchOptions) {
    this.#options = options
    this.#watcher = options.watch(folder, {
      ignored: [reservedName],
      tell: (paths) => {
        for (const path of paths) if (!this.#isIgnored(path)) this.#note(path)
      },
      fail: (error) => this.#fail(error),
    })
    this.ready = this.#watcher.then(
      () => undefined,
      (error: unknown) => this.#fail(error),
    )
  }

  /** Nothing is told any more. Idempotent. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#quiet?.cancel()
    this.#latest?.cancel()
    const watcher = await this.#watcher.catch(() => undefined)
    await watcher?.close()
  }

  #fail(error: unknown): void {
    this.#note(undefined)
    if (!this.#isClosed) this.#options.onFailure?.(error)
  }

  #note(path: string | undefined): void {
    if (this.#isClosed) return
    if (path === undefined || this.#paths === undefined || this.#paths.size >= pathsMax) this.#paths = undefined
    else this.#paths.add(path)
    const { timers, quietMs = 10, latestMs = 1_000 } = this.#options
    this.#quiet?.cancel()
    this.#quiet = timers.after(quietMs, () => this.#tell())
    this.#latest ??= timers.after(latestMs, () => this.#tell())
  }

  #tell(): void {
    this.#quiet?.cancel()
    this.#latest?.cancel()
    this.#quiet = undefined
    this.#latest = undefined
    const paths = this.#paths
    this.#paths = new Set()
    this.#options.onChange(paths)
  }

  #isIgnored(path: string): boolean {
    if (path.split('/')[0]?.toLowerCase() === reservedName) return true
    return this.#options.rules.leavesOut(path, true) && this.#options.rules.leavesOut(path, false)
  }
}
