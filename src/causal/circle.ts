import type { NodeId } from '../identity/node-id.ts'
import type { Member } from './members/member.ts'

/**
 * With whom the feeds of a group are shared: its members, and, while what was said of them is being gone through, who was one before or
 * earlier in it. What was shared is not shared again over the same circuit once it was closed: nobody is shut out before all is known.
 */
export class Circle {
  readonly #members: () => ReadonlyMap<string, Member>
  readonly #familiar = new Set<string>()

  constructor(members: () => ReadonlyMap<string, Member>) {
    this.#members = members
  }

  /** Not all is known: those who are members by now stay. */
  keep(): void {
    for (const { node, isRemoved } of this.#members().values()) if (!isRemoved) this.#familiar.add(node)
  }

  /** All is known: only members stay. */
  close(): void {
    this.#familiar.clear()
  }

  has(nodeId: NodeId): boolean {
    return this.#members().get(nodeId)?.isRemoved === false || this.#familiar.has(nodeId)
  }
}
