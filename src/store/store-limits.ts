const KiB = 1024
const MiB = 1024 * KiB

/** Bounds of a record log, with their units. No remote can reach them: what comes from outside has smaller ones, in `base/limits.ts`. */
export interface StoreLimits {
  /** Kind, feed and payload of one record. A longer one is not appended, and a length that says more is damage. */
  readonly recordBytes: number
  /** Appended and not yet written; then `append` throws `BUFFER_FULL`. */
  readonly pendingBytes: number
  /** From this length on a segment gets no more records. The last commit that it got may be longer. */
  readonly segmentBytes: number
  /** Segments whose files are kept open for reading. */
  readonly openSegments: number
}

export const defaultStoreLimits: StoreLimits = Object.freeze({
  recordBytes: 4 * MiB,
  pendingBytes: 64 * MiB,
  segmentBytes: 64 * MiB,
  openSegments: 32,
} satisfies StoreLimits)
