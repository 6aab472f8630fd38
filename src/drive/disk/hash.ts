import { createHash, createHmac, hash, timingSafeEqual } from 'node:crypto'
import type { NodeId } from '../../identity/node-id.ts'

/** SHA-256 of bytes that are all here. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return hash('sha256', bytes, 'buffer')
}

/** A hash of bytes that come in pieces. */
export interface RunningHash {
  update(bytes: Uint8Array): void
  /** Ends the hash. */
  digest(): Uint8Array
}

export function startSha256(): RunningHash {
  return createHash('sha256')
}

/** In constant time; false when the lengths differ. */
export function equalBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && timingSafeEqual(left, right)
}

/** What a proof of a drive's secret is bound to, so that it is worth nothing elsewhere. */
export interface ProofScope {
  readonly driveId: string
  readonly clientId: NodeId
  readonly serverId: NodeId
}

/**
 * HMAC-SHA-256 of the scope under a drive's secret. It shows that the client knows the secret without sending it; the
 * link has proven both node ids already, so that a proof cannot be used by another node.
 */
export function proveSecret(secret: Uint8Array, scope: ProofScope): Uint8Array {
  const hmac = createHmac('sha256', secret)
  for (const part of ['plait drive read 1', scope.driveId, scope.clientId, scope.serverId]) hmac.update(`${part}|`)
  return hmac.digest()
}
