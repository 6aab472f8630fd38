import {
  closeSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  statfsSync,
  statSync,
} from 'node:fs'
import { join } from 'node:path'
import type { Corpus } from './corpus.ts'
import { withEnds } from './end-process.ts'
import type { Source } from './order.ts'

/** What statfs says of memory that is a file system: syncing it costs nothing. */
const memoryTypes = new Set([0x01021994, 0x858458f6])

export interface FilledSource extends Source {
  /** Of the tool that has filled it. */
  readonly version: string
  /** What the disk has given, and what the files hold. */
  readonly allocatedBytes: number
  readonly fileBytes: number
}

/** A folder for one run of the bench, which is gone when it is closed. */
export class BenchFolder {
  readonly #folder: string
  readonly #sourceByName = new Map<string, Promise<FilledSource>>()
  #empties = 0

  constructor(parent: string) {
    this.#folder = mkdtempSync(join(parent, 'plait-bench-feeds-'))
  }

  /** Whether it is in memory instead of on a disk. */
  get isInMemory(): boolean {
    return memoryTypes.has(statfsSync(this.#folder).type)
  }

  /** An empty folder. */
  empty(): string {
    const folder = join(this.#folder, `empty-${this.#empties++}`)
    mkdirSync(folder)
    return folder
  }

  /** A complete feed of this tool, made when it is first asked for. */
  source(tool: string, corpus: Corpus): Promise<FilledSource> {
    const name = `${tool} ${corpus.blocks} ${corpus.blockBytes}`
    const source = this.#sourceByName.get(name) ?? this.#fill(tool, corpus)
    this.#sourceByName.set(name, source)
    return source
  }

  remove(folder: string): void {
    rmSync(folder, { recursive: true, force: true })
  }

  close(): void {
    this.remove(this.#folder)
  }

  async #fill(tool: string, corpus: Corpus): Promise<FilledSource> {
    const folder = this.empty()
    // A MiB at a time, or a thousand blocks.
    const batch = Math.min(1_000, Math.ceil((1024 * 1024) / corpus.blockBytes))
    const { id, version } = await withEnds([tool], async (end) => ({
      ...(await end.ask('about', {})),
      ...(await end.ask('fill', { folder, corpus, batch, inFlight: 2 })),
    }))
    return { folder, id, corpus, version, ...sizeOf(folder) }
  }
}

const blockOfStatBytes = 512

/** Synced first: a file system gives room only when it writes. */
function sizeOf(folder: string): Pick<FilledSource, 'allocatedBytes' | 'fileBytes'> {
  let allocatedBytes = 0
  let fileBytes = 0
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    const file = openSync(path, 'r')
    fsyncSync(file)
    closeSync(file)
    const { blocks, size } = statSync(path)
    allocatedBytes += blocks * blockOfStatBytes
    fileBytes += size
  }
  return { allocatedBytes, fileBytes }
}
