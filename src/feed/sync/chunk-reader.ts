/** Where the synchronizer reads chunks that others ask for. */
export interface ChunkReader {
  /**
   * `done` is called once, at once or later: with the bytes, which do not change any more, or with nothing when they are not here. Returns
   * how to call it off: then `done` is not called any more.
   */
  read(hash: Uint8Array, done: (bytes?: Uint8Array) => void): () => void
}
