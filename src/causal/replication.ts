import type { PlaitError } from '../base/error.ts'
import type { NodeId } from '../identity/node-id.ts'
import { Queue } from '../base/queue.ts'

/** Where an operation has to be durable before `publish` resolves: here, at one other member, at most of all, at all. */
export type ReplicationLevel = 'local' | 'one' | 'majority' | 'all'

const levels = ['one', 'majority', 'all'] as const

interface Waiter {
  readonly number: number
  readonly settle: (error?: unknown) => void
}

/** Who waits until an own entry is durable at others. */
export class Replication {
  readonly #waitersByLevel = new Map(levels.map((level) => [level, new Queue<Waiter>()]))
  readonly #others: () => Iterable<NodeId> | undefined
  readonly #heldByNode = new Map<string, number>()
  /** How many of the own entries each other member has, of those that are waited for; least first. Undefined until all are known. */
  #held: readonly number[] | undefined
  #ended: PlaitError | undefined

  /** `others`: the members that are waited for, without this one; undefined as long as not all are known. */
  constructor(others: () => Iterable<NodeId> | undefined) {
    this.#others = others
  }

  /** A node has so many of the own entries, durable. */
  note(node: string, length: number): void {
    if (length <= (this.#heldByNode.get(node) ?? 0)) return
    this.#heldByNode.set(node, length)
    this.update()
  }

  /** Others are waited for than before, or more is known of them. */
  update(): void {
    const others = this.#others()
    if (others === undefined) return
    const held = Array.from(others, (node) => this.#heldByNode.get(node) ?? 0)
    this.#held = held.sort((left, right) => left - right)
    for (const [level, waiters] of this.#waitersByLevel) {
      const reached = this.reached(level)
      for (let next = waiters.peek(); next !== undefined && next.number <= reached; next = waiters.peek()) {
        waiters.shift()
        next.settle()
      }
    }
  }

  /** How many own entries are where the level asks for. */
  reached(level: Exclude<ReplicationLevel, 'local'>): number {
    if (this.#held === undefined) return 0
    const others = this.#held.length
    // With itself it is a member more; of six, three others make a majority.
    const needed = { one: 1, majority: Math.floor((others + 1) / 2), all: others }[level]
    if (needed > others) return 0
    return needed === 0 ? Infinity : (this.#held[others - needed] as number)
  }

  /** Resolves when that many own entries are there. In the order of the numbers. */
  wait(number: number, level: Exclude<ReplicationLevel, 'local'>, signal: AbortSignal | undefined): Promise<void> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended)
    if (this.reached(level) >= number) return Promise.resolve()
    signal?.throwIfAborted()
    return new Promise((resolve, reject) => {
      const abort = (): void => waiter.settle(signal?.reason)
      const waiter: Waiter = {
        number,
        settle: (error) => {
          signal?.removeEventListener('abort', abort)
          if (error === undefined) resolve()
          else reject(error)
        },
      }
      signal?.addEventListener('abort', abort, { once: true })
      this.#waitersByLevel.get(level)?.push(waiter)
    })
  }

  /** Another feed is written from now on: of that one nobody has anything, and of the last one nothing more is heard. */
  begin(error: PlaitError): void {
    this.#fail(error)
    this.#heldByNode.clear()
    this.#held = undefined
  }

  /** Nobody waits any more, nor from now on. */
  end(error: PlaitError): void {
    this.#ended = error
    this.#fail(error)
  }

  #fail(error: PlaitError): void {
    for (const waiters of this.#waitersByLevel.values())
      for (let next = waiters.shift(); next !== undefined; next = waiters.shift()) next.settle(error)
  }
}
