import { bytesEqual } from '../../base/bytes.ts'
import { sameDot } from '../../crdt/dot.ts'
import type { Dot } from '../../crdt/dot.ts'
import type { DotList } from '../../crdt/dot-list.ts'
import type { MvRegister, RegisterOperation } from '../../crdt/mv-register.ts'
import type { Tree } from '../../crdt/tree.ts'
import type { TreeOperation } from '../../crdt/tree-operation.ts'
import type { DiskFacts } from '../folder/disk-entry.ts'
import type { Version } from '../version.ts'

/** The tree of a drive: each entry holds the versions that were written without knowing of each other. */
export type Files = Tree<MvRegister<Version>, RegisterOperation<Version>>
export type FilesOperation = TreeOperation<RegisterOperation<Version>>

/** What of an entry stands at a path: who replaces or removes it there has seen this of it, and nothing else. */
export interface Claim {
  readonly id: Dot
  /** What holds the entry in its place; none for a version that is only shown beside another one. */
  readonly life: DotList
  /** The dots of the version, and of those written at the same time that say the same. */
  readonly versions: DotList
}

/** What is to stand at a path of the folder. */
export interface Item {
  readonly path: string
  /** The name of the entry in the tree: another one than that of the path when several wanted it. */
  readonly name: string
  readonly version: Version
  /** Several when entries look the same: directories of one name, files of one name and content. Never none. */
  readonly claims: readonly Claim[]
  /** A version that is shown beside the one that has the name. */
  readonly isCopy: boolean
}

/** What stood at a path when disk and tree were last known to say the same there. */
export interface Agreed extends Item {
  readonly disk: DiskFacts
}

/** By path. */
export type Agreement = ReadonlyMap<string, Agreed>

/** Whether two versions hold the same, whatever their mode and time. */
export function sameContent(left: Pick<Version, ContentField>, right: Pick<Version, ContentField>): boolean {
  if (left.kind !== right.kind) return false
  return left.size === right.size && left.target === right.target && bytesEqual(left.root, right.root)
}

type ContentField = 'kind' | 'size' | 'root' | 'target'

/** Where what is in the way of others waits for its turn. No entry of a drive can have such a path. */
export const asideFolder = '.plait/aside'

export function isAside(path: string): boolean {
  return path.startsWith(asidePrefix)
}

const asidePrefix = `${asideFolder}/`

/** Whether two times are the same as far as systems let them be set: see `disk/file-times.ts`. */
export function nearTime(left: bigint, right: bigint): boolean {
  const difference = left - right
  return difference < 1_000n && difference > -1_000n
}

/** The versions that an item stands for: an item with one of them is the same thing. No two entries have the same. */
export function versionDots({ claims }: Item): DotList {
  const [only] = claims
  return only !== undefined && claims.length === 1 ? only.versions : claims.flatMap(({ versions }) => versions)
}

/** The entries in whose place an item stands; none for a version that is shown beside another one. */
export function entryDots({ claims, isCopy }: Item): DotList {
  return isCopy ? [] : claims.map(({ id }) => id)
}

/**
 * Whether an entry is held in its place and nothing is said any more of what it holds, though that was agreed on: it was moved by somebody,
 * and deleted by somebody who had not heard of that.
 */
export function isToRestate(view: Files['view'], { id, versions }: Claim): boolean {
  if (versions.length === 0 || view.content(id)?.isEmpty !== true) return false
  const entry = view.entry(id)
  return entry !== undefined && entry.life.length > 0
}

export function sameClaims(left: readonly Claim[], right: readonly Claim[]): boolean {
  if (left.length !== right.length) return false
  for (const [index, claim] of left.entries()) {
    const other = right[index] as Claim
    if (claim === other) continue
    if (!sameDot(claim.id, other.id) || !sameDots(claim.life, other.life)) return false
    if (!sameDots(claim.versions, other.versions)) return false
  }
  return true
}

function sameDots(left: DotList, right: DotList): boolean {
  return (
    left === right || (left.length === right.length && left.every((dot, index) => sameDot(dot, right[index] as Dot)))
  )
}
