import { Worker } from 'node:worker_threads'
import { PlaitError } from '../../base/error.ts'
import type { FilePlacer, FreshFile, Placement } from './fresh-files.ts'

/** Beside the source there is source, beside what was built there is what was built. */
const program = new URL(`./file-thread-program${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url)

/** Files to be placed, their bytes one after the other. */
export interface PlaceJob {
  readonly files: readonly (Omit<FreshFile, 'bytes'> & { readonly length: number })[]
  readonly bytes: Uint8Array
  readonly isSynced: boolean
}

const slabBytes = 4 * 1024 * 1024

interface Waiting {
  resolve(placements: readonly Placement[]): void
  reject(reason: unknown): void
}

/**
 * Places files in a thread of its own, one job after the other: many calls of the system that each take microseconds, and some that wait
 * for the disk. It starts with the first job, and keeps no process alive while it has none.
 */
export class FileThread implements FilePlacer {
  #worker: Worker | undefined
  /** Bytes of the job that is being done, where both threads see them: fresh memory for each would cost more than to fill it. */
  #slab: Uint8Array | undefined
  #waiting: Waiting[] = []
  #isClosed = false

  async place(files: readonly FreshFile[], isSynced: boolean): Promise<readonly Placement[]> {
    if (this.#isClosed) throw closed()
    const job = jobOf(files, isSynced, this.#placeFor(files))
    const worker = (this.#worker ??= this.#start())
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      worker.ref()
      worker.postMessage(job, [])
    })
  }

  /** What it was at is done first. */
  async close(): Promise<void> {
    this.#isClosed = true
    while (this.#waiting.length > 0)
      await new Promise<void>((resolve) => this.#worker?.once('message', () => resolve()))
    await this.#worker?.terminate()
    this.#worker = undefined
  }

  #placeFor(files: readonly FreshFile[]): Uint8Array {
    const length = files.reduce((sum, { bytes }) => sum + bytes.length, 0)
    if (length > slabBytes || this.#waiting.length > 0) return new Uint8Array(new SharedArrayBuffer(length))
    this.#slab ??= new Uint8Array(new SharedArrayBuffer(slabBytes))
    return this.#slab.subarray(0, length)
  }

  #start(): Worker {
    // Flags of this process may be of no use to a thread, and those that tests run with are.
    const worker = new Worker(program, { execArgv: [], name: 'plait files' })
    worker.on('message', (placements: readonly Placement[]) => {
      this.#waiting.shift()?.resolve(placements)
      if (this.#waiting.length === 0) worker.unref()
    })
    let reason: unknown = closed()
    worker.on(
      'error',
      (error) => (reason = new PlaitError('FILE_FAILED', 'the thread that writes files has failed', { cause: error })),
    )
    worker.on('exit', () => {
      if (this.#worker === worker) this.#worker = undefined
      for (const waiting of this.#waiting.splice(0)) waiting.reject(reason)
    })
    return worker
  }
}

function jobOf(files: readonly FreshFile[], isSynced: boolean, all: Uint8Array): PlaceJob {
  let offset = 0
  const described = files.map(({ bytes, temp, place, mode, mtimeNs }) => {
    all.set(bytes, offset)
    offset += bytes.length
    return { temp, place, mode, mtimeNs, length: bytes.length }
  })
  return { files: described, bytes: all, isSynced }
}

function closed(): PlaitError {
  return new PlaitError('ABORTED', 'the drive was closed while files were written')
}
