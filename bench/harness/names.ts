/** What can be measured, in the order of the table. */
export const workloadNames: readonly string[] = ['W1', 'W2', 'W3', 'W4', 'W5', 'W6', 'W7']

interface Entry {
  /** Packages of this folder's package.json, and programs, without which it cannot run. */
  readonly packages?: readonly string[]
  readonly programs?: readonly string[]
  /** Why it cannot run a workload, by the workload's name. */
  readonly lacks?: Readonly<Record<string, string>>
  /** The part of the full counts that it does: so that a slow peer does not take an hour. Rates do not depend on it. */
  readonly shares?: Readonly<Record<string, number>>
  /** Its nodes connect with each other, not only with the listening end. */
  readonly isMesh?: boolean
}

const noStreams = { W5: 'it has no streams', W7: 'it has no streams' }

/** Messages are measured in what only they do; the rest is the circuit's. */
const notMessages = 'it is measured with plait'
const noBroadcast = { W4: notMessages, W5: notMessages, W6: notMessages, W7: notMessages }
const onlyRequests = { ...noBroadcast, W3: notMessages }

/** Topics, and what stands for them, are measured in what only they do. */
const topics = 'it brings messages from one to many'
const onlyBroadcast = { W1: topics, W2: topics, W3: topics, W4: topics, W5: topics, W7: topics }

const libp2pPackages = ['libp2p', '@libp2p/tcp', '@libp2p/tls', '@libp2p/yamux', '@multiformats/multiaddr']

const entriesByPeer = new Map<string, Entry>([
  ['net', {}],
  ['tls', {}],
  ['tls-unbatched', {}],
  ['plait', {}],
  ['plait-iterator', {}],
  ['plait-messages', { lacks: noBroadcast }],
  ['plait-messages-cbor', { lacks: onlyRequests }],
  ['plait-topics', { lacks: onlyBroadcast, isMesh: true }],
  ['plait-topics-tree', { lacks: onlyBroadcast, isMesh: true }],
  ['protomux-corked', { packages: ['protomux', '@hyperswarm/secret-stream'] }],
  ['protomux', { packages: ['protomux', '@hyperswarm/secret-stream'] }],
  ['wss', { packages: ['ws'], lacks: noStreams }],
  ['zeromq', { packages: ['zeromq'], lacks: noStreams, shares: { W6: 0.25 } }],
  ['nats', { packages: ['@nats-io/transport-node'], programs: ['nats-server'] }],
  [
    'libp2p',
    {
      packages: libp2pPackages,
      shares: { W3: 0.5 },
    },
  ],
  [
    'libp2p-gossipsub',
    {
      packages: [...libp2pPackages, '@libp2p/gossipsub', '@libp2p/identify'],
      lacks: onlyBroadcast,
      shares: { W6: 0.02 },
    },
  ],
  ['grpc', { packages: ['@grpc/grpc-js'], shares: { W2: 0.1, W3: 0.2 } }],
  ['capnweb', { packages: ['capnweb', 'ws'], shares: { W2: 0.3, W3: 0.2, W4: 0.25, W6: 0.25 } }],
])

export const peerNames: readonly string[] = [...entriesByPeer.keys()]

/** The row that all others are compared with. */
export const baseline: string = 'tls'

const raw = new Set(['net', 'tls', 'tls-unbatched'])

export function workloadModule(name: string): string {
  return new URL(`../workloads/${name.toLowerCase()}.ts`, import.meta.url).href
}

export function peerModule(name: string): string {
  return new URL(`../peers/${name}.ts`, import.meta.url).href
}

export function needsPackage(peer: string): boolean {
  return peer.startsWith('plait')
}

export function isMesh(peer: string): boolean {
  return entriesByPeer.get(peer)?.isMesh ?? false
}

/** What somebody would pick instead of plait; plain sockets are the limit, not a choice. */
export function isRival(peer: string): boolean {
  return !raw.has(peer) && !needsPackage(peer)
}

export function packagesOf(peer: string): readonly string[] {
  return entriesByPeer.get(peer)?.packages ?? []
}

export function programsOf(peer: string): readonly string[] {
  return entriesByPeer.get(peer)?.programs ?? []
}

/** Why this peer cannot run the workload; undefined when it can. */
export function lackOf(peer: string, workload: string): string | undefined {
  return entriesByPeer.get(peer)?.lacks?.[workload]
}

export function shareOf(peer: string, workload: string): number {
  return entriesByPeer.get(peer)?.shares?.[workload] ?? 1
}
