import type { Circuit } from '../../../src/circuit/circuit-api.ts'
import type { Peer, PlaitNode } from '../../../src/node/node-api.ts'
import type { FragmentFields } from '../../../src/wire/fragment.ts'

/** What somebody outside sees of the circuits of a node, and may change. */
export interface CircuitHooks {
  /** What is sent instead; nothing when it gives undefined. */
  readonly sends?: (remoteId: string, fragment: FragmentFields) => FragmentFields | undefined
  /** The circuit is ended here, at once, for this. */
  readonly aborts?: (remoteId: string, reason: unknown) => void
}

/** The same node, whose circuits go through hooks. */
export function withHooks(node: PlaitNode, hooks: CircuitHooks): PlaitNode {
  return changed(node, { peer: (name, options) => hookedPeer(node.peer(name, options), hooks) })
}

function hookedPeer(peer: Peer, hooks: CircuitHooks): Peer {
  return changed(peer, {
    incoming: hookedCircuits(peer.incoming, hooks),
    open: async (...given) => hookedCircuit(await peer.open(...given), hooks),
  })
}

async function* hookedCircuits(circuits: AsyncIterable<Circuit>, hooks: CircuitHooks): AsyncIterableIterator<Circuit> {
  for await (const circuit of circuits) yield hookedCircuit(circuit, hooks)
}

function hookedCircuit(circuit: Circuit, { sends, aborts }: CircuitHooks): Circuit {
  const { remoteId } = circuit.context
  return changed(circuit, {
    send: (fragment, options) => {
      const instead = sends === undefined ? fragment : sends(remoteId, fragment)
      return instead === undefined || circuit.send(instead, options)
    },
    abort: (reason) => {
      aborts?.(remoteId, reason)
      circuit.abort(reason)
    },
  })
}

export function changed<Whole extends object>(whole: Whole, changes: Partial<Whole>): Whole {
  return new Proxy(whole, {
    get: (target, key) => {
      if (Object.hasOwn(changes, key)) return changes[key as keyof Whole]
      const value: unknown = Reflect.get(target, key, target)
      return typeof value === 'function' ? (value as (...given: unknown[]) => unknown).bind(target) : value
    },
  })
}
