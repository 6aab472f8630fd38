import type { GossipSub } from '@libp2p/gossipsub'
import { outgoing } from '../outgoing.ts'
import type { Outlet } from '../peer.ts'

export const broadcastTopic = 'bench'
/** It puts no bound to what waits for others, and a message is signed some time after `publish` was called: so many are under way. */
const inFlightMost = 64

/** Publishes to all who have subscribed. */
export class GossipsubBroadcast implements Outlet {
  readonly #pubsub: GossipSub
  #publishing: Promise<unknown>[] = []

  constructor(pubsub: GossipSub) {
    this.#pubsub = pubsub
  }

  send(bytes: Uint8Array): boolean {
    this.#publishing.push(this.#pubsub.publish(broadcastTopic, outgoing(bytes)))
    return this.#publishing.length < inFlightMost
  }

  async ready(): Promise<void> {
    const publishing = this.#publishing
    this.#publishing = []
    await Promise.all(publishing)
  }
}
