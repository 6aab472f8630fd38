import type { Section } from '../circuit/circuit-api.ts'
import type { BroadcasterCounts } from './broadcaster.ts'

/** What a node has done in one network. */
export interface TopicStats extends BroadcasterCounts {
  /** Who is there, this node among them. */
  readonly members: number
  /** Bytes of batches that are kept for others, and duties that are not done. */
  readonly heldBytes: number
  readonly tasks: number
}

/** What `node.stats()` shows of topics, by network. */
export class TopicSection implements Section {
  readonly #readByNetwork = new Map<string, () => TopicStats>()

  add(network: string, read: () => TopicStats): void {
    this.#readByNetwork.set(network, read)
  }

  remove(network: string): void {
    this.#readByNetwork.delete(network)
  }

  read(): Readonly<Record<string, TopicStats>> {
    return Object.fromEntries([...this.#readByNetwork].map(([network, read]) => [network, read()]))
  }
}
