import {
  fchmodSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  type BigIntStats,
} from 'node:fs'
import { permissionBits, type DirectoryEntry, type FileEntry, type LinkEntry, type VersionFacts } from '../entry.ts'
import { baseName, parentPath, reservedName } from '../tree-path.ts'
import { Directory } from './directory.ts'
import { DirectoryTree } from './directory-tree.ts'
import { fileError, systemCode } from './file-error.ts'
import { sameTime, setFileTime, setLinkTime } from './file-times.ts'
import { SourceFile } from './source-file.ts'
import { TempFile } from './temp-file.ts'

/** How a file that is here compares with an entry. */
export type Comparison = 'same' | 'different' | 'doubtful'

/**
 * The folder that a drive is received into. Every name is reached through open directories, so that nothing outside is
 * touched, whatever others do to the folder meanwhile; every file appears by rename, whole. Methods throw errors of
 * the system unless they say otherwise.
 */
export class Target {
  readonly #root: Directory
  readonly #tree: DirectoryTree
  readonly #temp: Directory
  readonly #made = new Set<string>()
  readonly #directories: DirectoryEntry[] = []
  readonly #fresh: boolean
  #nextTemp = 0

  /**
   * Opens the folder at `path`, which exists; what an earlier run left unfinished is removed. A folder that is not
   * `fresh` is the user's, and keeps its mode. Throws `FILE_FAILED` or `NO_SPACE`.
   */
  constructor(path: string, options: { readonly fresh: boolean }) {
    this.#fresh = options.fresh
    this.#root = Directory.root(path)
    this.#tree = new DirectoryTree(this.#root)
    try {
      this.#temp = openTemp(this.#root)
    } catch (error) {
      this.#root.close()
      throw fileError(error, `${path}/${reservedName}`)
    }
  }

  /** Makes a directory that can be filled, or takes one that is there. */
  directory(entry: DirectoryEntry): void {
    if (entry.path !== '') this.#makeDirectory(entry.path)
    this.#directories.push(entry)
  }

  /** Makes a symbolic link; true when it was there already. */
  link(entry: LinkEntry): boolean {
    const parent = this.#tree.open(parentPath(entry.path))
    const place = parent.at(baseName(entry.path))
    if (this.#stats(entry.path)?.isSymbolicLink() === true && readlinkSync(place) === entry.target) return true
    const temp = this.#temp.at(this.#tempName())
    symlinkSync(entry.target, temp)
    setLinkTime(temp, entry.mtimeNs)
    try {
      renameSync(temp, place)
    } catch (error) {
      unlinkSync(temp)
      throw error
    }
    return false
  }

  /** Whether a file is here already. In doubt (only the time differs) its hash decides. The mode is not compared. */
  compare(entry: FileEntry): Comparison {
    const stats = this.#stats(entry.path)
    if (stats === undefined || !stats.isFile() || stats.size !== BigInt(entry.size)) return 'different'
    return sameTime(stats.mtimeNs, entry.mtimeNs) ? 'same' : 'doubtful'
  }

  /** Opens the file that is here, to hash it. */
  read(path: string): SourceFile {
    return SourceFile.open(this.#tree.open(parentPath(path)), baseName(path))
  }

  /** Gives the file that is here the mode and time of a version with the same content. */
  adjust(path: string, facts: VersionFacts): void {
    const stats = this.#stats(path)
    if (
      stats !== undefined &&
      (Number(stats.mode) & permissionBits) === facts.mode &&
      sameTime(stats.mtimeNs, facts.mtimeNs)
    )
      return
    const file = this.read(path)
    try {
      file.adjust(facts)
    } finally {
      file.close()
    }
  }

  /** Puts a small file in its place, in this turn. */
  place(path: string, facts: VersionFacts, content: Uint8Array): void {
    const temp = this.temp()
    try {
      temp.writeNow(content)
      this.placeTemp(temp, path, facts)
    } catch (error) {
      temp.discardNow()
      throw error
    }
  }

  /** A file to write to; the caller places or discards it. */
  temp(): TempFile {
    return TempFile.create(this.#temp, this.#tempName())
  }

  placeTemp(temp: TempFile, path: string, facts: VersionFacts): void {
    temp.place(facts, this.#tree.open(parentPath(path)), baseName(path))
  }

  /**
   * Gives the directories their modes and times, the deepest first: each yields undefined, or the path and the error
   * of one that could not be given them. When everything is in them, and last.
   */
  *finishDirectories(): Generator<{ readonly path: string; readonly error: unknown } | undefined, void> {
    for (let entry = this.#directories.pop(); entry !== undefined; entry = this.#directories.pop()) {
      try {
        this.#finish(entry)
        yield undefined
      } catch (error) {
        yield { path: entry.path, error }
      }
    }
  }

  /** Idempotent. */
  close(): void {
    this.#tree.clear()
    this.#temp.close()
    this.#root.close()
  }

  #makeDirectory(path: string): void {
    const place = this.#tree.open(parentPath(path)).at(baseName(path))
    try {
      mkdirSync(place, 0o700)
      this.#made.add(path)
      return
    } catch (error) {
      if (systemCode(error) !== 'EEXIST' || !lstatSync(place).isDirectory()) throw error
    }
    const { fd } = this.#tree.open(path)
    const mode = fstatSync(fd).mode & permissionBits
    if ((mode & 0o700) !== 0o700) fchmodSync(fd, mode | 0o700)
  }

  #finish(entry: DirectoryEntry): void {
    const { fd } = this.#tree.open(entry.path)
    const stats = fstatSync(fd, { bigint: true })
    if ((entry.path !== '' || this.#fresh) && (Number(stats.mode) & permissionBits) !== entry.mode)
      fchmodSync(fd, entry.mode)
    if (!sameTime(stats.mtimeNs, entry.mtimeNs)) setFileTime(fd, entry.mtimeNs)
  }

  /** Nothing is looked up in directories that this run has made. */
  #stats(path: string): BigIntStats | undefined {
    const parent = parentPath(path)
    if (this.#made.has(parent)) return undefined
    return lstatSync(this.#tree.open(parent).at(baseName(path)), { bigint: true, throwIfNoEntry: false })
  }

  #tempName(): string {
    this.#nextTemp += 1
    return String(this.#nextTemp)
  }
}

/** `.plait/tmp`, made if need be, and emptied: only one run at a time has the folder. */
function openTemp(root: Directory): Directory {
  const plait = ensureDirectory(root, reservedName)
  try {
    const temp = ensureDirectory(plait, 'tmp')
    for (const name of readdirSync(temp.self)) rmSync(temp.at(name), { recursive: true, force: true })
    return temp
  } finally {
    plait.close()
  }
}

function ensureDirectory(parent: Directory, name: string): Directory {
  try {
    mkdirSync(parent.at(name), 0o700)
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error
  }
  return parent.open(name)
}
