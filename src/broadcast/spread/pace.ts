import type { NodeId } from '../../identity/node-id.ts'

interface Answer {
  readonly ticket: number
  readonly at: number
  readonly tookMs: number
}

/** So much longer than last time an answer may take. */
const slack = 3

/** How quickly others answer, and who has fallen behind. */
export class Pace {
  readonly #answerById = new Map<NodeId, Answer>()
  readonly #behind = new Set<NodeId>()

  /** Whether it owes an answer for longer than others are to wait for it. */
  isBehind(id: NodeId): boolean {
    return this.#behind.has(id)
  }

  fallBehind(id: NodeId): void {
    this.#behind.add(id)
  }

  noteAnswer(id: NodeId, ticket: number, sentAt: number, now: number): void {
    this.#behind.delete(id)
    this.#answerById.set(id, { ticket, at: now, tookMs: now - sentAt })
  }

  forget(id: NodeId): void {
    this.#answerById.delete(id)
    this.#behind.delete(id)
  }

  /** How long to wait for an answer of it: at least so long, and as long as it takes it at the time. */
  patienceMs(id: NodeId, leastMs: number): number {
    return Math.max(leastMs, slack * (this.#answerById.get(id)?.tookMs ?? 0))
  }

  /**
   * When it has last answered to what was sent before this, if that was after this was sent: then it only has not come to this yet. What
   * is sent to one arrives in order, and much of it may be under way.
   */
  progressAt(id: NodeId, ticket: number, sentAt: number): number | undefined {
    const answer = this.#answerById.get(id)
    return answer === undefined || answer.ticket >= ticket || answer.at < sentAt ? undefined : answer.at
  }
}
