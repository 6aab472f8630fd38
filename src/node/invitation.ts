import { encodeBase32 } from '../base/bytes.ts'
import { crc32 } from '../base/crc32.ts'
import { PlaitError } from '../base/error.ts'
import { parseNodeId, type NodeId } from '../identity/node-id.ts'
import type { LinkAddress } from '../link/link.ts'
import { formatAddress, parseAddress } from './url.ts'

/**
 * What the texts that invite people have in common: where a node is, what is meant there, and what has to be known to get it.
 * `plait://NODEID@HOST:PORT[,HOST:PORT...]/PATH#KIND.SECRET.CHECK`
 */
export interface Invitation {
  readonly nodeId: NodeId
  /** At least one, at most 16; the best first. */
  readonly addresses: readonly LinkAddress[]
  readonly path: string
  /** Lower-case letters. */
  readonly kind: string
  /** 32 bytes in base32: 52 characters. */
  readonly secret: string
}

/** How errors speak of an invitation. */
export interface InvitationWords {
  /** `share link` */
  readonly noun: string
  /** `plait share DIR` */
  readonly source: string
  /** `a link to a shared folder` */
  readonly meaning: string
}

const scheme = 'plait://'
const secretCharacters = 52
const checkCharacters = 7
const addressesMax = 16
const charactersMax = 4_096

/**
 * CHECK is the CRC-32 of all that stands before it, in base32: it finds every mistyped character and every swap of two
 * neighbours.
 */
export function formatInvitation({ nodeId, addresses, path, kind, secret }: Invitation): string {
  const text = `${scheme}${nodeId}@${addresses.map(formatAddress).join(',')}/${path}#${kind}.${secret}.`
  return text + checkOf(text)
}

/**
 * Reads an invitation; white space around it is ignored. Whether `path`, `kind` and `secret` can be is for the caller to
 * judge. Throws `INVALID_LINK`, whose fact `problem` is `foreign` (something else), `cut-off` or `mistyped`.
 */
export function parseInvitation(text: string, words: InvitationWords): Invitation {
  const { noun, source } = words
  const link = text.trim()
  if (!link.startsWith(scheme) || link.length > charactersMax) {
    throw invalidLink('foreign', `this is not a ${noun}: one begins with ${scheme} and is printed by \`${source}\``)
  }
  const checkStart = link.length - checkCharacters
  const [, secretPart, check, ...rest] = link.slice(link.indexOf('#') + 1).split('.')
  if (isCutOff(link, secretPart, check)) {
    throw invalidLink('cut-off', `this ${noun} is cut off at the end; copy all of it, in quotes`)
  }
  if (rest.length > 0 || check?.length !== checkCharacters || checkOf(link.slice(0, checkStart)) !== check) {
    throw invalidLink('mistyped', `this ${noun} is mistyped: its check does not fit; copy it again from \`${source}\``)
  }
  return parseParts(link.slice(0, checkStart - 1), words)
}

/** For a text whose check fits: it was never a link of this kind that this version could have made. */
export function foreignLink({ meaning, source }: InvitationWords): PlaitError {
  return invalidLink('foreign', `this is not ${meaning}; ask for the one that \`${source}\` prints`)
}

/** An error about a link, which never holds the link itself. */
export function invalidLink(
  problem: 'foreign' | 'cut-off' | 'mistyped' | 'role',
  message: string,
  cause?: unknown,
): PlaitError {
  return new PlaitError('INVALID_LINK', message, { facts: { problem }, cause })
}

function isCutOff(link: string, secret: string | undefined, check: string | undefined): boolean {
  if (!link.includes('#') || secret === undefined) return true
  return check === undefined
    ? secret.length <= secretCharacters
    : secret.length === secretCharacters && check.length < checkCharacters
}

const shape = /^plait:\/\/([a-z2-7]{52})@([^/]+)\/([^#]+)#([a-z]+)\.([a-z2-7]{52})$/

/** `text` has passed its check. */
function parseParts(text: string, words: InvitationWords): Invitation {
  const [, nodeId, addresses, path, kind, secret] = shape.exec(text) ?? []
  if (!nodeId || !addresses || !path || !kind || !secret) throw foreignLink(words)
  try {
    return { nodeId: parseNodeId(nodeId), addresses: parseAddresses(addresses), path, kind, secret }
  } catch (cause) {
    throw invalidLink(
      'foreign',
      `this ${words.noun} names no usable node; ask for the one that \`${words.source}\` prints`,
      cause,
    )
  }
}

function parseAddresses(text: string): readonly LinkAddress[] {
  const addresses = text.split(',')
  if (addresses.length > addressesMax)
    throw new PlaitError('INVALID_ADDRESS', `a link names at most ${addressesMax} addresses`)
  return addresses.map(parseAddress)
}

function checkOf(text: string): string {
  const check = crc32(new TextEncoder().encode(text))
  return encodeBase32(Uint8Array.of(check >>> 24, check >>> 16, check >>> 8, check))
}
