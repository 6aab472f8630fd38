import type { WaitOptions } from '../circuit/circuit-api.ts'

/** What a chunk is known by: the SHA-256 of its bytes, 32 bytes; and their number, if that is known: another one is not taken. */
export interface ChunkName {
  readonly hash: Uint8Array
  readonly length?: number | undefined
}

/** A piece of a file. Its bytes are those that the hash names. */
export interface Chunk {
  readonly hash: Uint8Array
  /** The caller's. */
  readonly bytes: Uint8Array
}

export interface ChunkOptions extends WaitOptions {
  /**
   * What came in one message stays in memory for as long as any of it is kept: for who takes all of it, and soon. Each chunk has bytes of
   * its own when absent.
   */
  readonly keepsTogether?: boolean
}

/** Where the chunks are that a node gives to those who share one of its feeds. */
export interface ChunkSource {
  /**
   * The bytes of a chunk, at most `feedBlockBytes` (1 MiB), which do not change any more; undefined when it is not here. It has to be
   * sure that they are the right ones, by having hashed them if need be: who is sent others ends this node as a liar. What it throws
   * counts as absent. The signal fires when nobody waits any longer. Called for up to 16 chunks of each peer at once.
   */
  read(hash: Uint8Array, options: { readonly signal: AbortSignal }): Promise<Uint8Array | undefined>
}
