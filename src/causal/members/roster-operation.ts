import { bounds } from '../../crdt/bounds.ts'
import { choice } from '../../wire/choice-schema.ts'
import { array, encode, fixed, struct, text, u64, u8, upTo } from '../../wire/schema.ts'
import type { Schema } from '../../wire/schema.ts'
import { malformed } from '../../wire/reader.ts'
import { refuse } from '../../wire/field-path.ts'

/** What a member may do: read all; write as well; say who belongs to the group as well. */
export type Role = 'read' | 'write' | 'admin'

/** In ascending order of what they allow. */
export const roles: readonly Role[] = ['read', 'write', 'admin']

/** Whether somebody with the first role may do what the second one allows. */
export function allows(role: Role, needed: Role): boolean {
  return roles.indexOf(role) >= roles.indexOf(needed)
}

export const rosterBounds = {
  addresses: 16,
  addressBytes: 300,
  nameBytes: 255,
  /** Of one member. */
  feeds: 1_024,
} as const

const role: Schema<Role> = {
  ...u8,
  measure(value) {
    if (!roles.includes(value)) refuse(`${value} is none of ${roles.join(', ')}`)
    return 1
  },
  write: (value, out, offset) => u8.write(roles.indexOf(value), out, offset),
  read(reader) {
    const found = roles[reader.u8()]
    if (found === undefined) throw malformed('a role that is none')
    return found
  },
  describe: () => ({ type: 'role', bound: '0 read, 1 write, 2 admin' }),
}

/** 32 bytes: of a node, of a feed, or of an invitation. */
type Key = Uint8Array
type Signature = Uint8Array

/** What is said of the members of a group, each signed by the feed it stands in. */
export type RosterOperation = Timed &
  (
    | {
        /** The first entry of the founder's feed, which the group is named by. */
        readonly kind: 'found'
        readonly name: string
        readonly node: Key
        readonly since: number
        readonly proof: Signature
        readonly addresses: readonly string[]
      }
    | {
        /** The first entry of any other feed: of which node it is, and in which group, which is the founder's feed. */
        readonly kind: 'begin'
        readonly group: Key
        readonly node: Key
      }
    | {
        /**
         * A node has come with an invitation. `proof` is the node's over its feed, `invitationProof` the invitation's over the same.
         * `since`: when the node has made the feed, by its own clock, in ms since 1970: it writes in the last one.
         */
        readonly kind: 'admit'
        readonly node: Key
        readonly feed: Key
        readonly since: number
        readonly proof: Signature
        readonly invitation: Key
        readonly invitationProof: Signature
        /** When it has come, by the clock of who writes this, in ms since 1970. */
        readonly at: number
        readonly addresses: readonly string[]
      }
    | {
        /** A member writes on in another feed: it had forgotten some of the last one, or was parked. */
        readonly kind: 'continue'
        readonly node: Key
        readonly feed: Key
        readonly since: number
        readonly proof: Signature
      }
    /** Where it may do less than before, what it has written beyond `ends` is judged by this. */
    | { readonly kind: 'role'; readonly node: Key; readonly role: Role; readonly ends: readonly FeedEnd[] }
    /** What it has written beyond `ends` is void. */
    | { readonly kind: 'remove'; readonly node: Key; readonly ends: readonly FeedEnd[] }
    /** As `remove`, until it continues: nobody waits for it. */
    | { readonly kind: 'park'; readonly node: Key; readonly ends: readonly FeedEnd[] }
    | {
        /** Whoever has the private half of `invitation` may join. */
        readonly kind: 'invite'
        readonly invitation: Key
        readonly role: Role
        /** ms since 1970; 0: for ever. */
        readonly notAfter: number
        /** How many nodes may come with it; 0: any number. */
        readonly uses: number
      }
    | { readonly kind: 'revoke'; readonly invitation: Key }
    /** Where the node that writes the feed can be reached. */
    | { readonly kind: 'addresses'; readonly addresses: readonly string[] }
  )

/** How much of a feed of the member had been delivered where something was said of it; 0 of those that are not named. */
export interface FeedEnd {
  readonly feed: Key
  readonly length: number
}

/** What is said of members, before it has its time. */
export type RosterStatement = Untimed<RosterOperation>

interface Timed {
  /**
   * When it was written among what is said of members: one more than the highest such time that it follows, and no more than there are
   * entries that it follows, itself included.
   */
  readonly time: number
}

type Untimed<Operation> = Operation extends unknown ? Omit<Operation, 'time'> : never

const key = fixed(32)
const signature = fixed(64)
const addresses = array(text({ max: rosterBounds.addressBytes }), { max: rosterBounds.addresses })
const time = upTo(bounds.number)
const ends = array(struct({ feed: key, length: upTo(bounds.number) }), { max: rosterBounds.feeds })
const usesMax = 1_000_000

/** How it is written. */
export const rosterOperation: Schema<RosterOperation> = choice({
  found: {
    number: 1,
    schema: struct({
      name: text({ max: rosterBounds.nameBytes }),
      node: key,
      since: u64,
      proof: signature,
      addresses,
      time,
    }),
  },
  begin: { number: 2, schema: struct({ group: key, node: key, time }) },
  admit: {
    number: 3,
    schema: struct({
      ...{ node: key, feed: key, since: u64, proof: signature, invitation: key, invitationProof: signature },
      ...{ at: u64, addresses, time },
    }),
  },
  continue: { number: 4, schema: struct({ node: key, feed: key, since: u64, proof: signature, time }) },
  role: { number: 5, schema: struct({ node: key, role, ends, time }) },
  remove: { number: 6, schema: struct({ node: key, ends, time }) },
  park: { number: 7, schema: struct({ node: key, ends, time }) },
  invite: { number: 8, schema: struct({ invitation: key, role, notAfter: u64, uses: upTo(usesMax), time }) },
  revoke: { number: 9, schema: struct({ invitation: key, time }) },
  addresses: { number: 10, schema: struct({ addresses, time }) },
})

/** A node has made a feed to write in a group. */
export interface Claim {
  readonly node: Key
  readonly feed: Key
  /** ms since 1970 */
  readonly since: number
}

/** What a node signs for a feed of its own, and an invitation for a node that comes with it. */
export function claimStatement(group: Key, { node, feed, since }: Claim): Uint8Array {
  return encode(claimSchema, { title: 'plait group member 1', group, node, feed, since })
}

/** How it is written: `title` is always the same. */
export const claimSchema: Schema<Claim & { readonly title: string; readonly group: Key }> = struct({
  title: text({ max: 32 }),
  group: key,
  node: key,
  feed: key,
  since: u64,
})
