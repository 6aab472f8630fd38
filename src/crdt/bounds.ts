/** What an encoded operation or state may hold; checked where a count or length is read, before anything is allocated for it. */
export const bounds = {
  /** The highest number of a dot, and the highest Lamport time: 2^48. */
  number: 281_474_976_710_656,
  /** Writers that one encoding names; a group has 1,024 members, some of them with several incarnations. */
  writers: 16_384,
  /** Dots in one list: those of an element, of a register's values, of a frontier. */
  dots: 16_384,
  /** Runs of a writer's dots, and all runs in one set. */
  runs: 1_048_576,
  /** A text or bytes as an element or as the value of a register. */
  valueBytes: 65_536,
  /** A key of a map. */
  keyBytes: 1_024,
  /** Names in trees and mailboxes. */
  nameBytes: 255,
  /** A cell's key, which in nested maps is several; and its value. */
  cellKeyBytes: 131_072,
  cellValueBytes: 1_048_576,
  /** What one writer may add to a counter, either way: 4,096 of them stay a safe integer. 2^40. */
  counterTotal: 1_099_511_627_776,
} as const
