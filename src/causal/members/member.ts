import type { Writer } from '../../crdt/dot.ts'
import type { NodeId } from '../../identity/node-id.ts'
import type { Role } from './roster-operation.ts'
import type { RosterEntry } from './roster-entry.ts'

/** A node that belongs to a group, or did. */
export interface Member {
  readonly node: NodeId
  readonly role: Role
  /** Its feeds, the one in which it writes last. */
  readonly feeds: readonly Writer[]
  /** When each of them was made, by the clock of the node, in ms since 1970. */
  readonly since: readonly number[]
  /** Nobody waits for it until it comes back. */
  readonly isParked: boolean
  readonly isRemoved: boolean
  /** Where it said that it can be reached. */
  readonly addresses: readonly string[]
  /** The key of the invitation it came with; undefined for the founder. */
  readonly invitation: string | undefined
  readonly firstRole: Role
  /** The changes of its role, in the order in which they count. */
  readonly changes: readonly RosterEntry[]
}

/** What can be joined with. */
export interface Invitation {
  readonly key: string
  readonly role: Role
  /** ms since 1970; 0: for ever. */
  readonly notAfter: number
  /** How many nodes may come with it; 0: any number. */
  readonly uses: number
  /** How many have. */
  readonly used: number
  readonly isRevoked: boolean
  /** Who has invited. */
  readonly by: NodeId
}
