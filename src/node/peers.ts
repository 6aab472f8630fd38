import type { LocalPeer } from './peer.ts'

/** The live peers of a node by name and id, the oldest first. */
export class Peers {
  readonly #byIdByName = new Map<string, Map<string, LocalPeer>>()

  add(peer: LocalPeer): void {
    let byId = this.#byIdByName.get(peer.name)
    if (byId === undefined) this.#byIdByName.set(peer.name, (byId = new Map()))
    byId.set(peer.id, peer)
  }

  remove(peer: LocalPeer): void {
    const byId = this.#byIdByName.get(peer.name)
    if (byId?.get(peer.id) !== peer) return
    byId.delete(peer.id)
    if (byId.size === 0) this.#byIdByName.delete(peer.name)
  }

  find(name: string, id: string): LocalPeer | undefined {
    return this.#byIdByName.get(name)?.get(id)
  }

  named(name: string): readonly LocalPeer[] {
    return [...(this.#byIdByName.get(name)?.values() ?? [])]
  }

  all(): readonly LocalPeer[] {
    return [...this.#byIdByName.values()].flatMap((byId) => [...byId.values()])
  }
}
