import { setTimeout as sleep } from 'node:timers/promises'
import type { PlaitNode } from 'plait'
import type { NodeProof } from '../peer.ts'

const patienceMs = 1_000
const pauseMs = 20

/** What a node's snapshot says of its sessions. Waits a little, because the last acknowledgement may still be on its way. */
export async function proveNode(node: PlaitNode): Promise<NodeProof> {
  let proof = read(node)
  for (let waited = 0; waited < patienceMs && !settled(proof); waited += pauseMs) {
    await sleep(pauseMs)
    proof = read(node)
  }
  return proof
}

function read(node: PlaitNode): NodeProof {
  const { id, sessions } = node.snapshot()
  return {
    id: String(id),
    sessions: sessions.map((session) => ({
      remoteId: String(session.remoteId),
      state: session.state,
      features: session.features,
      framesAcknowledged: session.framesAcknowledged,
      circuits: session.circuits.length,
      windowBytesMin: session.circuits.reduce((least, circuit) => Math.min(least, circuit.windowBytes), Infinity),
    })),
  }
}

function settled(proof: NodeProof): boolean {
  return proof.sessions.every((session) => session.framesAcknowledged > 0)
}
