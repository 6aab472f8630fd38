import type { Circuit } from '../../src/circuit/circuit-api.ts'
import type { Peer, PlaitNode } from '../../src/node/node-api.ts'
import { registerPrey } from './prey.ts'

type Accept = (peer: Peer, circuit: Circuit) => Promise<void>

/** The same services on every node. What `accept` does with a circuit depends on the circuit's plan. */
export function registerServices(node: PlaitNode, accept: Accept, violation: (text: string) => void): void {
  registerPrey(node, violation)
  const open = { open: 'anyone', start: 'anyone' } as const
  const serve = async (peer: Peer): Promise<void> => {
    for await (const circuit of peer.incoming) void accept(peer, circuit)
  }
  for (const name of ['echo', 'sink', 'source', 'talk']) node.register(name, open, serve)
  node.register('secret', {}, serve)
  node.register('single', { ...open, limit: 1 }, serve)
  node.register('versioned', { ...open, version: 2 }, serve)
  // Runs, and takes nobody.
  node.register('shy', open, (peer) => new Promise((resolve) => peer.signal.addEventListener('abort', () => resolve())))
  node.register('failing', open, async (peer) => {
    for await (const circuit of peer.incoming) {
      void accept(peer, circuit)
      throw new Error('this service is broken')
    }
  })
}
