import { ratioBetween } from '../harness/rows.ts'
import type { FeedSample } from './feed-sample.ts'
import { floors, rival, us } from './tool-names.ts'
import type { LinkProof } from './tool.ts'

/** An append that is alone waits for the disk like the plain file; who is that much faster has not waited. */
const fasterThanDiskMost = 3

export interface Setting {
  /** The folder is in memory: syncing it costs nothing. */
  readonly isInMemory: boolean
  /** The version of hypercore that package.json names, as in `hypercore 11.37.1`. */
  readonly pinned: string
}

/** Why the figures of a run must not be used; empty when they may. */
export function feedReasonsVoid(samples: readonly FeedSample[], { isInMemory, pinned }: Setting): string[] {
  const reasons: string[] = []
  if (isInMemory) reasons.push('the folder is in memory, where a sync costs nothing: give one on a disk with --folder')
  for (const tool of new Set(samples.map(({ peer }) => peer))) {
    const versions = [...new Set(samples.filter(({ peer }) => peer === tool).flatMap((sample) => sample.versions))]
    if (versions.length > 1) reasons.push(`${tool} changed while it was measured: ${versions.join('; ')}`)
    if (tool === rival && versions.some((version) => !version.startsWith(`${pinned},`)))
      reasons.push(`${versions.join('; ')} is installed instead of ${pinned}`)
  }
  const ahead = ratioBetween(samples, 'A1-awaited', 'rate', us, 'file')?.median
  if (ahead !== undefined && ahead > fasterThanDiskMost)
    reasons.push(`single appends of ${us} are ${ahead.toFixed(1)}x a plain file that is synced: they are not synced`)
  return [...reasons, ...samples.flatMap(unproven)]
}

function unproven({ workload, peer, repeat, links, relayed }: FeedSample): string[] {
  const place = `${workload}, ${peer}, repeat ${repeat}`
  const reasons: string[] = []
  if (links !== undefined && !floors.includes(peer) && !mirrored(links.serve, links.fetch))
    reasons.push(`${place}: the ends do not name each other's keys`)
  if (relayed !== undefined && relayed.bytes < relayed.payloadBytes)
    reasons.push(`${place}: less than the blocks went through the relay`)
  return reasons
}

/** Each end has one connection, to the other one. */
function mirrored(serve: readonly LinkProof[], fetch: readonly LinkProof[]): boolean {
  const [server, client] = [serve[0], fetch[0]]
  if (server === undefined || client === undefined || serve.length > 1 || fetch.length > 1) return false
  const isNamed = server.own !== '' && client.own !== '' && server.own !== client.own
  return isNamed && server.own === client.remote && server.remote === client.own
}
