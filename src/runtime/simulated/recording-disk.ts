import { assert } from '../../base/assert.ts'
import type { Disk, DiskFile } from '../disk.ts'
import { SimulatedDisk } from './disk.ts'

/** A call that has changed something, so that it can be made again on another disk; or what somebody had to say between two calls. */
export type Recorded<Note> =
  | { readonly kind: 'call'; readonly name: string; readonly repeat: (replay: Replay) => Promise<unknown> }
  | { readonly kind: 'note'; readonly note: Note }

/** A disk on which calls are made again, with the files that are open on it by the number that they had when they were recorded. */
export interface Replay {
  readonly disk: SimulatedDisk
  readonly files: Map<number, DiskFile>
}

/** Passes calls on to a simulated disk, and keeps those that succeed and change something, in the order in which they were over. */
export class RecordingDisk<Note> implements Disk {
  readonly recorded: Recorded<Note>[] = []
  readonly #disk: SimulatedDisk
  #opened = 0

  constructor(disk: SimulatedDisk = new SimulatedDisk()) {
    this.#disk = disk
  }

  /** What has happened by now, for whoever looks at a state after a power cut. */
  note(note: Note): void {
    this.recorded.push({ kind: 'note', note })
  }

  async open(path: string, options: { readonly create: boolean }): Promise<DiskFile> {
    const file = await this.#disk.open(path, options)
    const number = (this.#opened += 1)
    this.#record(`open ${path}`, async ({ disk, files }) => files.set(number, await disk.open(path, options)))
    return this.#file(path, file, number)
  }

  list(directory: string): Promise<readonly string[]> {
    return this.#disk.list(directory)
  }

  async makeDirectory(path: string): Promise<void> {
    await this.#disk.makeDirectory(path)
    this.#record(`makeDirectory ${path}`, ({ disk }) => disk.makeDirectory(path))
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#disk.rename(from, to)
    this.#record(`rename ${from} ${to}`, ({ disk }) => disk.rename(from, to))
  }

  async remove(path: string): Promise<void> {
    await this.#disk.remove(path)
    this.#record(`remove ${path}`, ({ disk }) => disk.remove(path))
  }

  async syncDirectory(path: string): Promise<void> {
    await this.#disk.syncDirectory(path)
    this.#record(`syncDirectory ${path}`, ({ disk }) => disk.syncDirectory(path))
  }

  #file(path: string, file: DiskFile, number: number): DiskFile {
    let syncing = false
    const change = async (name: string, call: (file: DiskFile) => Promise<void>): Promise<void> => {
      // A sync that is over is repeated as a whole: what was written meanwhile would look durable, and need not be.
      assert(!syncing, `${path} is changed while it is synced`)
      await call(file)
      this.#record(`${name} ${path}`, ({ files }) => call(files.get(number) as DiskFile))
    }
    return {
      size: () => file.size(),
      read: (offset, length) => file.read(offset, length),
      write: (offset, bytes) => {
        const copy = bytes.slice()
        return change('write', (target) => target.write(offset, copy))
      },
      truncate: (length) => change('truncate', (target) => target.truncate(length)),
      sync: async () => {
        const synced = change('sync', (target) => target.sync())
        syncing = true
        await synced.finally(() => (syncing = false))
      },
      close: () => file.close(),
    }
  }

  #record(name: string, repeat: (replay: Replay) => Promise<unknown>): void {
    this.recorded.push({ kind: 'call', name, repeat })
  }
}
