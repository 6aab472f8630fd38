import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Side } from './cable.ts'
import { markedContent, markOf } from './marked-content.ts'

export interface WriterOptions {
  readonly side: Side
  readonly folder: string
  /** Where what is to be put in place is made first; on the same disk. */
  readonly scratch: string
  readonly chance: () => number
}

/** The part of both. */
export const shared = 'both'
const filesMost = 150
const directoriesMost = 10
const smallBytes = 16 * 1024
const largeBytes = 2 * 1024 * 1024
const largeShare = 0.01

/**
 * A user of one end: edits, renames, deletes, makes directories, in a part of the tree that only this end writes to and in
 * one that both write to.
 */
export class Writer {
  /** What must be in this end's own part, by path. */
  readonly own: Map<string, string> = new Map()
  /** Marks that this end has written. */
  readonly written: Set<string> = new Set()
  /** Marks that this end has seen where it wrote or deleted something: nobody wants them any more. */
  readonly replaced: Set<string> = new Set()
  operations = 0
  readonly #options: WriterOptions
  #number = 0

  constructor(options: WriterOptions) {
    this.#options = options
    for (const part of [options.side, shared]) mkdirSync(join(options.folder, part), { recursive: true })
  }

  /** As many files in a part as there will be. */
  fill(part: string): void {
    while (this.#filesIn(part).length < filesMost) this.#write(this.#newPath(part))
  }

  async work(isOver: () => boolean, perSecond: number): Promise<void> {
    while (!isOver()) {
      await sleep((2_000 / perSecond) * this.#options.chance())
      this.#one(this.#options.chance() < 0.6 ? this.#options.side : shared)
    }
  }

  #one(part: string): void {
    const roll = this.#options.chance()
    this.operations += 1
    try {
      const files = this.#filesIn(part)
      if (files.length === 0 || (roll < 0.25 && files.length < filesMost)) this.#write(this.#newPath(part))
      else if (roll < 0.65) this.#write(this.#oneOf(files))
      else if (roll < 0.8) this.#rename(this.#oneOf(files), this.#newPath(part))
      else if (roll < 0.85) this.#renameDirectory(part)
      else if (roll < 0.9) mkdirSync(join(this.#options.folder, dirname(this.#newPath(part))), { recursive: true })
      else this.#delete(this.#oneOf(files))
    } catch (error) {
      // What the other end does comes between.
      const { code = '' } = error as NodeJS.ErrnoException
      if (code === 'ENOTEMPTY' || (part === shared && code === 'ENOENT')) return
      throw error
    }
  }

  /** A save, half of them in place and half by a rename. */
  #write(path: string): void {
    const { folder, scratch, side, chance } = this.#options
    const mark = `${side}-${this.#number++}`
    const bytes = Math.floor((chance() < largeShare ? largeBytes : smallBytes) * chance())
    const content = markedContent(mark, bytes)
    const target = join(folder, path)
    mkdirSync(dirname(target), { recursive: true })
    const isInPlace = chance() < 0.5
    const made = join(scratch, 'made')
    if (!isInPlace) writeFileSync(made, content)
    this.#see(path)
    if (isInPlace) writeFileSync(target, content)
    else renameSync(made, target)
    this.written.add(mark)
    if (this.#isOwn(path)) this.own.set(path, mark)
  }

  #rename(from: string, to: string): void {
    const { folder } = this.#options
    mkdirSync(join(folder, dirname(to)), { recursive: true })
    renameSync(join(folder, from), join(folder, to))
    this.#moved(from, to)
  }

  /** To one of as many names: a folder in which more and more stands is no measure of memory. */
  #renameDirectory(part: string): void {
    const { folder, chance } = this.#options
    const directories = readdirSync(join(folder, part), { withFileTypes: true }).filter((entry) => entry.isDirectory())
    if (directories.length === 0) return
    const from = join(part, this.#oneOf(directories).name)
    const to = join(part, `directory-${directoriesMost + Math.floor(directoriesMost * chance())}`)
    if (existsSync(join(folder, to))) return rmdirSync(join(folder, to))
    renameSync(join(folder, from), join(folder, to))
    for (const path of this.own.keys()) if (path.startsWith(`${from}/`)) this.#moved(path, to + path.slice(from.length))
  }

  #delete(path: string): void {
    this.#see(path)
    rmSync(join(this.#options.folder, path))
    this.own.delete(path)
  }

  #moved(from: string, to: string): void {
    const mark = this.own.get(from)
    if (mark === undefined) return
    this.own.delete(from)
    this.own.set(to, mark)
  }

  /** Whatever stands there is read before it goes. */
  #see(path: string): void {
    const target = join(this.#options.folder, path)
    if (!existsSync(target)) return
    const mark = markOf(readFileSync(target))
    if (mark === undefined) throw new Error(`${path} is torn before it is written to`)
    this.replaced.add(mark)
  }

  #newPath(part: string): string {
    const directory = Math.floor(this.#options.chance() * 12)
    const name = `file-${this.#options.side}-${this.#number++}`
    return directory >= directoriesMost ? join(part, name) : join(part, `directory-${directory}`, name)
  }

  #filesIn(part: string): string[] {
    const folder = join(this.#options.folder, part)
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name).slice(this.#options.folder.length + 1))
  }

  #isOwn(path: string): boolean {
    return path.startsWith(`${this.#options.side}/`)
  }

  #oneOf<Value>(values: readonly Value[]): Value {
    return values[Math.floor(this.#options.chance() * values.length)] as Value
  }
}
