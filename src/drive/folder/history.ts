import {
  appendFileSync,
  closeSync,
  constants,
  copyFileSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  type BigIntStats,
} from 'node:fs'
import type { Directory } from '../disk/directory.ts'
import { systemCode } from '../disk/file-error.ts'
import { withoutLinks } from '../disk/temp-file.ts'
import type { EntryKind } from '../version.ts'

/** Why something is in the history. */
export type HistoryReason = 'replaced' | 'deleted' | 'unpublished' | 'stray'

/** Something that plait has replaced or removed. */
export interface HistoryEntry {
  /** Names it in the history: the day, and a number. */
  readonly id: string
  readonly path: string
  readonly kind: EntryKind
  readonly size: number
  readonly mode: number
  readonly mtimeNs: bigint
  /** Milliseconds since 1970. */
  readonly whenMs: number
  readonly why: HistoryReason
}

export interface HistoryBounds {
  readonly days: number
  readonly bytes: number
}

/** From the top of the folder. */
export const historyFolder = '.plait/history'

const journalName = 'journal'
const dayMs = 24 * 60 * 60 * 1_000

/**
 * What plait has replaced or removed, in `.plait/history`: a folder for each day, numbered files in it, and a journal with a line of JSON
 * for each, written before the file comes. Nothing is copied: a file that goes keeps its place on the disk and gets another name.
 */
export class History {
  readonly #root: Directory
  readonly #wallMs: () => number
  /** Told of each file that comes here, with the path at which it can be read from now on. */
  onHeld: (path: string, heldPath: string) => void = () => undefined
  #day: { readonly name: string; readonly directory: Directory; next: number } | undefined

  /** `root` is the open folder of the history, which is closed with it. */
  constructor(root: Directory, wallMs: () => number) {
    this.#root = root
    this.#wallMs = wallMs
  }

  /** Moves something here. Throws errors of the system. */
  take(directory: Directory, name: string, about: { readonly path: string; readonly why: HistoryReason }): HeldEntry {
    const held = this.#prepare(directory, name, about)
    renameSync(directory.at(name), held.at)
    return held
  }

  /** Gives something a second name here, so that it stays when the first one is given to something else. Throws errors of the system. */
  keep(directory: Directory, name: string, about: { readonly path: string; readonly why: HistoryReason }): HeldEntry {
    const held = this.#prepare(directory, name, about)
    try {
      linkSync(directory.at(name), held.at)
    } catch (error) {
      if (!withoutLinks.has(systemCode(error))) throw error
      copyFileSync(directory.at(name), held.at, constants.COPYFILE_FICLONE)
    }
    return held
  }

  /** The oldest first. What a journal does not tell of, because of a power cut, is under its id. */
  list(): readonly HistoryEntry[] {
    return this.#days().flatMap((day) => this.#entriesOf(day))
  }

  /** Copies a file to a new name in a directory, where nobody sees it before it is whole. Throws errors of the system. */
  copy(id: string, directory: Directory, name: string): void {
    const [day = '', number = ''] = id.split('/')
    if (!/^\d{4,}$/.test(day) || !/^\d+$/.test(number))
      throw Object.assign(new Error(`there is no ${id} in the history`), { code: 'ENOENT' })
    const from = this.#root.open(day)
    try {
      copyFileSync(from.at(number), directory.at(name), constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL)
    } finally {
      from.close()
    }
  }

  /** Removes what is older than some days, and then the oldest until what is left has at most some bytes. Returns how many were removed. */
  prune({ days, bytes }: HistoryBounds): number {
    const entries = this.list()
    const oldestMs = this.#wallMs() - days * dayMs
    let left = entries.reduce((sum, { size }) => sum + size, 0)
    const removed = entries.filter(({ whenMs, size }) => {
      if (whenMs >= oldestMs && left <= bytes) return false
      left -= size
      return true
    })
    for (const { id } of removed) rmSync(this.#root.at(id), { recursive: true, force: true })
    for (const day of this.#days())
      if (readdirSync(this.#root.at(day)).every((name) => name === journalName) && day !== this.#day?.name)
        rmSync(this.#root.at(day), { recursive: true, force: true })
    return removed.length
  }

  /** Idempotent. */
  close(): void {
    this.#day?.directory.close()
    this.#day = undefined
    this.#root.close()
  }

  #prepare(
    directory: Directory,
    name: string,
    about: { readonly path: string; readonly why: HistoryReason },
  ): HeldEntry {
    const stats = lstatSync(directory.at(name), { bigint: true })
    const day = this.#today()
    const number = String(day.next)
    day.next += 1
    const line = { number, ...about, ...described(stats), whenMs: Math.floor(this.#wallMs()) }
    appendFileSync(day.directory.at(journalName), `${JSON.stringify(line)}\n`, { mode: 0o600 })
    this.onHeld(about.path, `${historyFolder}/${day.name}/${number}`)
    return { at: day.directory.at(number), id: `${day.name}/${number}` }
  }

  #today(): { readonly name: string; readonly directory: Directory; next: number } {
    const name = String(Math.max(0, Math.floor(this.#wallMs() / dayMs))).padStart(5, '0')
    if (this.#day?.name === name) return this.#day
    this.#day?.directory.close()
    try {
      mkdirSync(this.#root.at(name), 0o700)
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error
    }
    const directory = this.#root.open(name)
    const numbers = readdirSync(directory.self).map(Number).filter(Number.isSafeInteger)
    return (this.#day = { name, directory, next: Math.max(0, ...numbers) + 1 })
  }

  #days(): readonly string[] {
    return readdirSync(this.#root.self)
      .filter((name) => /^\d{4,}$/.test(name))
      .sort()
  }

  #entriesOf(day: string): readonly HistoryEntry[] {
    const directory = this.#root.open(day)
    try {
      const told = readJournal(directory)
      const numbers = readdirSync(directory.self).filter((name) => /^\d+$/.test(name))
      return numbers
        .sort((left, right) => Number(left) - Number(right))
        .map((number): HistoryEntry => {
          const stats = lstatSync(directory.at(number), { bigint: true })
          const known = told.get(number)
          const { kind, mode, size } = described(stats)
          const path = known?.path ?? `${day}/${number}`
          const [whenMs, why] = [known?.whenMs ?? Number(day) * dayMs, known?.why ?? 'stray']
          return { id: `${day}/${number}`, path, kind, mode, size, mtimeNs: stats.mtimeNs, whenMs, why }
        })
    } finally {
      directory.close()
    }
  }
}

export interface HeldEntry {
  readonly id: string
  /** Good until the next entry. */
  readonly at: string
}

interface JournalLine {
  readonly number: string
  readonly path: string
  readonly whenMs: number
  readonly why: HistoryReason
}

/** A line that was not written whole is passed over. */
function readJournal(directory: Directory): ReadonlyMap<string, JournalLine> {
  const lines = new Map<string, JournalLine>()
  let fd: number | undefined
  try {
    fd = openSync(directory.at(journalName), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    for (const text of readFileSync(fd, 'utf8').split('\n')) {
      const line = parseLine(text)
      if (line !== undefined) lines.set(line.number, line)
    }
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
  return lines
}

function parseLine(text: string): JournalLine | undefined {
  try {
    const { number, path, whenMs, why } = JSON.parse(text) as Partial<JournalLine>
    if (typeof number !== 'string' || typeof path !== 'string' || typeof whenMs !== 'number') return undefined
    const isKnown = why === 'replaced' || why === 'deleted' || why === 'unpublished' || why === 'stray'
    return isKnown ? { number, path, whenMs, why } : undefined
  } catch {
    return undefined
  }
}

function described(stats: BigIntStats): { readonly kind: EntryKind; readonly mode: number; readonly size: number } {
  const kind = stats.isDirectory() ? 'directory' : stats.isSymbolicLink() ? 'link' : 'file'
  return { kind, mode: Number(stats.mode) & 0o777, size: kind === 'file' ? Number(stats.size) : 0 }
}
