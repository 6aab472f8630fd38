import type { NodeId } from '../identity/node-id.ts'
import type { LinkAddress } from '../link/link.ts'

const nodesMax = 1_024

/** Which address of a node has worked last. The oldest of 1,024 is forgotten. */
export class KnownAddresses {
  readonly #addressById = new Map<NodeId, LinkAddress>()

  worked(id: NodeId, address: LinkAddress): void {
    this.#addressById.delete(id)
    this.#addressById.set(id, address)
    if (this.#addressById.size <= nodesMax) return
    for (const oldest of this.#addressById.keys()) {
      this.#addressById.delete(oldest)
      return
    }
  }

  /** `addresses` in the order in which to try them: the one that has worked first; last if nobody names it any more. */
  order(id: NodeId, addresses: readonly LinkAddress[]): readonly LinkAddress[] {
    const known = this.#addressById.get(id)
    if (known === undefined) return addresses
    const others = addresses.filter((address) => !sameAddress(address, known))
    return others.length < addresses.length ? [known, ...others] : [...addresses, known]
  }
}

export function sameAddress(left: LinkAddress, right: LinkAddress): boolean {
  return left.host === right.host && left.port === right.port
}
