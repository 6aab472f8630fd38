import type { Published } from './order.ts'

/** A process from its start to its end, with what it has published and heard. Times in ms of the clock that all of them share. */
export class Life {
  readonly number: number
  readonly name: string
  /** When it was on its way into the network; never, when it did not come to that. */
  beganMs: number = Infinity
  endedMs: number = Infinity
  readonly published: Published[] = []
  /** What it has heard more than once. */
  readonly twice: string[] = []
  readonly #heard = new Set<string>()

  constructor(number: number, name: string) {
    this.number = number
    this.name = name
  }

  hear(key: string): void {
    if (this.#heard.has(key)) this.twice.push(key)
    this.#heard.add(key)
  }

  hasHeard(key: string): boolean {
    return this.#heard.has(key)
  }
}

/** Who has to hear a message: who lived from so long before it was published until so long after, as its author did. */
const beforeMs = 5_000
const afterMs = 10_000
/** What a process has heard is known to its parent that much later, at most. */
const reportMs = 1_000

export interface LivesVerdict {
  /** Messages that some others had to hear, and pairs of such a message and one of those. */
  readonly messages: number
  readonly deliveries: number
  readonly failures: readonly string[]
}

export function judgeLives(lives: readonly Life[]): LivesVerdict {
  const failures: string[] = []
  let [messages, deliveries] = [0, 0]
  for (const author of lives)
    for (const { number, atMs } of author.published) {
      if (author.endedMs < atMs + afterMs) continue
      messages += 1
      const key = `${author.number}/${number}`
      const owed = lives.filter(
        (life) => life !== author && life.beganMs <= atMs - beforeMs && life.endedMs >= atMs + afterMs + reportMs,
      )
      deliveries += owed.length
      const missing = owed.filter((life) => !life.hasHeard(key))
      if (missing.length > 0)
        failures.push(
          `message ${number} of ${nameOf(author)}, published at ${atMs.toFixed(0)}, has not reached ${missing.map(nameOf).join(', ')}`,
        )
    }
  for (const life of lives)
    if (life.twice.length > 0) failures.push(`${nameOf(life)} has heard ${life.twice.join(', ')} more than once`)
  return { messages, deliveries, failures }
}

function nameOf({ name, number }: Life): string {
  return `${name} (life ${number})`
}
