/** What an encoded operation or state may hold; checked where a count or length is read, before anything is allocated for it. */
export const bounds = {
  /** The highest number of a dot, and the highest Lamport time: 2^48. */
  number: 281_474_976_710_656,
  /** Writers that one encoding names; a group has 1,024 members, some of them with several incarnations. */
  writers: 16_384,
  /**
   * Dots in one list, values of one register, flags of one item; and runs in one set of dots. What holds a state has no other bound
   * than its bytes.
   */
  dots: 16_777_216,
  runs: 16_777_216,
  /** A text or bytes as an element, a key, or the value of a register, unless its type has a smaller bound. */
  valueBytes: 65_536,
  /** Names in trees and mailboxes. */
  nameBytes: 255,
  /** Flags in one operation, and the length of one. */
  flags: 256,
  flagBytes: 128,
  /** What an item of a mailbox refers to. */
  contentBytes: 4_096,
  /** What one writer may add to a counter, either way: 8,191 of them stay a safe integer. 2^40. */
  counterTotal: 1_099_511_627_776,
} as const
