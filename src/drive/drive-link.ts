import { decodeBase32, encodeBase32 } from '../base/bytes.ts'
import type { GroupId } from '../causal/group-api.ts'
import { formatGroupLink, parseGroupLink } from '../causal/group-link.ts'
import type { GroupLink } from '../causal/group-link.ts'
import { foreignLink, formatInvitation, parseInvitation, type InvitationWords } from '../node/invitation.ts'

/** The text that invites someone to a drive: a member, the drive, and what lets a node in. */
export interface DriveLink extends Omit<GroupLink, 'groupId'> {
  readonly driveId: GroupId
}

const prefix = 'd/'
const words: InvitationWords = {
  noun: 'share link',
  source: 'plait share DIR',
  meaning: 'a link to a shared folder',
}

/** `plait://NODEID@HOST:PORT[,HOST:PORT...]/d/DRIVE#ROLE.SECRET.CHECK`. */
export function formatDriveLink({ driveId, role, secret, nodeId, addresses }: DriveLink): string {
  return formatInvitation({ nodeId, addresses, path: prefix + driveId, kind: role, secret: encodeBase32(secret) })
}

/**
 * Reads a link to a drive; white space around it is ignored. Throws `INVALID_LINK`, whose fact `problem` is `foreign` (something else),
 * `cut-off` or `mistyped`.
 */
export function parseDriveLink(text: string): DriveLink {
  const { nodeId, addresses, path, kind, secret } = parseInvitation(text, words)
  const bytes = decodeBase32(secret)
  if (!path.startsWith(prefix) || bytes === undefined) throw foreignLink(words)
  try {
    // What a group says of its links holds for those of drives.
    const group = {
      nodeId,
      addresses,
      groupId: path.slice(prefix.length),
      role: kind as GroupLink['role'],
      secret: bytes,
    }
    const { role, groupId } = parseGroupLink(formatGroupLink(group))
    return { nodeId, addresses, driveId: groupId, role, secret: bytes }
  } catch {
    throw foreignLink(words)
  }
}

/** The link of the group that a drive is. */
export function groupLinkOf(text: string): string {
  const { driveId, ...rest } = parseDriveLink(text)
  return formatGroupLink({ ...rest, groupId: driveId })
}

/** The link of the drive that a group is. */
export function driveLinkOf(groupLink: string): string {
  const { groupId, ...rest } = parseGroupLink(groupLink)
  return formatDriveLink({ ...rest, driveId: groupId })
}
