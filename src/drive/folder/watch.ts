import type { Timer, Timers } from '../../runtime/timers.ts'
import { reservedName } from '../tree-path.ts'
import type { PathRules } from './path-rules.ts'

/** What the package `chokidar` gives for a folder. */
export interface FolderWatcher {
  on(event: 'all', listener: (event: string, path: string) => void): unknown
  on(event: 'error', listener: (error: unknown) => void): unknown
  on(event: 'ready', listener: () => void): unknown
  close(): Promise<void>
}

/** `watch` of the package `chokidar`. */
export type WatchFolder = (
  folder: string,
  options: {
    readonly cwd: string
    readonly ignoreInitial: boolean
    readonly followSymlinks: boolean
    readonly ignored: (path: string) => boolean
  },
) => FolderWatcher

export interface WatchOptions {
  readonly watch: WatchFolder
  readonly timers: Timers
  readonly rules: PathRules
  /** Called with the paths that have changed, or with undefined when everything has to be looked at. */
  readonly onChange: (paths: ReadonlySet<string> | undefined) => void
  /** A watcher that has failed watches no more; it is to be started again, or the folder scanned now and then. */
  readonly onFailure?: (error: unknown) => void
  /** Quiet before it is told; 100 ms by default. */
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
  readonly #options: WatchOptions
  readonly #watcher: FolderWatcher
  #paths: Set<string> | undefined = new Set()
  #quiet: Timer | undefined
  #latest: Timer | undefined
  #isClosed = false

  constructor(folder: string, options: WatchOptions) {
    this.#options = options
    this.#watcher = options.watch(folder, {
      cwd: folder,
      ignoreInitial: true,
      followSymlinks: false,
      ignored: (path) => this.#isIgnored(folder, path),
    })
    this.#watcher.on('all', (_event, path) => this.#note(path))
    // What has changed before it watched everywhere was not seen.
    this.#watcher.on('ready', () => this.#note(undefined))
    this.#watcher.on('error', (error) => {
      this.#note(undefined)
      options.onFailure?.(error)
    })
  }

  /** Nothing is told any more. Idempotent. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#quiet?.cancel()
    this.#latest?.cancel()
    await this.#watcher.close()
  }

  #note(path: string | undefined): void {
    if (this.#isClosed) return
    if (path === undefined || this.#paths === undefined || this.#paths.size >= pathsMax) this.#paths = undefined
    else this.#paths.add(path.replaceAll('\\', '/'))
    const { timers, quietMs = 100, latestMs = 1_000 } = this.#options
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

  /** Relative and absolute paths are asked about. */
  #isIgnored(folder: string, path: string): boolean {
    const relative = path.startsWith(`${folder}/`) ? path.slice(folder.length + 1) : path
    if (relative === '' || relative === folder || relative === '.' || relative.startsWith('/')) return false
    if (relative.split('/')[0]?.toLowerCase() === reservedName) return true
    return this.#options.rules.leavesOut(relative, true) && this.#options.rules.leavesOut(relative, false)
  }
}
