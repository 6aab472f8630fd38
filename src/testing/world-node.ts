import type { NodeId } from '../identity/node-id.ts'
import { createNode } from '../node/create-node.ts'
import type { NodeOptions, PlaitNode } from '../node/node-api.ts'
import { formatUrl } from '../node/url.ts'
import { addressOf, defaultPort, type Host, type Process } from './process.ts'
import { simulatedTransport } from './simulated-transport.ts'
import type { World } from './world.ts'

/** Options of a node, without those that its world gives it. */
export type WorldNodeOptions = Omit<NodeOptions, 'identity' | 'keyFile' | 'listen' | 'runtime' | 'transports'>

/**
 * Sets a new node to work: registers its services, opens circuits. It is called again for each process of the host. What it throws, or
 * rejects with while the process runs, is a violation.
 */
export type Populate = (node: PlaitNode, process: Process) => void | Promise<void>

/** A host that runs a plait node: a new one, with the same identity and address, after each restart. */
export class WorldNode {
  readonly name: string
  readonly host: Host
  /** The node of the present process; undefined while the host is down, and for the moment that it takes to begin. */
  node: PlaitNode | undefined
  readonly #world: World
  readonly #options: WorldNodeOptions
  readonly #populate: Populate

  /** Made by `world.addNode`. */
  constructor(world: World, name: string, options: WorldNodeOptions, populate: Populate) {
    this.name = name
    this.#world = world
    this.#options = options
    this.#populate = populate
    this.host = world.addHost(name, (process) => void this.#start(process))
  }

  get id(): NodeId {
    return this.host.identity.id
  }

  /** `plait://NODEID@HOST:PORT`, the same for the life of the world. */
  get address(): string {
    return formatUrl({ nodeId: this.id, addresses: [addressOf(this.host)] })
  }

  async #start(process: Process): Promise<void> {
    this.node = undefined
    let step = 'did not start'
    try {
      const node = await createNode({
        ...this.#options,
        identity: process.host.identity,
        listen: [`sim://${process.host.address}:${defaultPort}`],
        runtime: process.runtime,
        transports: () => [simulatedTransport(this.#world.network, process)],
      })
      if (process.scope.ended) return
      this.node = node
      step = 'failed at what it was set to do'
      await this.#populate(node, process)
    } catch (error) {
      if (process.scope.ended) return
      const reason = error instanceof Error ? error.stack : String(error)
      this.#world.violation(`the node ${this.name} ${step}: ${reason}`)
    }
  }
}
