import { Worker } from 'node:worker_threads'
import { PlaitError } from '../../../base/error.ts'
import type { DigestAnswer, DigestJob } from './digest-job.ts'
import type { FileContent } from './file-content.ts'

/** Beside the source there is source, beside what was built there is what was built. */
const program = new URL(`./digest-worker${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url)

interface Waiting {
  readonly job: DigestJob
  readonly progress: ((bytes: number) => void) | undefined
  resolve(content: FileContent | undefined): void
  reject(reason: unknown): void
}

/** One thread and the jobs that it has. */
interface Hand {
  readonly worker: Worker
  readonly waitingById: Map<number, Waiting>
}

/** A few threads that cut and hash large files. They start with the first one, and keep no process alive while they have none. */
export class DigestPool {
  readonly #handsMax: number
  #hands: Hand[] = []
  #nextId = 0
  #isClosed = false

  constructor(workers: number) {
    this.#handsMax = workers
  }

  /**
   * What an open file holds in its first `size` bytes; undefined when it is shorter. Settles not before the worker has done with the
   * descriptor. Rejects with errors of the system, and with the signal's reason.
   */
  async read(
    fd: number,
    size: number,
    options: { readonly signal?: AbortSignal | undefined; readonly progress?: ((bytes: number) => void) | undefined },
  ): Promise<FileContent | undefined> {
    const { signal, progress } = options
    signal?.throwIfAborted()
    if (this.#isClosed) throw closed()
    const ended = new Int32Array(new SharedArrayBuffer(4))
    const end = (): void => void Atomics.store(ended, 0, 1)
    signal?.addEventListener('abort', end, { once: true })
    try {
      const job = { id: this.#nextId++, fd, size, ended }
      const content = await new Promise<FileContent | undefined>((resolve, reject) =>
        this.#give({ job, progress, resolve, reject }),
      )
      signal?.throwIfAborted()
      return content
    } finally {
      signal?.removeEventListener('abort', end)
    }
  }

  /** Ends the threads: what they were at is rejected with `ABORTED`. */
  async close(): Promise<void> {
    this.#isClosed = true
    const hands = this.#hands
    this.#hands = []
    for (const { waitingById } of hands) for (const { job } of waitingById.values()) Atomics.store(job.ended, 0, 1)
    await Promise.all(hands.map(({ worker }) => worker.terminate()))
  }

  #give(waiting: Waiting): void {
    const hand = this.#leastBusy()
    hand.waitingById.set(waiting.job.id, waiting)
    hand.worker.ref()
    hand.worker.postMessage(waiting.job, [])
  }

  #leastBusy(): Hand {
    const [first, ...others] = this.#hands
    const least = others.reduce<Hand | undefined>(
      (least, hand) => (least === undefined || hand.waitingById.size < least.waitingById.size ? hand : least),
      first,
    )
    if (least !== undefined && (least.waitingById.size === 0 || this.#hands.length >= this.#handsMax)) return least
    return this.#start()
  }

  #start(): Hand {
    // Flags of this process may be of no use to a thread, and those that tests run with are.
    const worker = new Worker(program, { execArgv: [], name: 'plait content' })
    const hand: Hand = { worker, waitingById: new Map() }
    worker.on('message', (answer: DigestAnswer) => settle(hand, answer))
    let reason: unknown = closed()
    worker.on(
      'error',
      (error) => (reason = new PlaitError('FILE_FAILED', 'the thread that reads files has failed', { cause: error })),
    )
    worker.on('exit', () => {
      this.#hands = this.#hands.filter((one) => one !== hand)
      for (const waiting of hand.waitingById.values()) waiting.reject(reason)
      hand.waitingById.clear()
    })
    this.#hands.push(hand)
    return hand
  }
}

function settle({ worker, waitingById }: Hand, answer: DigestAnswer): void {
  const waiting = waitingById.get(answer.id)
  if (waiting === undefined) return
  if (answer.kind === 'progress') return waiting.progress?.(answer.bytes)
  waitingById.delete(answer.id)
  if (waitingById.size === 0) worker.unref()
  if (answer.kind === 'done') waiting.resolve(answer.content)
  else waiting.reject(Object.assign(new Error(answer.message), answer.code !== '' && { code: answer.code }))
}

function closed(): PlaitError {
  return new PlaitError('ABORTED', 'the drive was closed while a file was read')
}
