import { closeSync, constants, fstatSync, openSync } from 'node:fs'
import { TurnShare } from '../../../feed/turn-share.ts'
import type { Runtime } from '../../../runtime/runtime.ts'
import { fileError } from '../../disk/file-error.ts'
import { isOneChunk } from '../chunker.ts'
import { DigestPool } from './digest-pool.ts'
import { readChunk } from './file-content.ts'
import type { FileContent } from './file-content.ts'
import { factsOf, sameFacts } from './file-facts.ts'
import type { FileFacts } from './file-facts.ts'

/** A file to be read. */
export interface DigestSource {
  /** For people. */
  readonly path: string
  /** What is opened: a name in an open directory (`Directory.at`), as a rule. No link is followed at its end. */
  readonly place: string
}

export type DigestResult =
  /** What was in the file, and what the system said of it before and after. */
  | {
      readonly kind: 'content'
      readonly content: FileContent
      readonly facts: FileFacts
      /**
       * False when its last change was so short before that the next one might have the same time: then the facts do not tell the two
       * apart, and the file has to be read again.
       */
      readonly isSettled: boolean
    }
  /** It was written to whenever it was read. */
  | { readonly kind: 'changing' }

export interface DigestOptions {
  readonly signal?: AbortSignal
  /** Bytes of a large file that have been read so far, now and then; from the beginning again when it has changed. */
  readonly progress?: (bytes: number) => void
}

/** The clock of file times ticks every 1 to 10 ms. */
const unsettledMs = 30
/** A file that is written to all the time is left for later. */
const attemptsMax = 3

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants

/** Finds what files hold: cuts and hashes them, small ones here, large ones in threads of its own. */
export class ContentDigester {
  readonly #clock: Runtime['clock']
  readonly #share: TurnShare
  readonly #pool: DigestPool

  /** One worker leaves the second core of a small machine to everything else. */
  constructor(runtime: Pick<Runtime, 'clock' | 'timers'>, { workers = 1 }: { readonly workers?: number } = {}) {
    this.#clock = runtime.clock
    this.#share = new TurnShare(runtime)
    this.#pool = new DigestPool(workers)
  }

  /**
   * The content of a regular file, as it was at one time: size, times and inode were the same before and after. Rejects with
   * `FILE_FAILED`, and with the signal's reason.
   */
  async digest(source: DigestSource, options: DigestOptions = {}): Promise<DigestResult> {
    try {
      for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
        const result = await this.#attempt(source, options)
        if (result !== undefined) return result
      }
      return { kind: 'changing' }
    } catch (error) {
      options.signal?.throwIfAborted()
      throw fileError(error, source.path)
    }
  }

  /**
   * What an open file holds in its first `size` bytes; undefined when it is shorter. Whoever has opened it sees whether it stays as it is.
   * Rejects with errors of the system, and with the signal's reason.
   */
  async read(descriptor: number, size: number, options: DigestOptions = {}): Promise<FileContent | undefined> {
    const { signal, progress } = options
    return isOneChunk(size) ? readChunk(descriptor, size) : this.#pool.read(descriptor, size, { signal, progress })
  }

  /** Idempotent. */
  close(): Promise<void> {
    return this.#pool.close()
  }

  async #attempt({ place }: DigestSource, { signal, progress }: DigestOptions): Promise<DigestResult | undefined> {
    // What is read here is read in one turn: others have theirs now and then.
    while (this.#share.isUsed) await this.#share.nextTurn()
    signal?.throwIfAborted()
    const fd = openSync(place, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
    try {
      const facts = regularFacts(fd)
      const isSettled = this.#isSettled(facts)
      const { size } = facts
      const content = isOneChunk(size) ? readChunk(fd, size) : await this.#pool.read(fd, size, { signal, progress })
      if (content === undefined || !sameFacts(facts, regularFacts(fd))) return undefined
      return { kind: 'content', content, facts, isSettled }
    } finally {
      closeSync(fd)
    }
  }

  #isSettled({ ctimeNs }: FileFacts): boolean {
    const ageMs = this.#clock.wallMs() - Number(ctimeNs / 1_000n) / 1_000
    return ageMs > unsettledMs || ageMs < -unsettledMs
  }
}

function regularFacts(fd: number): FileFacts {
  const stats = fstatSync(fd, { bigint: true })
  if (!stats.isFile()) throw Object.assign(new Error('not a regular file'), { code: 'ENXIO' })
  return factsOf(stats)
}
