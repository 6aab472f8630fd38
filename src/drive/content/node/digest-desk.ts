import { Queue } from '../../../base/queue.ts'
import { systemTimers } from '../../../runtime/system/timers.ts'
import type { DigestAnswer, DigestJob } from './digest-job.ts'
import { ContentReading, readingBytes } from './file-content.ts'

/** What is read of a file in one turn; a file that is no larger is read whole. */
const turnBytes = 8 * 1024 * 1024
/** Progress is told once in so many bytes: for a person, not for a program. */
const progressBytes = 16 * 1024 * 1024

/** The large file that is being read, with what has been told of it. */
interface Begun {
  readonly job: DigestJob
  readonly reading: ContentReading
  told: number
}

/**
 * What a worker has on its desk: files of a few MiB, and large ones, one of which at a time is read a piece in each turn. So a file that
 * was just saved does not wait for the film beside it.
 */
export class DigestDesk {
  readonly #answer: (answer: DigestAnswer) => void
  readonly #small = new Queue<DigestJob>()
  readonly #large = new Queue<DigestJob>()
  readonly #smallBuffer = new Uint8Array(readingBytes)
  readonly #largeBuffer = new Uint8Array(readingBytes)
  #begun: Begun | undefined
  #isBusy = false

  constructor(answer: (answer: DigestAnswer) => void) {
    this.#answer = answer
  }

  take(job: DigestJob): void {
    const queue = job.size <= turnBytes ? this.#small : this.#large
    queue.push(job)
    if (this.#isBusy) return
    this.#isBusy = true
    systemTimers.endOfTurn(this.#turn)
  }

  readonly #turn = (): void => {
    const small = this.#small.shift()
    if (small !== undefined) this.#readOn({ job: small, reading: readingOf(small, this.#smallBuffer), told: 0 })
    this.#dropEnded()
    const large = this.#begun?.job ?? this.#large.shift()
    if (large !== undefined) {
      const begun = this.#begun ?? { job: large, reading: readingOf(large, this.#largeBuffer), told: 0 }
      this.#begun = this.#readOn(begun) ? begun : undefined
    }
    this.#isBusy = this.#begun !== undefined || this.#small.length + this.#large.length > 0
    if (this.#isBusy) systemTimers.endOfTurn(this.#turn)
  }

  /** Nobody waits for them any more, so that nobody waits for what is before them either. */
  #dropEnded(): void {
    for (const job of [...this.#large]) {
      if (Atomics.load(job.ended, 0) === 0) continue
      this.#large.remove(job)
      this.#answer({ id: job.id, kind: 'done', content: undefined })
    }
  }

  /** Reads for one turn, and answers when it is the last one: true when it was not. */
  #readOn(begun: Begun): boolean {
    const { id, ended } = begun.job
    const { reading } = begun
    try {
      const end = reading.offset + turnBytes
      while (!reading.isDone && reading.offset < end) {
        if (Atomics.load(ended, 0) !== 0 || !reading.step()) {
          this.#answer({ id, kind: 'done', content: undefined })
          return false
        }
      }
      if (reading.offset - begun.told >= progressBytes) {
        begun.told = reading.offset
        this.#answer({ id, kind: 'progress', bytes: reading.offset })
      }
      if (reading.isDone) this.#answer({ id, kind: 'done', content: reading.finish() })
      return !reading.isDone
    } catch (error) {
      const { code, message } = error as Error & { code?: unknown }
      this.#answer({ id, kind: 'failed', code: typeof code === 'string' ? code : '', message })
      return false
    }
  }
}

function readingOf({ fd, size }: DigestJob, buffer: Uint8Array): ContentReading {
  return new ContentReading(fd, size, buffer)
}
