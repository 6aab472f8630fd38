import { PlaitError } from '../../base/error.ts'
import type { Limits } from '../../base/limits.ts'

interface Pending {
  abort(reason: PlaitError): void
}

/**
 * The handshakes that are under way at a listener. When there are too many, of one address or in all, the oldest one gives way: an
 * honest one takes milliseconds and is never the oldest for long, while refusing the newest would let stalled ones shut everybody out.
 */
export class PendingHandshakes {
  readonly #limits: Pick<Limits, 'pendingHandshakes' | 'pendingHandshakesPerAddress'>
  readonly #all = new Map<Pending, string>()
  readonly #byGroup = new Map<string, Set<Pending>>()

  constructor(limits: Pick<Limits, 'pendingHandshakes' | 'pendingHandshakesPerAddress'>) {
    this.#limits = limits
  }

  get size(): number {
    return this.#all.size
  }

  /** `group` is what limits for each address count by. Aborts whichever gives way. */
  add(pending: Pending, group: string): void {
    let members = this.#byGroup.get(group)
    if (members !== undefined && members.size >= this.#limits.pendingHandshakesPerAddress) {
      this.#giveWay(first(members), 'pendingHandshakesPerAddress')
    } else if (this.#all.size >= this.#limits.pendingHandshakes) {
      this.#giveWay(first(this.#all.keys()), 'pendingHandshakes')
    }
    members = this.#byGroup.get(group)
    if (members === undefined) this.#byGroup.set(group, (members = new Set()))
    members.add(pending)
    this.#all.set(pending, group)
  }

  /** Harmless when it is not there any more. */
  remove(pending: Pending): void {
    const group = this.#all.get(pending)
    if (group === undefined) return
    this.#all.delete(pending)
    const members = this.#byGroup.get(group)
    members?.delete(pending)
    if (members?.size === 0) this.#byGroup.delete(group)
  }

  abortAll(reason: PlaitError): void {
    for (const pending of [...this.#all.keys()]) {
      this.remove(pending)
      pending.abort(reason)
    }
  }

  #giveWay(pending: Pending | undefined, limit: 'pendingHandshakes' | 'pendingHandshakesPerAddress'): void {
    if (pending === undefined) return
    this.remove(pending)
    const value = this.#limits[limit]
    pending.abort(
      new PlaitError('LIMIT', `an unfinished handshake gave way to a newer one (${limit}: ${value})`, {
        facts: { limit, value },
      }),
    )
  }
}

function first<Item>(items: Iterable<Item>): Item | undefined {
  for (const item of items) return item
  return undefined
}
