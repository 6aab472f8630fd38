import type { Circuit } from '../../src/circuit/circuit-api.ts'
import type { Peer, PlaitNode, Service } from '../../src/node/node-api.ts'
import type { PathConditions } from '../../src/testing/path.ts'
import { World } from '../../src/testing/world.ts'
import { WorldNode } from '../../src/testing/world-node.ts'
import type { WorldNodeOptions } from '../../src/testing/world-node.ts'

/** 10 ms each way, nothing drawn. */
const quiet = { latencyMs: 10, jitterMs: 0, gridMs: 1, splits: 0, bytesPerMs: 1e6, readsLate: false }

/** Sends back what comes. */
export const echo: Service = async (peer) => {
  const serve = async (circuit: Circuit): Promise<void> => {
    for await (const { op, payload } of circuit) circuit.send({ op, payload })
  }
  for await (const circuit of peer.incoming) void serve(circuit).catch(() => {})
}

/** Nodes in a world, with a diary of what they report. */
export class Town {
  readonly world: World
  readonly events: string[] = []
  readonly #nodes = new Map<string, WorldNode>()

  constructor(seed = 1, conditions: Partial<PathConditions> = quiet) {
    this.world = new World({ seed, conditions, timerErrors: false })
  }

  async add(
    name: string,
    options: WorldNodeOptions = {},
    populate: (node: PlaitNode) => void = () => {},
  ): Promise<PlaitNode> {
    const worldNode = new WorldNode(this.world, name, options, (node) => {
      for (const event of [
        'session',
        'sessionend',
        'suspect',
        'recovered',
        'lost',
        'resumed',
        'servicefailed',
      ] as const) {
        node.addEventListener(event, ({ detail }) => {
          const error =
            'error' in detail && detail.error instanceof Error
              ? ` ${'code' in detail.error ? String(detail.error.code) : detail.error.message}`
              : ''
          this.events.push(`${name} ${event}${error}`)
        })
      }
      populate(node)
    })
    this.#nodes.set(name, worldNode)
    await this.world.run(() => worldNode.node !== undefined, 1_000)
    return this.node(name)
  }

  has(name: string): boolean {
    return this.#nodes.get(name)?.node !== undefined
  }

  node(name: string): PlaitNode {
    const node = this.#nodes.get(name)?.node
    if (node === undefined) throw new Error(`${name} is down`)
    return node
  }

  address(name: string): string {
    const node = this.#nodes.get(name)
    if (node === undefined) throw new Error(`there is no ${name}`)
    return node.address
  }

  /** What became of a promise, and how many virtual ms it took. */
  async outcome(promise: Promise<unknown>): Promise<{ code: string; ms: number }> {
    const before = this.world.now
    let code = 'ok'
    await this.world.settle(
      promise.catch((error: unknown) => (code = (error as { code?: string }).code ?? String(error))),
    )
    return { code, ms: this.world.now - before }
  }
}

/** Two nodes, the second of which has the service `echo`. */
export async function pair(
  options: { a?: WorldNodeOptions; b?: WorldNodeOptions } = {},
): Promise<{ town: Town; a: PlaitNode; b: PlaitNode; hello: Peer }> {
  const town = new Town()
  const a = await town.add('a', options.a)
  const b = await town.add('b', options.b)
  b.register('echo', { open: 'anyone', start: 'anyone' }, echo)
  return { town, a, b, hello: a.peer('hello') }
}
