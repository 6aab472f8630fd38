import { PlaitError } from '../../base/error.ts'
import { Queue } from '../../base/queue.ts'
import type { FeedFiles } from './feed-files.ts'

/** What a job may do while it writes. */
export interface RecordSink {
  /** Returns the position of the record. */
  append(kind: number, payload: Uint8Array | readonly Uint8Array[]): number
}

/** Something that a feed has to remember. */
export interface Job {
  /** About how many bytes it will write. */
  readonly bytes: number
  /** What it writes depends on where the feed ends: nothing else goes into its round. */
  readonly isAlone?: boolean
  /** Appends its records. What it throws is its failure alone, and it must not have appended anything then. */
  write(sink: RecordSink): void
  /** What it has written is synced: what follows from it is written to the derived files, and its owner told. */
  written(files: FeedFiles): void | Promise<void>
  failed(error: PlaitError): void
}

export interface RoundHost {
  use<Result>(run: (files: FeedFiles) => Promise<Result>): Promise<Result>
  /** Lets jobs append, in one turn of the event loop, and resolves when all is synced. */
  commit(write: (sink: RecordSink) => void): Promise<void>
  /** What was committed is in the derived files. */
  settled(): void
}

/** A round is at its end when so many bytes are in it. */
const roundBytes = 2 * 1024 * 1024

/**
 * Writes what one feed has to remember, in order: one commit for all that came while the last one ran. What fails takes everything
 * with it that was waiting by then, for that may have been built on it.
 */
export class Rounds {
  readonly #host: RoundHost
  readonly #waiting = new Queue<Job>()
  /** What goes before all that waits, until it is done; and whether that was not tried yet. */
  #owed: Job | undefined
  #isOwedNow = false
  #running: Promise<void> | undefined

  constructor(host: RoundHost) {
    this.#host = host
  }

  add(job: Job): void {
    this.#waiting.push(job)
    this.#running ??= this.#run()
  }

  /**
   * Does something before all that waits, by itself: what is taken back has to be gone from the log before anything follows it. One at a
   * time; when it fails it is tried again before whatever comes next.
   */
  addFirst(job: Job): void {
    this.#owed = job
    this.#isOwedNow = true
    this.#running ??= this.#run()
  }

  /** Resolves when nothing waits; what has failed and is owed is tried once more. */
  async idle(): Promise<void> {
    if (this.#owed !== undefined) this.addFirst(this.#owed)
    while (this.#running !== undefined) await this.#running
  }

  /** Fails whatever has not been begun. What is owed hears of it, too, maybe not for the first time, and stays. */
  fail(error: PlaitError): void {
    this.#owed?.failed(error)
    for (let job = this.#waiting.shift(); job !== undefined; job = this.#waiting.shift()) job.failed(error)
  }

  async #run(): Promise<void> {
    // What else comes in this turn goes along.
    await Promise.resolve()
    while (this.#isOwedNow || this.#waiting.length > 0) {
      this.#isOwedNow = false
      try {
        await this.#host.use((files) => this.#round(files))
      } catch (error) {
        this.fail(PlaitError.from(error, 'FILE_FAILED'))
      }
    }
    this.#running = undefined
  }

  async #round(files: FeedFiles): Promise<void> {
    if (files.isFull) await files.flush()
    const jobs: Job[] = []
    try {
      await this.#host.commit((sink) => this.#write(jobs, sink))
    } catch (error) {
      const failure = PlaitError.from(error, 'FILE_FAILED')
      for (const job of jobs) job.failed(failure)
      throw failure
    }
    if (jobs[0] === this.#owed) this.#owed = undefined
    let isSettled = true
    for (const job of jobs) {
      try {
        await job.written(files)
      } catch (error) {
        // It stands in the log, and is derived from it the next time.
        isSettled = false
        job.failed(PlaitError.from(error, 'FILE_FAILED'))
      }
    }
    if (isSettled) this.#host.settled()
  }

  #write(jobs: Job[], sink: RecordSink): void {
    if (this.#owed !== undefined) {
      jobs.push(this.#owed)
      return this.#owed.write(sink)
    }
    for (let bytes = 0; bytes < roundBytes;) {
      const job = this.#waiting.peek()
      if (job === undefined || (job.isAlone === true && jobs.length > 0)) return
      this.#waiting.shift()
      try {
        job.write(sink)
      } catch (error) {
        job.failed(PlaitError.from(error, 'FILE_FAILED'))
        continue
      }
      jobs.push(job)
      if (job.isAlone === true) return
      bytes += job.bytes
    }
  }
}
