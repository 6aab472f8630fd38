import { PlaitError } from '../base/error.ts'
import type { Feeds } from '../feed/feed-api.ts'
import { Backoff } from '../node/backoff.ts'
import { formatUrl, parseUrl } from '../node/url.ts'
import type { Member } from './members/member.ts'

/** With so many members everybody connects to everybody; with more, to as many that come after it in the order of their ids. */
const neighboursMax = 16

/** A lane to each member that is connected from here: nobody waits for another one, and a node starts alone. */
export class GroupLanes {
  readonly #feeds: Feeds
  readonly #lanesByAddress = new Map<string, AbortController>()

  constructor(feeds: Feeds) {
    this.#feeds = feeds
  }

  /** Connects to those members that are to be connected now. `hosts`: where one was told to begin. */
  update(members: Iterable<Member>, hosts: readonly string[]): void {
    const own = this.#feeds.node?.id ?? ''
    const known = new Map(Array.from(members, (member) => [member.node as string, member]))
    const others = [...known.values()].filter(
      ({ node, isRemoved, isParked }) => node !== own && !isRemoved && !isParked,
    )
    others.sort((left, right) => (left.node < right.node ? -1 : 1))
    const next = others.findIndex(({ node }) => node > own)
    const ring = [...others.slice(Math.max(0, next)), ...others.slice(0, Math.max(0, next))]
    const wanted = new Set(ring.slice(0, neighboursMax).flatMap((member) => urlOf(member) ?? []))
    // One of whom nothing is known may know what is missing here.
    for (const host of hosts) if (others.length === 0 || !known.has(parseUrl(host).nodeId)) wanted.add(host)
    for (const [address, ending] of this.#lanesByAddress) {
      if (wanted.has(address)) continue
      this.#lanesByAddress.delete(address)
      ending.abort(new PlaitError('CANCELLED', 'the member is not connected from here any more'))
    }
    for (const address of wanted) this.#open(address)
  }

  close(): void {
    for (const ending of this.#lanesByAddress.values())
      ending.abort(new PlaitError('CANCELLED', 'the group was closed here'))
    this.#lanesByAddress.clear()
  }

  #open(address: string): void {
    if (this.#lanesByAddress.has(address) || this.#feeds.node === undefined) return
    const ending = new AbortController()
    this.#lanesByAddress.set(address, ending)
    void this.#keep(address, ending.signal)
  }

  /** Tries until there is a connection, which keeps itself from then on, for other groups too. */
  async #keep(address: string, signal: AbortSignal): Promise<void> {
    const { timers, random } = this.#feeds.store.runtime
    const backoff = new Backoff(random)
    while (!signal.aborted) {
      if (
        await this.#feeds.connect(address, { signal }).then(
          () => true,
          () => false,
        )
      )
        return
      const pauseMs = backoff.next()
      await new Promise<void>((resolve) => {
        const timer = timers.after(pauseMs, resolve, { background: true })
        const stop = (): void => {
          timer.cancel()
          resolve()
        }
        signal.addEventListener('abort', stop, { once: true })
      })
    }
  }
}

/** Where a member can be reached; undefined when it has said nothing of use. What members say of themselves is theirs to get wrong. */
export function urlOf({ node, addresses }: Member): string | undefined {
  const known = addresses.flatMap((address) => {
    try {
      const url = parseUrl(address)
      return url.nodeId === node ? url.addresses : []
    } catch {
      return []
    }
  })
  return known.length === 0 ? undefined : formatUrl({ nodeId: node, addresses: known })
}
