import {
  fchmodSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  type BigIntStats,
} from 'node:fs'
import type { Directory } from '../disk/directory.ts'
import { DirectoryTree } from '../disk/directory-tree.ts'
import { systemCode } from '../disk/file-error.ts'
import { setFileTime, setLinkTime } from '../disk/file-times.ts'
import { SourceFile } from '../disk/source-file.ts'
import type { FilePlacer } from '../disk/fresh-files.ts'
import type { TempFile } from '../disk/temp-file.ts'
import type { Action, Expected } from '../plan/action.ts'
import { isAside } from '../plan/item.ts'
import { baseName, parentPath } from '../tree-path.ts'
import type { Version } from '../version.ts'
import type { DiskFacts } from './disk-entry.ts'
import type { HeldEntry, HistoryReason } from './history.ts'
import type { PlaitFolder } from './plait-folder.ts'
import { factsOf } from './walk.ts'

/** A file and what is to be in it. */
export interface SmallFile {
  readonly path: string
  readonly item: { readonly version: Version }
  readonly bytes: Uint8Array
}

/** Thrown when something else is at a path than is expected: nothing was changed. */
export class Unexpected extends Error {}

/**
 * Carries out single actions in the folder: each as a whole or not at all, and with the names in open directories, so that nothing outside
 * is touched whatever others do to the folder meanwhile. Methods throw `Unexpected` or errors of the system.
 */
export class Applier {
  readonly #folder: PlaitFolder
  readonly #tree: DirectoryTree
  readonly #touched = new Set<string>()
  /** Directories that were made writable for what is to be done in them. */
  readonly #modes = new Map<string, number>()

  constructor(folder: PlaitFolder) {
    this.#folder = folder
    this.#tree = new DirectoryTree(folder.root)
  }

  /** All but writing a file. Returns what is at the path now; what is deleted goes to the history, with `why`. */
  carryOut(action: Exclude<Action, { readonly kind: 'write' }>, why: HistoryReason): DiskFacts | undefined {
    switch (action.kind) {
      case 'directory':
        return this.#in(action.path, (parent, name) => {
          if (statsAt(parent, name) !== undefined) throw new Unexpected(action.path)
          mkdirSync(parent.at(name), 0o700)
          return present(parent, name)
        })
      case 'move':
        return this.#move(action.from, action.path, action.expected)
      case 'facts':
        return this.#setFacts(action.path, action.item.version, action.expected)
      case 'agree':
      case 'adopt':
        return this.#in(action.path, (parent, name) => expectAt(parent, name, action.expected))
      case 'delete':
        return this.#delete(action.path, action.expected, why)
    }
  }

  /** Puts a file that was written elsewhere in its place. */
  place(temp: TempFile, path: string, version: Version, expected: Expected, why: HistoryReason): DiskFacts {
    return this.#in(path, (parent, name) => {
      expectAt(parent, name, expected)
      if (expected === undefined) {
        placeFresh(temp, version, parent, name)
        return present(parent, name)
      }
      const held = this.#folder.history.keep(parent, name, { path, why })
      temp.place(version, parent, name)
      this.#keepLateEdit(held, expected, parent, name)
      return present(parent, name)
    })
  }

  /**
   * Puts small files where nothing is. Returns what is there then, in their order; undefined for what is to be done by itself: something is
   * there, or nothing can be put there.
   */
  async placeAll(
    files: readonly SmallFile[],
    placer: FilePlacer,
    isSynced: boolean,
  ): Promise<readonly (DiskFacts | undefined)[]> {
    const openByPath = new Map<string, Directory>()
    try {
      const fresh = files.map(({ path, item, bytes }) => {
        const parent = this.#openFor(parentPath(path), openByPath)
        const { mode, mtimeNs } = item.version
        const temp = this.#folder.temp.at(this.#folder.tempName())
        return parent && { temp, place: parent.at(baseName(path)), bytes, mode, mtimeNs }
      })
      const placements = await placer.place(
        fresh.filter((file) => file !== undefined),
        isSynced,
      )
      let next = 0
      return fresh.map((file) => {
        const placement = file && placements[next++]
        return placement === undefined || 'code' in placement ? undefined : { kind: 'file', ...placement }
      })
    } finally {
      for (const directory of openByPath.values()) directory.close()
    }
  }

  /** Open until the caller closes it: the tree keeps few open. */
  #openFor(path: string, openByPath: Map<string, Directory>): Directory | undefined {
    this.#touched.add(path)
    if (path === '') return this.#folder.root
    try {
      const known = openByPath.get(path) ?? this.#open(parentPath(path)).open(baseName(path))
      openByPath.set(path, known)
      return known
    } catch {
      return undefined
    }
  }

  /** Makes a symbolic link elsewhere and puts it in its place. */
  placeLink(path: string, version: Version, expected: Expected, why: HistoryReason): DiskFacts {
    return this.#in(path, (parent, name) => {
      expectAt(parent, name, expected)
      if (expected === undefined) {
        symlinkSync(version.target, parent.at(name))
        setLinkTime(parent.at(name), version.mtimeNs)
        return present(parent, name)
      }
      const temp = this.#folder.temp.at(this.#folder.tempName())
      symlinkSync(version.target, temp)
      setLinkTime(temp, version.mtimeNs)
      this.#folder.history.take(parent, name, { path, why })
      renameSync(temp, parent.at(name))
      return present(parent, name)
    })
  }

  /** Syncs the directories in which something was done, and gives back their modes to those that were made writable. */
  finish(isSynced: boolean): void {
    for (const [path, mode] of this.#modes) this.#quietly(path, (directory) => fchmodSync(directory.fd, mode))
    this.#modes.clear()
    if (isSynced) for (const path of this.#touched) this.#quietly(path, (directory) => fsyncSync(directory.fd))
    this.#touched.clear()
    this.#tree.clear()
  }

  #move(from: string, path: string, expected: DiskFacts): DiskFacts {
    const source = this.#open(parentPath(from))
    expectAt(source, baseName(from), expected)
    const directory = this.#open(parentPath(path))
    // The tree keeps few directories open: the first may be closed by now.
    const before = this.#open(parentPath(from))
    const there = statsAt(directory, baseName(path))
    // Where names are folded the new spelling leads to the thing itself.
    const isItself = this.#folder.foldsNames && there?.ino === expected.inode
    if (there !== undefined && !isItself) throw new Unexpected(path)
    this.#writable(parentPath(from), before, () =>
      this.#writable(parentPath(path), directory, () =>
        renameSync(before.at(baseName(from)), directory.at(baseName(path))),
      ),
    )
    const facts = present(directory, baseName(path))
    // Paths below it lead elsewhere now.
    if (expected.kind === 'directory') this.#tree.clear()
    return facts
  }

  #setFacts(path: string, version: Version, expected: DiskFacts): DiskFacts {
    return this.#in(path, (parent, name) => {
      if (expected.kind === 'directory') {
        if (expected.inode !== 0n) expectAt(parent, name, expected)
        const directory = this.#tree.open(path)
        fchmodSync(directory.fd, version.mode)
        setFileTime(directory.fd, version.mtimeNs)
        this.#modes.delete(path)
        return factsOf(lstatSync(directory.self, { bigint: true }), 'directory')
      }
      expectAt(parent, name, expected)
      const file = SourceFile.open(parent, name)
      try {
        file.adjust(version)
      } finally {
        file.close()
      }
      return present(parent, name)
    })
  }

  #delete(path: string, expected: DiskFacts, why: HistoryReason): undefined {
    return this.#in(path, (parent, name) => {
      expectAt(parent, name, expected)
      if (expected.kind === 'directory') return this.#deleteDirectory(path, name)
      const held = this.#folder.history.take(parent, name, { path, why })
      const taken = lstatSync(held.at, { bigint: true })
      if (taken.ino === expected.inode && taken.mtimeNs === expected.mtimeNs) return undefined
      // Something else was put there just now: it goes back, and stays here as well.
      linkSync(held.at, parent.at(name))
      throw new Unexpected(path)
    })
  }

  /** With what is in it that is not part of the drive it stays; where nobody would look for it that goes to the history. */
  #deleteDirectory(path: string, name: string): undefined {
    this.#tree.clear()
    const directory = this.#open(parentPath(path))
    const isFull = readdirSync(directory.at(name)).length > 0
    if (isFull && isAside(path)) {
      this.#folder.history.take(directory, name, { path, why: 'stray' })
      return undefined
    }
    if (isFull) throw new Unexpected(path)
    rmdirSync(directory.at(name))
    return undefined
  }

  /** What was written to the old file while the new one took its place stands beside it. */
  #keepLateEdit(held: HeldEntry, expected: DiskFacts, parent: Directory, name: string): void {
    const stats = lstatSync(held.at, { bigint: true })
    if (stats.mtimeNs === expected.mtimeNs && Number(stats.size) === expected.size) return
    for (let count = 1; count < 100; count += 1) {
      try {
        return linkSync(held.at, parent.at(`${name} (edited meanwhile${count === 1 ? '' : ` ${count}`})`))
      } catch (error) {
        if (systemCode(error) !== 'EEXIST') throw error
      }
    }
  }

  #in<Result>(path: string, work: (parent: Directory, name: string) => Result): Result {
    const parent = this.#open(parentPath(path))
    return this.#writable(parentPath(path), parent, () => work(parent, baseName(path)))
  }

  /** A directory that its owner may not write to is made writable for a while. */
  #writable<Result>(path: string, directory: Directory, work: () => Result): Result {
    this.#touched.add(path)
    try {
      return work()
    } catch (error) {
      if (systemCode(error) !== 'EACCES' || path === '' || this.#modes.has(path)) throw error
      const mode = Number(lstatSync(directory.self, { bigint: true }).mode) & 0o7777
      fchmodSync(directory.fd, mode | 0o700)
      this.#modes.set(path, mode)
      return work()
    }
  }

  #open(path: string): Directory {
    return this.#tree.open(path)
  }

  #quietly(path: string, work: (directory: Directory) => void): void {
    try {
      work(this.#open(path))
    } catch {
      // It is gone or elsewhere; what was done in it is looked at by the next scan.
    }
  }
}

function placeFresh(temp: TempFile, version: Version, parent: Directory, name: string): void {
  try {
    temp.placeFresh(version, parent, name)
  } catch (error) {
    if (systemCode(error) === 'EEXIST') throw new Unexpected(name)
    throw error
  }
}

function present(parent: Directory, name: string): DiskFacts {
  const stats = lstatSync(parent.at(name), { bigint: true })
  return factsOf(stats, kindOf(stats) ?? 'file')
}

function statsAt(parent: Directory, name: string): BigIntStats | undefined {
  return lstatSync(parent.at(name), { bigint: true, throwIfNoEntry: false })
}

/** Returns what is there if it is what is expected. */
function expectAt(parent: Directory, name: string, expected: Expected): DiskFacts | undefined {
  const stats = statsAt(parent, name)
  if (stats === undefined && expected === undefined) return undefined
  const kind = stats === undefined ? undefined : kindOf(stats)
  if (stats === undefined || expected === undefined || kind !== expected.kind) throw new Unexpected(name)
  const facts = factsOf(stats, kind)
  if (facts.inode !== expected.inode || facts.mode !== expected.mode) throw new Unexpected(name)
  if (kind === 'directory') return facts
  const isTouched = expected.ctimeNs !== 0n && facts.ctimeNs !== expected.ctimeNs
  if (isTouched || facts.size !== expected.size || facts.mtimeNs !== expected.mtimeNs) throw new Unexpected(name)
  return facts
}

function kindOf(stats: BigIntStats): DiskFacts['kind'] | undefined {
  if (stats.isFile()) return 'file'
  if (stats.isDirectory()) return 'directory'
  return stats.isSymbolicLink() ? 'link' : undefined
}
