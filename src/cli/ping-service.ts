import { PlaitError } from '../base/error.ts'
import { messenger } from '../message/messenger.ts'
import type { NodeId } from '../identity/node-id.ts'
import type { PlaitNode } from '../node/node-api.ts'
import { formatUrl } from '../node/url.ts'

/** What `plait ping` opens a circuit to. */
export const pingService = 'plait.ping'

/** Circuits that anyone may have open to it; more are reset with `BUSY`. */
const circuitsMax = 64
/** Of a ping through a running program, for each of its two steps. */
const stepTimeoutMs = 4_000

/** Answers pings of anyone who can connect: a messenger does so by itself. */
export function servePings(node: PlaitNode): void {
  node.register(pingService, { open: 'anyone', start: 'anyone', limit: 1 }, async (peer) => {
    for await (const circuit of peer.incoming) {
      if (peer.circuits.size > circuitsMax) circuit.abort(new PlaitError('BUSY', 'too many are pinging this node'))
      else messenger(circuit)
    }
  })
}

/**
 * Pings a node with which `node` has a session; resolves to the time in ms. Rejects with `UNREACHABLE` when there is no such session,
 * and with what opening a circuit and asking reject with.
 */
export async function pingPeer(node: PlaitNode, nodeId: NodeId): Promise<number> {
  if (!node.snapshot().sessions.some(({ remoteId, state }) => remoteId === nodeId && state !== 'connecting'))
    throw new PlaitError('UNREACHABLE', 'this program has no session with that node')
  await using peer = node.peer('ping')
  const circuit = await peer.open(formatUrl({ nodeId, addresses: [], service: pingService }), undefined, {
    timeoutMs: stepTimeoutMs,
  })
  const messages = messenger(circuit)
  try {
    return await messages.ping({ deadlineMs: stepTimeoutMs })
  } finally {
    await messages.close()
  }
}
