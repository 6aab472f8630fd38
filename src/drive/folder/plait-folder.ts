import {
  closeSync,
  existsSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
} from 'node:fs'
import { resolve } from 'node:path'
import { PlaitError } from '../../base/error.ts'
import { Directory } from '../disk/directory.ts'
import { fileError, systemCode } from '../disk/file-error.ts'
import { baseName, reservedName } from '../tree-path.ts'
import { asideFolder } from '../plan/item.ts'
import { History } from './history.ts'

/** The folder of a drive and what plait has in it, all open. */
export class PlaitFolder {
  readonly root: Directory
  readonly temp: Directory
  /** Large files that are not whole yet, by their roots: they stay for the next run. */
  readonly parts: Directory
  readonly aside: Directory
  readonly history: History
  readonly #path: string
  #nextTemp = 0

  private constructor(
    path: string,
    root: Directory,
    temp: Directory,
    parts: Directory,
    aside: Directory,
    history: History,
  ) {
    this.#path = path
    this.root = root
    this.temp = temp
    this.parts = parts
    this.aside = aside
    this.history = history
  }

  /**
   * Opens the folder at `path`, which is made when it `isNew` and missing, makes what plait needs in it, and removes what an earlier run
   * has left half written; only one process at a time has the folder. Throws `FILE_FAILED` or `NO_SPACE`.
   */
  static open(
    path: string,
    { wallMs, isNew }: { readonly wallMs: () => number; readonly isNew?: boolean },
  ): PlaitFolder {
    if (isNew === true) makeFolder(path)
    const root = Directory.root(path)
    const opened: Directory[] = [root]
    const inside = (parent: Directory, name: string): Directory => {
      const directory = ensureDirectory(parent, name)
      opened.push(directory)
      return directory
    }
    try {
      const plait = inside(root, reservedName)
      const temp = inside(plait, 'tmp')
      for (const name of readdirSync(temp.self)) rmSync(temp.at(name), { recursive: true, force: true })
      const parts = inside(plait, 'parts')
      const aside = inside(plait, baseName(asideFolder))
      const history = new History(inside(plait, 'history'), wallMs)
      plait.close()
      return new PlaitFolder(resolve(path), root, temp, parts, aside, history)
    } catch (error) {
      for (const directory of opened) directory.close()
      throw unwritable.has(systemCode(error))
        ? cannotBeMarked(error, path)
        : fileError(error, `${path}/${reservedName}`)
    }
  }

  /** Whether this file system takes names for the same that differ in case. */
  get foldsNames(): boolean {
    const name = this.tempName()
    closeSync(openSync(this.temp.at(`${name}a`), 'w', 0o600))
    const folds = existsSync(this.temp.at(`${name}A`))
    rmSync(this.temp.at(`${name}a`))
    return folds
  }

  /** Whether the path still leads to the folder that was opened: not when another disk is mounted there, or none any more. */
  get isInPlace(): boolean {
    try {
      const [there, here] = [statSync(this.#path, { bigint: true }), fstatSync(this.root.fd, { bigint: true })]
      return there.ino === here.ino && there.dev === here.dev
    } catch {
      return false
    }
  }

  /** A name in `temp` that nothing has. */
  tempName(): string {
    this.#nextTemp += 1
    return String(this.#nextTemp)
  }

  /** Removes the parts of files that nobody wants any more. Throws errors of the system. */
  pruneParts(isWanted: (name: string) => boolean): void {
    for (const name of readdirSync(this.parts.self))
      if (!isWanted(name)) rmSync(this.parts.at(name), { recursive: true, force: true })
  }

  /** Idempotent. */
  close(): void {
    this.temp.close()
    this.parts.close()
    this.aside.close()
    this.history.close()
    this.root.close()
  }
}

const unwritable: ReadonlySet<string> = new Set(['EACCES', 'EPERM', 'EROFS'])

function cannotBeMarked(cause: unknown, path: string): PlaitError {
  const why = systemCode(cause) === 'EROFS' ? 'is on a file system that is read-only' : 'may not be written to'
  const message = `${path} ${why}, and plait has to keep ${reservedName}/ in it; make it writable for this user, or share a copy of it`
  return new PlaitError('FILE_FAILED', message, { facts: { path, reason: systemCode(cause) }, cause })
}

function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true })
  } catch (error) {
    throw fileError(error, path)
  }
}

function ensureDirectory(parent: Directory, name: string): Directory {
  try {
    mkdirSync(parent.at(name), 0o700)
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error
    if (!lstatSync(parent.at(name)).isDirectory())
      throw Object.assign(new Error(`${name} is in the way`), { code: 'ENOTDIR' })
  }
  return parent.open(name)
}
