import { PlaitError } from '../base/error.ts'
import type { Chunk, ChunkName } from '../feed/chunk-api.ts'
import type { Feed } from '../feed/feed-api.ts'
import type { Runtime } from '../runtime/runtime.ts'

/** How often it is looked whether something has come. */
const lookMs = 1_000
/** So long nothing comes at all until a request is given up; while others come, four times as long. */
const stallMs = 10_000

/** Fetches chunks for as long as somebody gives some: what nobody here has now must not hold up everything else. */
export class PatientFetch {
  readonly #feed: Feed
  readonly #runtime: Pick<Runtime, 'clock' | 'timers'>
  #cameAt = -Infinity

  constructor(feed: Feed, runtime: Pick<Runtime, 'clock' | 'timers'>) {
    this.#feed = feed
    this.#runtime = runtime
  }

  /** As `Feed.chunks`; rejects with `UNREACHABLE` when nobody is connected, or nobody who is gives any. */
  async *chunks(
    wanted: readonly ChunkName[],
    { signal }: { readonly signal: AbortSignal },
  ): AsyncGenerator<Chunk, void> {
    const { clock, timers } = this.#runtime
    const ending = new AbortController()
    const abort = (): void => ending.abort(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    let cameAt = clock.now()
    let isTaking = false
    const look = (): void => {
      const now = clock.now()
      const isAlone = this.#feed.status().peers.length === 0
      const isStalled = !isTaking && now - cameAt > (now - this.#cameAt > stallMs ? stallMs : 4 * stallMs)
      if (isAlone || isStalled) ending.abort(unreachable(isAlone))
      else timer = timers.after(lookMs, look, { background: true })
    }
    let timer = timers.after(lookMs, look, { background: true })
    try {
      if (signal.aborted) throw signal.reason
      if (this.#feed.status().peers.length === 0) throw unreachable(true)
      for await (const chunk of this.#feed.chunks(wanted, { signal: ending.signal, keepsTogether: true })) {
        cameAt = this.#cameAt = clock.now()
        // Whoever takes its time with a chunk does not wait for the next one.
        isTaking = true
        yield chunk
        isTaking = false
        cameAt = clock.now()
      }
    } finally {
      timer.cancel()
      signal.removeEventListener('abort', abort)
    }
  }
}

function unreachable(isAlone: boolean): PlaitError {
  const message = isAlone
    ? 'waits for somebody who has it: nobody is connected'
    : 'waits for somebody who has it: nobody who is connected does'
  return new PlaitError('UNREACHABLE', message, { traced: false })
}
