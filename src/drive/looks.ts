import { encodeHex } from '../base/bytes.ts'
import type { Feed } from '../feed/feed-api.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { Timer } from '../runtime/timers.ts'

export interface LooksOptions {
  /** On which contents are exchanged: all members share it. */
  readonly feed: Pick<Feed, 'addEventListener' | 'extend' | 'status'>
  readonly runtime: Pick<Runtime, 'clock' | 'random' | 'timers'>
  /** Resolves when there was a look from now on, and what has changed is said. */
  readonly look: () => Promise<unknown>
  /** Whether a look that is asked for goes on; not while it waits for somebody else. */
  readonly isLooking: () => boolean
}

/** Extensions of the feed. The payload: 8 bytes, of a question, and the same in what is said of it. */
export const lookQuestion = 'drive.look'
export const lookSign = 'drive.looking'
export const lookAnswer = 'drive.looked'
const tokenBytes = 8

/** Who looks says so again after so long; who says nothing at all for longer is not waited for. */
const signMs = 2_000
const silentMs = 10_000
/** Questions that wait for one look; more are for those who ask again. */
const askedMax = 256

/** Asks the connected members to look at their folders now, and looks when they ask. */
export class Looks {
  readonly #options: LooksOptions
  /** Who has answered which question. */
  readonly #answersByToken = new Map<string, Set<string>>()
  /** When members who look said so last. */
  readonly #signsByNode = new Map<string, number>()
  /** Questions that the look under way does not answer, by themselves. */
  #asked = new Map<string, Uint8Array>()
  #isAnswering = false

  constructor(options: LooksOptions) {
    this.#options = options
    options.feed.addEventListener('extension', ({ detail: { nodeId, name, payload } }) => {
      if (payload.length !== tokenBytes) return
      if (name === lookAnswer) this.#answersByToken.get(encodeHex(payload))?.add(nodeId)
      if (name === lookSign && this.#answersByToken.size > 0) this.#signsByNode.set(nodeId, options.runtime.clock.now())
      if (name === lookQuestion) this.#take(payload.slice())
    })
  }

  /** `until` waits for something. Those that are not there any more, or have not said anything for long, are not waited for. */
  async ask(until: (isDone: () => boolean) => Promise<void>): Promise<void> {
    const { feed, runtime } = this.#options
    const token = runtime.random.bytes(tokenBytes)
    const key = encodeHex(token)
    const answers = new Set<string>()
    this.#answersByToken.set(key, answers)
    const asked = this.#connected()
    const askedAt = runtime.clock.now()
    try {
      feed.extend(lookQuestion, token)
      await until(() => {
        const connected = this.#connected()
        const silentSince = runtime.clock.now() - silentMs
        const isSilent = (nodeId: string): boolean =>
          Math.max(askedAt, this.#signsByNode.get(nodeId) ?? askedAt) < silentSince
        return asked.every((nodeId) => answers.has(nodeId) || !connected.includes(nodeId) || isSilent(nodeId))
      })
    } finally {
      this.#answersByToken.delete(key)
      if (this.#answersByToken.size === 0) this.#signsByNode.clear()
    }
  }

  #connected(): readonly string[] {
    return this.#options.feed.status().peers.map(({ nodeId }) => nodeId)
  }

  /** However many ask meanwhile, there is one look more. */
  #take(token: Uint8Array): void {
    if (this.#asked.size < askedMax) this.#asked.set(encodeHex(token), token)
    if (!this.#isAnswering) void this.#answer()
  }

  async #answer(): Promise<void> {
    const { look } = this.#options
    this.#isAnswering = true
    while (this.#asked.size > 0) {
      const tokens = [...this.#asked.values()]
      this.#asked = new Map()
      const signing = this.#sign(tokens[0] as Uint8Array)
      await look().catch(() => undefined)
      signing.cancel()
      for (const token of tokens) this.#say(lookAnswer, token)
    }
    this.#isAnswering = false
  }

  /** Says now, and again and again, that there is somebody who looks. */
  #sign(token: Uint8Array): Timer {
    const { timers } = this.#options.runtime
    let timer: Timer
    const say = (): void => {
      if (this.#options.isLooking()) this.#say(lookSign, token)
      timer = timers.after(signMs, say, { background: true })
    }
    say()
    return { cancel: () => timer.cancel() }
  }

  #say(name: string, token: Uint8Array): void {
    try {
      this.#options.feed.extend(name, token)
    } catch {
      // It was closed meanwhile.
    }
  }
}
