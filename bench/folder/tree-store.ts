import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { join } from 'node:path'
import { treeKinds, type TreeName } from './tree.ts'

/** What statfs says of memory that is a file system. */
const memoryTypes = new Set([0x01021994, 0x858458f6])

/** A folder in memory for one run of the bench, with the trees to copy; it is gone when it is closed. */
export class TreeStore {
  readonly #folder: string
  readonly #treeByName = new Map<string, string>()
  #rooms = 0

  constructor(parent: string) {
    this.#folder = mkdtempSync(join(parent, 'plait-bench-folder-'))
  }

  get isInMemory(): boolean {
    return memoryTypes.has(statfsSync(this.#folder).type)
  }

  /** A new folder. */
  room(): string {
    const room = join(this.#folder, `room-${this.#rooms++}`)
    mkdirSync(room)
    return room
  }

  /** Puts a copy of a tree where nothing is yet. */
  put(name: TreeName, scale: number, target: string): void {
    execFileSync('cp', ['--archive', this.#tree(name, scale), target])
  }

  /** Lets go of the trees that are kept: the next workload has another one. */
  forget(): void {
    for (const tree of this.#treeByName.values()) this.remove(tree)
    this.#treeByName.clear()
  }

  remove(folder: string): void {
    rmSync(folder, { recursive: true, force: true })
  }

  close(): void {
    this.remove(this.#folder)
  }

  #tree(name: TreeName, scale: number): string {
    const kept = this.#treeByName.get(name)
    if (kept !== undefined) return kept
    const tree = join(this.#folder, name)
    mkdirSync(tree)
    treeKinds[name].make(tree, scale)
    this.#treeByName.set(name, tree)
    return tree
  }
}
