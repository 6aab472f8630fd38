import { decodeBase32, encodeBase32 } from '../base/bytes.ts'
import type { NodeId } from '../identity/node-id.ts'
import type { LinkAddress } from '../link/link.ts'
import { foreignLink, formatInvitation, parseInvitation, type InvitationWords } from '../node/invitation.ts'

/** The text that invites someone to a network: any member of it, and the key without which nobody gets in. */
export interface NetworkLink {
  readonly nodeId: NodeId
  /** Of that one node. At least one, at most 16; the best first. */
  readonly addresses: readonly LinkAddress[]
  /** The pre-shared key of the network: 32 bytes. Whoever has it is as good as any other member. */
  readonly networkKey: Uint8Array
}

const path = 't'
const kind = 'member'
const words: InvitationWords = {
  noun: 'link to a network',
  source: 'plait sub',
  meaning: 'a link to a network',
}

/** `plait://NODEID@HOST:PORT[,HOST:PORT...]/t#member.KEY.CHECK`. */
export function formatNetworkLink({ nodeId, addresses, networkKey }: NetworkLink): string {
  return formatInvitation({ nodeId, addresses, path, kind, secret: encodeBase32(networkKey) })
}

/**
 * Reads a link to a network; white space around it is ignored. Throws `INVALID_LINK`, whose fact `problem` is `foreign`
 * (something else), `cut-off` or `mistyped`.
 */
export function parseNetworkLink(text: string): NetworkLink {
  const { nodeId, addresses, path: actualPath, kind: actualKind, secret } = parseInvitation(text, words)
  const networkKey = decodeBase32(secret)
  if (actualPath !== path || actualKind !== kind || networkKey === undefined) throw foreignLink(words)
  return { nodeId, addresses, networkKey }
}
