import { defaultLimits, type Limits } from '../../src/base/limits.ts'

const KiB = 1024

/** So small that a few frames reach them. */
export const limits: Limits = {
  ...defaultLimits,
  circuitsPerSession: 10,
  unacceptedPerSession: 4,
  earlyResetsPerSecond: 6,
  windowBytesInitial: 24 * KiB,
  windowBytesMax: 64 * KiB,
  widestCircuits: 2,
  sendBufferMarkBytes: 32 * KiB,
  sendBufferBytes: 128 * KiB,
  unacknowledgedBytes: 256 * KiB,
  unacknowledgedControlBytes: 16 * KiB,
  fragmentBytes: 48 * KiB,
  fragmentPieces: 8,
  reservedBytesPerSession: 50 * KiB,
  noProgressFrames: 12,
  pingsPerSecond: 5,
  accountBytes: 96 * KiB,
  budgetBytes: 192 * KiB,
}
