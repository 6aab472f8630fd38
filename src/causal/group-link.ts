import { decodeBase32, encodeBase32 } from '../base/bytes.ts'
import type { NodeId } from '../identity/node-id.ts'
import { publicKeyFromNodeId } from '../identity/node-id.ts'
import type { LinkAddress } from '../link/link.ts'
import { foreignLink, formatInvitation, parseInvitation, type InvitationWords } from '../node/invitation.ts'
import type { GroupId } from './group-api.ts'
import { roles } from './members/roster-operation.ts'
import type { Role } from './members/roster-operation.ts'

/** The text that invites someone to a group: a member, the group, and what lets a node in. */
export interface GroupLink {
  readonly nodeId: NodeId
  /** Of that one node. At least one, at most 16; the best first. */
  readonly addresses: readonly LinkAddress[]
  readonly groupId: GroupId
  readonly role: Role
  /** The seed of the invitation's key: 32 bytes. Whoever has it can join. */
  readonly secret: Uint8Array
}

const prefix = 'g/'
const words: InvitationWords = {
  noun: 'link to a group',
  source: 'plait group invite',
  meaning: 'a link to a group',
}

/** `plait://NODEID@HOST:PORT[,HOST:PORT...]/g/GROUP#ROLE.SECRET.CHECK`. */
export function formatGroupLink({ nodeId, addresses, groupId, role, secret }: GroupLink): string {
  return formatInvitation({ nodeId, addresses, path: prefix + groupId, kind: role, secret: encodeBase32(secret) })
}

/**
 * Reads a link to a group; white space around it is ignored. Throws `INVALID_LINK`, whose fact `problem` is `foreign`
 * (something else), `cut-off` or `mistyped`.
 */
export function parseGroupLink(text: string): GroupLink {
  const { nodeId, addresses, path, kind, secret } = parseInvitation(text, words)
  const role = roles.find((one) => one === kind)
  const bytes = decodeBase32(secret)
  const groupId = path.slice(prefix.length)
  if (!path.startsWith(prefix) || role === undefined || bytes === undefined || !isKey(groupId)) throw foreignLink(words)
  return { nodeId, addresses, groupId, role, secret: bytes }
}

function isKey(text: string): boolean {
  try {
    publicKeyFromNodeId(text as NodeId)
    return true
  } catch {
    return false
  }
}
