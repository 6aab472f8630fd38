import { setTimeout as delay } from 'node:timers/promises'
import { PlaitError } from '../../base/error.ts'
import type { Group } from '../../causal/group-api.ts'
import type { Dot } from '../../crdt/dot.ts'
import type { Feeds } from '../../feed/feed-api.ts'
import type { GroupFacts } from '../control/group-requests.ts'
import { KeyValues } from '../kv/key-values.ts'

const lookMs = 20
/** Nothing new for so long: what others have is here. */
const quietMs = 300

/** A group of the store, open, with its map. */
export class KeptGroup {
  readonly group: Group
  readonly values: KeyValues
  readonly #feeds: Feeds
  /** Fires when this node is a member that can write. */
  readonly #ready: AbortSignal

  private constructor(group: Group, values: KeyValues, feeds: Feeds, ready: AbortSignal) {
    this.group = group
    this.values = values
    this.#feeds = feeds
    this.#ready = ready
  }

  static async open(group: Group, feeds: Feeds): Promise<KeptGroup> {
    const ready = new AbortController()
    group.addEventListener('joined', () => ready.abort())
    return new KeptGroup(group, await KeyValues.open(group), feeds, ready.signal)
  }

  get nodeId(): string {
    return this.#feeds.node?.id ?? ''
  }

  facts(): GroupFacts {
    const { role } = this.group
    return {
      ...this.group.snapshot(),
      ...(role === undefined ? {} : { role }),
      nodeId: this.nodeId,
      keys: this.values.size,
    }
  }

  /** How many other members there are that are not parked. */
  get others(): number {
    return this.group.members.filter(({ node, isParked }) => node !== this.nodeId && !isParked).length
  }

  /** Resolves when this node can write. Rejects with `TIMEOUT`, in words that say why, and `FORBIDDEN`. */
  async writable(timeoutMs: number, signal: AbortSignal): Promise<void> {
    if (!this.#ready.aborted)
      await delay(timeoutMs, undefined, { signal: AbortSignal.any([this.#ready, signal]) }).catch(() => {})
    signal.throwIfAborted()
    if (this.#ready.aborted) return
    if (this.group.members.length > 0 && this.group.role === undefined)
      throw new PlaitError('FORBIDDEN', 'this store is no member of the group any more; ask for a link, and join again')
    throw new PlaitError(
      'TIMEOUT',
      'that this store is a member is not known here yet: it takes a member that is connected; see that `plait group serve` runs where the link came from, or wait longer with --wait',
    )
  }

  /** Resolves when what the connected members have of the group is here, as far as they say; or time is up: then to false. */
  async caughtUp(timeoutMs: number, signal: AbortSignal): Promise<boolean> {
    const deadline = performance.now() + timeoutMs
    let seen = ''
    let sinceMs = performance.now()
    while (performance.now() < deadline && !signal.aborted) {
      const { clock, feeds, members } = this.group.snapshot()
      const lengths = new Map(this.#feeds.list().map(({ id, length }) => [id.slice(id.indexOf(':') + 1), length]))
      const isLevel = feeds.every(({ writer, received }) => received >= (lengths.get(writer) ?? 0))
      const now = JSON.stringify([clock, members.length])
      if (now !== seen || !isLevel) sinceMs = performance.now()
      seen = now
      if (isLevel && members.some(({ isConnected }) => isConnected) && performance.now() - sinceMs > quietMs)
        return true
      await delay(lookMs)
    }
    return false
  }

  /** Whether another member has an operation of this node before time is up. */
  async handOver(dot: Dot, timeoutMs: number, signal: AbortSignal): Promise<boolean> {
    const waiting = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
    return this.group.replicated(dot, 'one', { signal: waiting }).then(
      () => true,
      () => false,
    )
  }

  /** The last operation of this node. */
  get lastDot(): Dot | undefined {
    const { members, clock } = this.group.snapshot()
    const writer = members.find(({ node }) => node === this.nodeId)?.feeds.at(-1)
    const number = writer === undefined ? undefined : clock[writer]
    return writer === undefined || number === undefined ? undefined : { writer, number }
  }
}
