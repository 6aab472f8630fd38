import { concatBytes } from '../../base/bytes.ts'
import { encode, u64 } from '../../wire/schema.ts'
import type { TreeHash } from '../hash.ts'
import { summaryBytesMax } from '../messages.ts'
import type { Replica } from './replica.ts'

/** Who shares fewer feeds opens them all at once. */
export const summaryFeedsMin = 32
/** Bytes of the print of a bucket, and how many there may be of them. */
const printBytes = 8
const bucketsMax = summaryBytesMax / printBytes
/** About as many feeds are opened for each one that has changed. */
const feedsPerBucket = 4

/** What a peer has to know of a feed to see whether its own is the same: the tag that the chair shows, and the state. */
export interface SummaryEntry {
  readonly chairTag: Uint8Array
  readonly replica: Replica
}

/**
 * One print for each bucket of feeds, as many buckets as a power of two says: the sum by exclusive or of what is hashed of each feed in
 * it. So that two nodes that share a thousand feeds find the one that has changed by some bytes for each.
 */
export function summaryOf(hash: TreeHash, entries: readonly SummaryEntry[]): Uint8Array {
  let buckets = 1
  while (buckets < bucketsMax && buckets * feedsPerBucket < entries.length) buckets *= 2
  const prints = new Uint8Array(buckets * printBytes)
  for (const { chairTag, replica } of entries) {
    const { fork, length, have } = replica
    const state = [fork, length, have.count].map((value) => encode(u64, value))
    const print = hash.digest(concatBytes([chairTag, ...state]))
    const at = bucketOf(chairTag, buckets) * printBytes
    for (let index = 0; index < printBytes; index += 1) prints[at + index] = prints[at + index]! ^ print[index]!
  }
  return prints
}

/** Whether the buckets in which a feed is are the same in both summaries, of which either may have more buckets. */
export function isSameBucket(chairTag: Uint8Array, ours: Uint8Array, theirs: Uint8Array): boolean {
  const buckets = Math.min(ours.length, theirs.length) / printBytes
  const bucket = bucketOf(chairTag, buckets)
  for (let index = 0; index < printBytes; index += 1)
    if (folded(ours, bucket, buckets, index) !== folded(theirs, bucket, buckets, index)) return false
  return true
}

/** Whether there are as many bytes as a summary can have. */
export function isSummary(prints: Uint8Array): boolean {
  const buckets = prints.length / printBytes
  return buckets >= 1 && buckets <= bucketsMax && Number.isInteger(Math.log2(buckets))
}

function folded(prints: Uint8Array, bucket: number, buckets: number, index: number): number {
  let sum = 0
  for (let at = bucket; at * printBytes < prints.length; at += buckets) sum ^= prints[at * printBytes + index]!
  return sum
}

function bucketOf(tag: Uint8Array, buckets: number): number {
  return (tag[0]! + tag[1]! * 256) & (buckets - 1)
}
