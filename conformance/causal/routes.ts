import { PlaitError } from 'plait'
import type { Link, LinkAddress, Transport } from 'plait'

/** Which way a node dials: through a proxy, or not at all. Links between two nodes are cut when both do not dial each other. */
export class Routes {
  /** Where a port is really dialled. */
  readonly portByPort: Map<number, number> = new Map()
  #blocked: ReadonlySet<number> = new Set()
  readonly #links = new Map<Link, number>()

  /** Dials these ports no more, and ends what was dialled there. */
  block(ports: readonly number[]): void {
    this.#blocked = new Set(ports)
    for (const [link, port] of this.#links) {
      if (!this.#blocked.has(port)) continue
      this.#links.delete(link)
      link.abort(refusal())
    }
  }

  over(inner: Transport): Transport {
    return {
      scheme: inner.scheme,
      listen: (address, accept) => inner.listen(address, accept),
      dial: async (address, options) => {
        if (this.#blocked.has(address.port)) throw refusal()
        const link = await inner.dial(this.#routed(address), options)
        this.#links.set(link, address.port)
        return link
      },
    }
  }

  #routed({ host, port }: LinkAddress): LinkAddress {
    return { host, port: this.portByPort.get(port) ?? port }
  }
}

function refusal(): PlaitError {
  return new PlaitError('UNREACHABLE', 'the network is cut here')
}
