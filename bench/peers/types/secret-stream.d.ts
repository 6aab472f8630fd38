import type { Socket } from 'node:net'

declare class NoiseSecretStream {
  /** Resolves to false when the handshake failed. */
  readonly opened: Promise<boolean>
  /** Null before the handshake. */
  // oxlint-disable-next-line typescript/no-restricted-types -- so the package says
  readonly publicKey: Buffer | null
  // oxlint-disable-next-line typescript/no-restricted-types -- so the package says
  readonly remotePublicKey: Buffer | null
  constructor(isInitiator: boolean, socket: Socket)
  on(event: 'error', listener: (error: Error) => void): this
  destroy(): void
}

// oxlint-disable-next-line import/no-default-export -- the package has no other
export default NoiseSecretStream
