import { encodeHex } from '../base/bytes.ts'
import type { Feed } from '../feed/feed-api.ts'
import type { Random } from '../runtime/random.ts'

/** Extensions of the feed on which contents are exchanged. The payload: 8 bytes, the same in question and answer. */
export const lookQuestion = 'drive.look'
export const lookAnswer = 'drive.looked'
const tokenBytes = 8

/** Asks the connected members to look at their folders now, and looks when they ask. */
export class Looks {
  readonly #feed: Feed
  readonly #random: Random
  readonly #look: () => Promise<unknown>
  /** Who has answered which question. */
  readonly #answersByToken = new Map<string, Set<string>>()
  /** Questions that the look under way does not answer. */
  #asked: Uint8Array[] = []
  #isLooking = false

  constructor(feed: Feed, random: Random, look: () => Promise<unknown>) {
    this.#feed = feed
    this.#random = random
    this.#look = look
    feed.addEventListener('extension', ({ detail: { nodeId, name, payload } }) => {
      if (payload.length !== tokenBytes) return
      if (name === lookAnswer) this.#answersByToken.get(encodeHex(payload))?.add(nodeId)
      if (name === lookQuestion) this.#take(payload.slice())
    })
  }

  /** `until` waits for something. Those that are not there any more are not waited for. */
  async ask(until: (isDone: () => boolean) => Promise<void>): Promise<void> {
    const token = this.#random.bytes(tokenBytes)
    const key = encodeHex(token)
    const answers = new Set<string>()
    this.#answersByToken.set(key, answers)
    const asked = this.#connected()
    try {
      this.#feed.extend(lookQuestion, token)
      await until(() => {
        const connected = this.#connected()
        return asked.every((nodeId) => answers.has(nodeId) || !connected.includes(nodeId))
      })
    } finally {
      this.#answersByToken.delete(key)
    }
  }

  #connected(): readonly string[] {
    return this.#feed.status().peers.map(({ nodeId }) => nodeId)
  }

  /** However many ask meanwhile, there is one look more. */
  #take(token: Uint8Array): void {
    if (this.#asked.length < askedMax) this.#asked.push(token)
    if (!this.#isLooking) void this.#answer()
  }

  async #answer(): Promise<void> {
    this.#isLooking = true
    while (this.#asked.length > 0) {
      const tokens = this.#asked
      this.#asked = []
      await this.#look().catch(() => undefined)
      try {
        for (const token of tokens) this.#feed.extend(lookAnswer, token)
      } catch {
        // It was closed meanwhile.
      }
    }
    this.#isLooking = false
  }
}

const askedMax = 1_024
