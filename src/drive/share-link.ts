import { PlaitError } from '../base/error.ts'
import { decodeBase32, encodeBase32 } from '../base/bytes.ts'
import { parseNodeId, type NodeId } from '../identity/node-id.ts'
import type { LinkAddress } from '../link/link.ts'
import { formatAddress, parseAddress } from '../node/url.ts'
import { crc32 } from './crc32.ts'

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
const secretCharacters = 52
const checkCharacters = 7
const addressesMax = 16
const linkCharactersMax = 4_096

/**
 * `plait://NODEID@HOST:PORT[,HOST:PORT...]/d/DRIVEID#ROLE.SECRET.CHECK`. CHECK is the CRC-32 of all that stands before
 * it, in base32: it finds every mistyped character and every swap of two neighbours.
 */
export function formatShareLink(link: ShareLink): string {
  const addresses = link.addresses.map(formatAddress).join(',')
  const text = `plait://${link.nodeId}@${addresses}/d/${link.driveId}#${roleLetters[link.role]}.${encodeBase32(link.secret)}.`
  return text + checkOf(text)
}

/**
 * Reads a share link; white space around it is ignored. Throws `INVALID_LINK`, whose fact `problem` is `foreign`
 * (something else), `cut-off`, `mistyped` or `role` (made for a purpose that this version does not know).
 */
export function parseShareLink(text: string): ShareLink {
  const link = text.trim()
  if (!link.startsWith('plait://') || link.length > linkCharactersMax) {
    throw invalid('foreign', 'this is not a share link: one begins with plait:// and is printed by `plait share DIR`')
  }
  const checkStart = link.length - checkCharacters
  const [, secretPart, check, ...rest] = link.slice(link.indexOf('#') + 1).split('.')
  if (isCutOff(link, secretPart, check)) {
    throw invalid('cut-off', 'this share link is cut off at the end; copy all of it, in quotes')
  }
  if (rest.length > 0 || check?.length !== checkCharacters || checkOf(link.slice(0, checkStart)) !== check) {
    throw invalid('mistyped', 'this share link is mistyped: its check does not fit; copy it again from `plait share`')
  }
  return parseParts(link.slice(0, checkStart - 1))
}

/** True for 26 characters of base32 that stand for 16 bytes. */
export function isDriveId(text: string): boolean {
  return text.length === driveIdCharacters && decodeBase32(text)?.length === driveIdBytes
}

function isCutOff(link: string, secret: string | undefined, check: string | undefined): boolean {
  if (!link.includes('#') || secret === undefined) return true
  return check === undefined
    ? secret.length <= secretCharacters
    : secret.length === secretCharacters && check.length < checkCharacters
}

const shape = /^plait:\/\/([a-z2-7]{52})@([^/]+)\/d\/([a-z2-7]{26})#([a-z]+)\.([a-z2-7]{52})$/

/** `text` has passed its check: what does not fit now was never a link that this version could have made. */
function parseParts(text: string): ShareLink {
  const [, nodeId, addresses, driveId, role, secretText] = shape.exec(text) ?? []
  const secret = decodeBase32(secretText ?? '')
  if (!nodeId || !addresses || !driveId || !role || !isDriveId(driveId) || secret?.length !== secretBytes) {
    throw invalid('foreign', 'this is not a link to a shared folder; ask for the one that `plait share DIR` prints')
  }
  if (role !== roleLetters.read) {
    throw invalid(
      'role',
      `this share link was made by a newer plait (it grants \`${role}\`); update plait with \`npm install -g plait\``,
    )
  }
  try {
    return { nodeId: parseNodeId(nodeId), addresses: parseAddresses(addresses), driveId, role: 'read', secret }
  } catch (cause) {
    throw invalid(
      'foreign',
      'this share link names no usable node; ask for the one that `plait share DIR` prints',
      cause,
    )
  }
}

function parseAddresses(text: string): readonly LinkAddress[] {
  const addresses = text.split(',')
  if (addresses.length > addressesMax)
    throw new PlaitError('INVALID_ADDRESS', `a share link names at most ${addressesMax} addresses`)
  return addresses.map(parseAddress)
}

const roleLetters: Readonly<Record<ShareRole, string>> = { read: 'r' }

function checkOf(text: string): string {
  const check = crc32(new TextEncoder().encode(text))
  return encodeBase32(Uint8Array.of(check >>> 24, check >>> 16, check >>> 8, check))
}

function invalid(problem: 'foreign' | 'cut-off' | 'mistyped' | 'role', message: string, cause?: unknown): PlaitError {
  return new PlaitError('INVALID_LINK', message, { facts: { problem }, cause })
}
