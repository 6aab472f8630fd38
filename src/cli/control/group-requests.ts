import { PlaitError } from '../../base/error.ts'
import type { GroupId, GroupSnapshot } from '../../causal/group-api.ts'
import { roles, type Role } from '../../causal/members/roster-operation.ts'
import type { ProgramFacts } from './control-protocol.ts'

// What is asked of a program that has a store with groups. A group is named as the user has named it: by its name, or the beginning of
// its id; the only one of the store is meant when it is not.

/** The longest that `kv-changes` waits for something to change. */
export const changesWaitMs = 20_000

export type GroupRequest =
  | { readonly command: 'groups' }
  | { readonly command: 'group-create'; readonly name: string }
  | ({ readonly command: 'group-invite'; readonly group?: string } & Invitation)
  | { readonly command: 'group-join'; readonly link: string }
  | ({ readonly command: 'group-measure'; readonly group?: string } & Measure)
  | ({ readonly command: 'kv-set' } & KeyRequest & { readonly value: string })
  | ({ readonly command: 'kv-delete' } & KeyRequest)
  | ({ readonly command: 'kv-get' } & KeyRequest)
  | { readonly command: 'kv-list'; readonly group?: string }
  /** Answered when something has changed since `after`, or after a while. */
  | { readonly command: 'kv-changes'; readonly group?: string; readonly after: number }

export interface Invitation {
  readonly role: Role
  /** Any number when absent. */
  readonly uses?: number
  /** For ever when absent. */
  readonly validMs?: number
}

/** What is decided about a member, which is named by the beginning of its node id. */
export type Measure =
  | { readonly act: 'remove' | 'park'; readonly member: string }
  | { readonly act: 'role'; readonly member: string; readonly role: Role }
  | { readonly act: 'leave' }

export interface KeyRequest {
  readonly group?: string
  readonly key: string
}

/** A group as the owner of its store sees it. */
export interface GroupFacts extends GroupSnapshot {
  /** Of the node of this store; absent for one that is no member (yet, or any more). */
  readonly role?: Role
  readonly nodeId: string
  /** Keys that have a value. */
  readonly keys: number
}

export interface GroupsAnswer extends ProgramFacts {
  readonly groups: readonly GroupFacts[]
}

/** A key, and its value in base64: absent when it has none any more. */
export interface KeyChange {
  readonly key: string
  readonly value?: string
  /** Which node has changed it last; absent when that is not known any more. */
  readonly from?: string
}

export interface KeyChanges {
  readonly id: GroupId
  /** To ask with the next time. */
  readonly revision: number
  /** Each key once, as it is now. */
  readonly changes: readonly KeyChange[]
  /** Too much has changed since `after`: these are all keys that there are. */
  readonly isWhole: boolean
}

/** What has become of a change: `dot` is the operation's, `others` are members beside this one. */
export interface Changed {
  readonly id: GroupId
  readonly dot: string
}

export interface GroupAnswers {
  readonly groups: GroupsAnswer
  readonly 'group-create': { readonly id: GroupId }
  readonly 'group-invite': { readonly id: GroupId; readonly link: string }
  readonly 'group-join': { readonly id: GroupId }
  /** `node`: of whom it was. */
  readonly 'group-measure': { readonly id: GroupId; readonly node: string }
  readonly 'kv-set': Changed
  readonly 'kv-delete': Changed
  readonly 'kv-get': { readonly id: GroupId; readonly value?: string }
  readonly 'kv-list': KeyChanges
  readonly 'kv-changes': KeyChanges
}

/** In ms: they wait for a disk, for the state to be read, for somebody who lets this node in. */
export const groupTimeoutsMs: Readonly<Record<GroupRequest['command'], number>> = {
  groups: 15_000,
  'group-create': 30_000,
  'group-invite': 60_000,
  'group-join': 120_000,
  'group-measure': 60_000,
  'kv-set': 60_000,
  'kv-delete': 60_000,
  'kv-get': 60_000,
  'kv-list': 60_000,
  'kv-changes': changesWaitMs + 60_000,
}

/** Reads such a question; undefined for another one. Throws `INVALID_ARGUMENT`. */
export function parseGroupRequest(fields: Readonly<Record<string, unknown>>): GroupRequest | undefined {
  const { command, name, link, key, value, after } = fields
  const named = typeof fields['group'] === 'string' ? { group: fields['group'] } : {}
  switch (command) {
    case 'groups':
      return { command }
    case 'group-create':
      return { command, name: String(name) }
    case 'group-join':
      return { command, link: String(link) }
    case 'group-invite':
      return { command, ...named, ...parseInvitation(fields) }
    case 'group-measure':
      return { command, ...named, ...parseMeasure(fields) }
    case 'kv-set':
      return { command, ...named, key: String(key), value: String(value) }
    case 'kv-delete':
    case 'kv-get':
      return { command, ...named, key: String(key) }
    case 'kv-list':
      return { command, ...named }
    case 'kv-changes':
      return { command, ...named, after: Number(after) }
    default:
      return undefined
  }
}

function parseMeasure({ act, member, role }: Readonly<Record<string, unknown>>): Measure {
  if (act === 'leave') return { act }
  if (act === 'role') return { act, member: String(member), role: parseRole(role) }
  if (act === 'remove' || act === 'park') return { act, member: String(member) }
  throw new PlaitError('INVALID_ARGUMENT', 'a member is removed, parked or given a role, or leaves')
}

function parseRole(role: unknown): Role {
  const known = roles.find((one) => one === role)
  if (known === undefined) throw new PlaitError('INVALID_ARGUMENT', `a role is one of ${roles.join(', ')}`)
  return known
}

function parseInvitation({ role, uses, validMs }: Readonly<Record<string, unknown>>): Invitation {
  return {
    role: parseRole(role),
    ...(typeof uses === 'number' ? { uses } : {}),
    ...(typeof validMs === 'number' ? { validMs } : {}),
  }
}
