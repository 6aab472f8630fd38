import { PlaitError } from '../../base/error.ts'
import { defaultLimits } from '../../base/limits.ts'
import type { RemotePeer } from './shared-feed.ts'

/** What every message costs, whatever it has in it. */
const messageBytes = 64

/** Something has come that nobody waits for. Throws `LIMIT` when it has become too much; what was taken back does not count. */
export function noteUseless(peer: RemotePeer, bytes: number): void {
  const excused = Math.min(peer.excusedBytes, bytes)
  peer.excusedBytes -= excused
  peer.uselessBytes += bytes - excused + messageBytes
  if (peer.uselessBytes <= defaultLimits.uselessBytes) return
  throw new PlaitError('LIMIT', 'the other side sent what nobody asked for', { traced: false })
}

/** So much may come yet of what was asked for, and is not waited for any longer. */
export function excuse(peer: RemotePeer, bytes: number): void {
  peer.excusedBytes = Math.min(defaultLimits.uselessBytes, peer.excusedBytes + bytes)
}

/** So much has come that was asked for. */
export function noteUseful(peer: RemotePeer, bytes: number): void {
  peer.strikes = 0
  peer.uselessBytes = Math.max(0, peer.uselessBytes - bytes)
}
