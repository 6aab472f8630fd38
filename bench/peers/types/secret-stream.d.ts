import type { Socket } from 'node:net'

declare class NoiseSecretStream {
  /** Resolves to false when the handshake failed. */
  readonly opened: Promise<boolean>
  constructor(isInitiator: boolean, socket: Socket)
}

// oxlint-disable-next-line import/no-default-export -- the package has no other
export default NoiseSecretStream
