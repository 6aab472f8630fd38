import type { NodeProof, SessionProof } from '../peers/peer.ts'
import { baseline, isMesh, needsPackage } from './names.ts'
import { ratioBetween, type Sample } from './rows.ts'

/** What raw tls must at least be in W3, as a multiple of another row: a slower tls row would flatter everyone else. */
const leastGains = [
  { over: 'tls-unbatched', least: 1.6 },
  { over: 'protomux-corked', least: 2 },
] as const

/** Why the figures of a run must not be used; empty when they may. */
export function reasonsVoid(samples: readonly Sample[]): string[] {
  const reasons: string[] = []
  for (const { over, least } of leastGains) {
    const gain = ratioBetween(samples, 'W3', 'rate', baseline, over)?.median
    if (gain === undefined || gain >= least) continue
    reasons.push(
      `tls is only ${gain.toFixed(2)}x ${over} in W3, instead of ${least}x: the baseline is not what it should be`,
    )
  }
  for (const sample of samples.filter(({ peer }) => needsPackage(peer))) {
    for (const reason of unproven(sample))
      reasons.push(`${sample.workload}, ${sample.peer}, repeat ${sample.repeat}: ${reason}`)
  }
  return [...new Set(reasons)]
}

/**
 * What the snapshots of both ends do not show: each knows the other's key, both are ready, acknowledge, and give credit. Where all nodes
 * connect with one another, a session may be with a node of its own end.
 */
function unproven({ peer, proof: { dial, listen } }: Sample): string[] {
  const dialled = new Set(dial.map(({ id }) => id))
  const listening = new Set(listen.map(({ id }) => id))
  const all = new Set([...dialled, ...listening])
  const reasons = [
    ...unprovenEnd('dialling', dial, isMesh(peer) ? all : listening),
    ...unprovenEnd('listening', listen, dialled),
  ]
  const known = listen.flatMap(({ sessions }) => sessions.map(({ remoteId }) => remoteId))
  if (dial.length === 0 || listen.length === 0) reasons.push('an end shows no node')
  if (new Set(known).size !== known.length || (known.length !== dialled.size && !isMesh(peer)))
    reasons.push('the listening end does not know each dialler once')
  const features = (nodes: readonly NodeProof[]): Set<string> =>
    new Set(nodes.flatMap(({ sessions }) => sessions.flatMap((session) => session.features)))
  const [dialFeatures, listenFeatures] = [features(dial), features(listen)]
  const odd = [...dialFeatures, ...listenFeatures].filter(
    (feature) => !dialFeatures.has(feature) || !listenFeatures.has(feature),
  )
  if (odd.length > 0) reasons.push(`only one end has ${odd.join(', ')}`)
  return reasons
}

function unprovenEnd(side: string, nodes: readonly NodeProof[], others: ReadonlySet<string>): string[] {
  const reasons: string[] = []
  for (const { sessions } of nodes) {
    if (sessions.length === 0) reasons.push(`a node of the ${side} end has no session`)
    for (const session of sessions) {
      const lacking = lackOf(session, others)
      if (lacking !== undefined) reasons.push(`a session of the ${side} end ${lacking}`)
    }
  }
  return reasons
}

function lackOf(session: SessionProof, others: ReadonlySet<string>): string | undefined {
  if (!others.has(session.remoteId)) return "names a remote key that is not the other end's: no mutual authentication"
  if (session.state !== 'ready') return `is ${session.state} instead of ready`
  if (session.framesAcknowledged === 0) return 'has nothing acknowledged'
  if (session.circuits === 0) return 'shows no circuit'
  if (!(session.windowBytesMin > 0)) return 'has a circuit without credit'
  return undefined
}
