/** Packs what chunks hold, in frames of Zstandard. */
export interface ChunkPacker {
  /** Fewer bytes, or undefined when that saves nothing. */
  pack(bytes: Uint8Array): Uint8Array | undefined
  /** What was packed, no more than `bytesMax`; undefined when it is more, or was not packed so. */
  unpack(packed: Uint8Array, bytesMax: number): Uint8Array | undefined
}
