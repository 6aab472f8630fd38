import type { PlaitError } from '../base/error.ts'
import type { Dot } from '../crdt/dot.ts'
import type { Feeds } from '../feed/feed-api.ts'
import type { NodeId } from '../identity/node-id.ts'
import type { Verify } from '../identity/signature.ts'
import type { GroupId } from './group-api.ts'
import type { GroupView } from './group-view.ts'
import type { SnapshotsOptions } from './snapshots.ts'

export interface GroupEngineOptions {
  readonly group: GroupId
  readonly feeds: Feeds
  readonly view: GroupView
  readonly verify: Verify
  readonly acknowledgeMs: number
  /** Beside members: with whom feeds are shared before anything is known. */
  readonly mayShare: (nodeId: NodeId) => boolean
  readonly snapshotEntries: number
  /** The sealed feed of the snapshot from which everything can be made again. */
  readonly base: Uint8Array | undefined
  /** Those of earlier ones. */
  readonly superseded: readonly Uint8Array[]
  /** There is another one; resolves when that is remembered. */
  readonly rememberBase: SnapshotsOptions['rememberBase']
  readonly events: GroupEngineEvents
}

export interface GroupEngineEvents {
  /** The feed that is written here is one of the group, and all of it is known. */
  readonly ready: () => void
  readonly membersChanged: () => void
  readonly setAside: (dot: Dot, error: PlaitError) => void
  readonly overturned: () => void
  /** The feed that is written here has less than others have of it, or has forked: it must not be written any more. */
  readonly forgotten: () => void
  /** A snapshot is needed: others have dropped what is not here. */
  readonly fellBelow: () => void
  readonly failed: (error: PlaitError) => void
}
