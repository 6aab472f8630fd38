import type { NodeId, Topics } from 'plait'
import { guarded } from '../guarded.ts'
import type { Channel, Handler, Outlet } from '../peer.ts'

/** Where one publishes to all, and where one speaks to one. */
export const allTopic = 'bench.all'
export const oneTopic = 'bench.one'

/** From here on `ready` waits. */
const markBytes = 1024 * 1024

/** The way to one member of a network. */
export class TopicsChannel implements Channel {
  readonly #topics: Topics
  readonly #remote: NodeId
  #handler: Handler = () => {}

  constructor(topics: Topics, remote: NodeId) {
    this.#topics = topics
    this.#remote = remote
  }

  take(payload: Uint8Array): void {
    this.#handler(payload, 0, payload.length)
  }

  send(bytes: Uint8Array, start = 0, end: number = bytes.length): boolean {
    this.#topics.send(this.#remote, oneTopic, bytes.subarray(start, end))
    return this.#topics.bufferedBytes < markBytes
  }

  ready(): Promise<void> {
    return this.#topics.ready()
  }

  receive(handler: Handler): void {
    this.#handler = guarded(handler)
  }
}

/** The way to all of them. */
export class TopicsBroadcast implements Outlet {
  readonly #topics: Topics

  constructor(topics: Topics) {
    this.#topics = topics
  }

  send(bytes: Uint8Array): boolean {
    this.#topics.publish(allTopic, bytes)
    return this.#topics.bufferedBytes < markBytes
  }

  ready(): Promise<void> {
    return this.#topics.ready()
  }
}
