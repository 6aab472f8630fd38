import { PlaitError } from '../../base/error.ts'
import type { NodeId } from '../../identity/node-id.ts'
import type { DialOptions, Link, LinkAddress, Listener, Transport } from '../link.ts'
import { memoryLinks, type MemoryRuntime } from './memory-link.ts'

export { memoryLinks, type MemoryRuntime } from './memory-link.ts'

interface Listening {
  readonly id: NodeId
  readonly accept: (link: Link) => void
}

/** Who listens where, in one process. */
export class MemoryNetwork {
  readonly runtime: MemoryRuntime
  readonly #listeningByPort = new Map<number, Listening>()
  #nextPort = 1

  constructor(runtime: MemoryRuntime) {
    this.runtime = runtime
  }

  find(port: number): Listening | undefined {
    return this.#listeningByPort.get(port)
  }

  /** Returns the port. Throws `INVALID_ADDRESS` when it is taken. */
  add(port: number, listening: Listening): number {
    if (this.#listeningByPort.has(port)) {
      throw new PlaitError(
        'INVALID_ADDRESS',
        `somebody listens on port ${port} of this memory network; choose another (0 picks a free one)`,
        { facts: { port } },
      )
    }
    const chosen = port === 0 ? this.#freePort() : port
    this.#listeningByPort.set(chosen, listening)
    return chosen
  }

  #freePort(): number {
    while (this.#listeningByPort.has(this.#nextPort)) this.#nextPort += 1
    return this.#nextPort
  }

  remove(port: number, listening: Listening): void {
    if (this.#listeningByPort.get(port) === listening) this.#listeningByPort.delete(port)
  }
}

/** Links inside one process (scheme `memory`); the transports of one network reach each other by port, whatever the host's name. */
export function memoryTransport({ network, id }: { readonly network: MemoryNetwork; readonly id: NodeId }): Transport {
  return {
    scheme: 'memory',
    dial: (address, options) => dial(network, id, address, options),
    async listen(address, accept): Promise<Listener> {
      const listening = { id, accept }
      const port = network.add(address.port, listening)
      return {
        address: { host: address.host, port },
        async close() {
          network.remove(port, listening)
        },
      }
    },
  }
}

function dial(
  network: MemoryNetwork,
  id: NodeId,
  address: LinkAddress,
  { remoteId, signal }: DialOptions,
): Promise<Link> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal?.reason)
    if (signal?.aborted === true) return onAbort()
    signal?.addEventListener('abort', onAbort)
    network.runtime.timers.endOfTurn(() => {
      signal?.removeEventListener('abort', onAbort)
      if (signal?.aborted === true) return
      const listening = network.find(address.port)
      const error = refusal(listening, address, remoteId)
      if (listening === undefined || error !== undefined) return reject(error)
      const [near, far] = memoryLinks(network.runtime, id, listening.id, `${address.host}:${address.port}`)
      listening.accept(far)
      resolve(near)
    })
  })
}

function refusal(
  listening: Listening | undefined,
  { host, port }: LinkAddress,
  remoteId: NodeId,
): PlaitError | undefined {
  const address = `${host}:${port}`
  if (listening === undefined)
    return new PlaitError('UNREACHABLE', `nobody listens at ${address} of this memory network`, {
      facts: { host, port },
    })
  if (listening.id === remoteId) return undefined
  return new PlaitError('WRONG_KEY', `at ${address} another node answered than the one that was dialled`, {
    facts: { address, expected: remoteId, found: listening.id },
  })
}
