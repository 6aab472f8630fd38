import { readFileSync } from 'node:fs'
import { type Circuit, createNode, type PlaitNode } from 'plait'
import type { Channel, Connection, NodeProof, Peer } from '../peer.ts'
import { proveNode } from './node-proof.ts'

/** plait through its public door: default options, one service, one circuit for each channel. */
export class PlaitPeer implements Peer {
  readonly version: string = installedVersion()
  readonly settings: string
  readonly #wrap: (circuit: Circuit) => Channel
  readonly #nodes: PlaitNode[] = []

  constructor(settings: string, wrap: (circuit: Circuit) => Channel) {
    this.settings = settings
    this.#wrap = wrap
  }

  async listen(accept: (channel: Channel) => void): Promise<string> {
    const node = await createNode({ listen: ['tcp://127.0.0.1:0'] })
    this.#nodes.push(node)
    node.register('bench', { open: 'anyone', start: 'anyone' }, async (peer) => {
      for await (const circuit of peer.incoming) accept(this.#wrap(circuit))
    })
    const address = node.addresses[0]
    if (address === undefined) throw new Error('the node listens nowhere')
    return address
  }

  async dial(address: string): Promise<Connection> {
    const node = await createNode()
    this.#nodes.push(node)
    const url = await node.startRemote(address, 'bench')
    const peer = node.peer('bench')
    return {
      open: async (first) => this.#wrap(await peer.open(url, first === undefined ? undefined : { payload: first })),
    }
  }

  proof(): Promise<readonly NodeProof[]> {
    return Promise.all(this.#nodes.map(proveNode))
  }
}

export function installedVersion(): string {
  const file = new URL('../package.json', import.meta.resolve('plait'))
  return `plait ${(JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version}`
}
