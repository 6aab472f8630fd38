import type NoiseSecretStream from '@hyperswarm/secret-stream'

// What the rows use of the package, which has no types of its own. As narrow as that, like its neighbours: so the types of this folder
// are checked without its packages, and running a row proves the rest.

export interface MuxChannel {
  readonly messages: readonly { send(message: Uint8Array): boolean }[]
  open(): void
}

declare class Protomux {
  /** False when the stream's queue is full; true again from its `drain` on. */
  readonly drained: boolean
  constructor(stream: NoiseSecretStream)
  pair(options: { protocol: string }, accept: (id: Uint8Array) => void): void
  /** Null when the stream is gone. */
  createChannel(options: {
    protocol: string
    id: Uint8Array
    messages: readonly { onmessage: (message: Uint8Array) => void }[]
    ondrain: () => void
  }): MuxChannel | null
  cork(): void
  uncork(): void
}

// oxlint-disable-next-line import/no-default-export -- the package has no other
export default Protomux
