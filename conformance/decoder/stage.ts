import { createNode, formatUrl } from 'plait'
import type { Circuit, Fragment, FragmentFields, PlaitNode } from 'plait'
import { createWorld, simulatedTransport } from 'plait/testing'
import type { PathConditions, World } from 'plait/testing'
import { Recorder } from './recorder.ts'
import type { Side } from './recording.ts'

const port = 7_000

/** Two real nodes on virtual time, whose links are recorded, and what their applications have sent and received. */
export class Stage {
  readonly world: World
  readonly recorder: Recorder = new Recorder()
  /** By the number of the circuit. */
  readonly sent: Readonly<Record<Side, Map<number, FragmentFields[]>>> = { a: new Map(), b: new Map() }
  readonly received: Readonly<Record<Side, Map<number, FragmentFields[]>>> = { a: new Map(), b: new Map() }
  readonly #nodes = new Map<Side, PlaitNode>()

  constructor(seed: number, conditions: Partial<PathConditions>) {
    this.world = createWorld({ seed, conditions, timerErrors: false })
    for (const side of ['a', 'b'] as const) {
      this.world.addHost(side, (process) => {
        const transport = this.recorder.around(simulatedTransport(this.world.network, process), side)
        const { identity, address } = process.host
        const { runtime } = process
        void createNode({
          identity,
          listen: [`sim://${address}:${port}`],
          application: { name: 'stage', version: side },
          runtime,
          transports: () => [transport],
        }).then((node) => this.#nodes.set(side, node))
      })
    }
  }

  async ready(): Promise<this> {
    await this.world.run(() => this.#nodes.size === 2, 1_000)
    return this
  }

  node(side: Side): PlaitNode {
    const node = this.#nodes.get(side)
    if (node === undefined) throw new Error(`${side} has not begun`)
    return node
  }

  address(side: Side): string {
    const { identity, address } = this.world.host(side)
    return formatUrl({ nodeId: identity.id, addresses: [{ host: address, port }] })
  }

  /** Opens a circuit from `side`; `first` travels with the request. */
  async open(side: Side, service: string, first?: FragmentFields): Promise<Circuit> {
    const url = `${this.address(side === 'a' ? 'b' : 'a')}/${service}`
    const circuit = await this.world.settle(this.node(side).peer('caller').open(url, first))
    if (first !== undefined) this.#note(this.sent[side], circuit, first)
    return circuit
  }

  send(side: Side, circuit: Circuit, ...fragments: readonly FragmentFields[]): void {
    for (const fragment of fragments) {
      circuit.send(fragment, { copy: true })
      this.#note(this.sent[side], circuit, fragment)
    }
  }

  /** Keeps all that comes on a circuit, in order, errors among it. Ends when the other side does. */
  async collect(side: Side, circuit: Circuit): Promise<void> {
    const take = async (fragments: AsyncIterable<Fragment>): Promise<void> => {
      for await (const fragment of fragments) this.#note(this.received[side], circuit, fragment)
    }
    void take(circuit.errors)
    await take(circuit)
  }

  #note(log: Map<number, FragmentFields[]>, circuit: Circuit, fragment: FragmentFields): void {
    const fragments = log.get(circuit.id) ?? []
    log.set(circuit.id, fragments)
    fragments.push(fragment)
  }
}
