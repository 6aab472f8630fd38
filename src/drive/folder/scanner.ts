import type { Directory } from '../disk/directory.ts'
import { isAside } from '../plan/item.ts'
import { rescan } from './rescan.ts'
import { scanFolder } from './scan.ts'
import type { Scan, ScanOptions, WholeScan } from './scan.ts'

/** More paths than that are not looked at one by one. */
const pathsMax = 1_000

/** Looks at a folder again and again: at everything, or only where something may have changed since the last time. */
export class FolderScanner {
  readonly #root: Directory
  readonly #options: Omit<ScanOptions, 'signal'>
  #last: WholeScan | undefined
  /** Undefined: everything. */
  #noted: Set<string> | undefined

  constructor(root: Directory, options: Omit<ScanOptions, 'signal'>) {
    this.#root = root
    this.#options = options
  }

  /** Something may be another at these paths, or anywhere. */
  note(paths: Iterable<string> | undefined): void {
    if (paths === undefined) this.#noted = undefined
    for (const path of paths ?? []) {
      if (isAside(path) || (this.#noted !== undefined && this.#noted.size >= pathsMax)) this.#noted = undefined
      this.#noted?.add(path)
    }
  }

  /** `isWhole`: at everything, whatever was noted. Rejects as `scanFolder`. */
  async look(isWhole: boolean, signal: AbortSignal): Promise<Scan> {
    const [noted, last] = [this.#noted, this.#last]
    const options = { ...this.#options, signal }
    // What is noted from now on may be missed by this look.
    this.#noted = new Set()
    try {
      const again =
        isWhole || noted === undefined || last === undefined ? undefined : rescan(this.#root, last, noted, options)
      this.#last = (await again) ?? (await scanFolder(this.#root, options))
      return this.#last
    } catch (error) {
      this.#noted = undefined
      throw error
    }
  }
}
