import type { Circuit, Peer, PlaitNode } from 'plait'
import { feedOps } from '../../src/feed/messages.ts'

/** Changes blocks and chunks that it sends, or sends none. */
export type Mischief = 'lie' | 'stall'

/** A node whose circuits for feeds do mischief. */
export function tampering(node: PlaitNode, mischief: Mischief | undefined): PlaitNode {
  if (mischief === undefined) return node
  return changed(node, {
    peer: (name: string, options?: Parameters<PlaitNode['peer']>[1]) =>
      tamperingPeer(node.peer(name, options), mischief),
  })
}

function tamperingPeer(peer: Peer, mischief: Mischief): Peer {
  return changed(peer, { incoming: tamperingCircuits(peer.incoming, mischief) })
}

async function* tamperingCircuits(circuits: AsyncIterable<Circuit>, mischief: Mischief): AsyncGenerator<Circuit> {
  for await (const circuit of circuits) {
    const send: Circuit['send'] = (fragment, options) => {
      const isAnswer = fragment.op === feedOps.data || fragment.op === feedOps.chunks
      if (!isAnswer || fragment.payload === undefined) return circuit.send(fragment, options)
      if (mischief === 'stall') return true
      const payload = fragment.payload.slice()
      payload[payload.length - 1] = (payload[payload.length - 1] ?? 0) ^ 1
      return circuit.send({ ...fragment, payload }, options)
    }
    yield changed(circuit, { send })
  }
}

/** The same object but for some of what it has. */
function changed<Value extends object>(value: Value, changes: Partial<Value>): Value {
  return new Proxy(value, {
    get(target, name) {
      if (name in changes) return changes[name as keyof Value]
      const found: unknown = Reflect.get(target, name, target)
      return typeof found === 'function' ? found.bind(target) : found
    },
  })
}
