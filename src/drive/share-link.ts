import { decodeBase32, encodeBase32 } from '../base/bytes.ts'
import type { NodeId } from '../identity/node-id.ts'
import type { LinkAddress } from '../link/link.ts'
import {
  foreignLink,
  formatInvitation,
  invalidLink,
  parseInvitation,
  type InvitationWords,
} from '../node/invitation.ts'

/** What a share link lets its holder do. */
export type ShareRole = 'read'

/** The text that invites someone: where a drive is, and the secret that opens it. */
export interface ShareLink {
  readonly nodeId: NodeId
  /** At least one, at most 16; the best first. */
  readonly addresses: readonly LinkAddress[]
  /** 16 bytes in base32: 26 characters. */
  readonly driveId: string
  readonly role: ShareRole
  /** 32 bytes; never printed apart from the link, never sent. */
  readonly secret: Uint8Array
}

export const driveIdBytes = 16
export const secretBytes = 32
const driveIdCharacters = 26

const words: InvitationWords = {
  noun: 'share link',
  source: 'plait share DIR',
  meaning: 'a link to a shared folder',
}
const roleLetters: Readonly<Record<ShareRole, string>> = { read: 'r' }

/** `plait://NODEID@HOST:PORT[,HOST:PORT...]/d/DRIVEID#ROLE.SECRET.CHECK`. */
export function formatShareLink({ nodeId, addresses, driveId, role, secret }: ShareLink): string {
  const kind = roleLetters[role]
  return formatInvitation({ nodeId, addresses, path: `d/${driveId}`, kind, secret: encodeBase32(secret) })
}

/**
 * Reads a share link; white space around it is ignored. Throws `INVALID_LINK`, whose fact `problem` is `foreign`
 * (something else), `cut-off`, `mistyped` or `role` (made for a purpose that this version does not know).
 */
export function parseShareLink(text: string): ShareLink {
  const { nodeId, addresses, path, kind, secret: secretText } = parseInvitation(text, words)
  const driveId = path.startsWith('d/') ? path.slice(2) : ''
  const secret = decodeBase32(secretText)
  if (!isDriveId(driveId) || secret?.length !== secretBytes) throw foreignLink(words)
  if (kind !== roleLetters.read) {
    throw invalidLink(
      'role',
      `this share link was made by a newer plait (it grants \`${kind}\`); update plait with \`npm install -g plait\``,
    )
  }
  return { nodeId, addresses, driveId, role: 'read', secret }
}

/** True for 26 characters of base32 that stand for 16 bytes. */
export function isDriveId(text: string): boolean {
  return text.length === driveIdCharacters && decodeBase32(text)?.length === driveIdBytes
}
