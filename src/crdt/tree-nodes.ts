import type { Dot } from './dot.ts'
import { DotMap } from './dot-map.ts'
import { TreeNode } from './tree-node.ts'
import type { Placement } from './tree-node.ts'

/** The entries of a tree by their ids, and what all of them stand in. */
export class TreeNodes<Content> {
  readonly top: TreeNode<Content>
  readonly #nodes = new DotMap<TreeNode<Content>>()
  /** Where entries stand that were removed with all below them. Who refers to one finds its node again, as it was. */
  readonly #buried = new DotMap<Placement>()
  readonly #createContent: () => Content

  constructor(createContent: () => Content) {
    this.#createContent = createContent
    this.top = new TreeNode(undefined, createContent())
  }

  get isEmpty(): boolean {
    return this.#nodes.isEmpty && this.#buried.isEmpty
  }

  /** Those that are not buried. */
  values(): Iterable<TreeNode<Content>> {
    return this.#nodes.values()
  }

  /** One that is there and not buried. */
  at(id: Dot): TreeNode<Content> | undefined {
    return this.#nodes.at(id)
  }

  /** The node of an entry, or the top; it is made if need be. */
  ensure(id: Dot | undefined): TreeNode<Content> {
    if (id === undefined) return this.top
    return this.#nodes.at(id) ?? this.#unbury(id) ?? this.#make(id)
  }

  /** By which an entry stands where it does, be it buried or not. */
  placementAt(id: Dot): Placement | undefined {
    return this.#nodes.at(id)?.placement ?? this.#buried.at(id)
  }

  /** By which all of them stand where they do. */
  *placements(): Generator<Placement> {
    for (const { placement } of this.#nodes.values()) if (placement !== undefined) yield placement
    yield* this.#buried.values()
  }

  /** Keeps no more than their placements of entries that were removed with all below them, but for `held`. Returns how many are left. */
  bury(held: ReadonlySet<TreeNode<Content>>): number {
    let left = 0
    for (const node of this.#nodes.values()) {
      left += 1
      for (let next: TreeNode<Content> | undefined = node; next !== undefined && !held.has(next);) {
        const above: TreeNode<Content> | undefined = next.parent
        if (!this.#buryOne(next)) break
        left -= 1
        next = above
      }
    }
    return left
  }

  #buryOne(node: TreeNode<Content>): boolean {
    const { id, placement, parent, weight, childCount } = node
    if (weight > 0 || childCount > 0 || id === undefined || placement === undefined || parent === undefined)
      return false
    node.place(undefined, undefined)
    this.#nodes.delete(id)
    this.#buried.set(id, placement)
    return true
  }

  /** Together with those that it stood in. */
  #unbury(id: Dot): TreeNode<Content> | undefined {
    const raised: (readonly [node: TreeNode<Content>, placement: Placement])[] = []
    for (let above: Dot | undefined = id; above !== undefined;) {
      const placement = this.#buried.at(above)
      if (placement === undefined) break
      this.#buried.delete(above)
      raised.push([this.#make(above), placement])
      above = placement.parent
    }
    for (const [node, placement] of raised.reverse()) node.place(placement, this.ensure(placement.parent))
    return this.#nodes.at(id)
  }

  #make(id: Dot): TreeNode<Content> {
    const node = new TreeNode(id, this.#createContent())
    this.#nodes.set(id, node)
    return node
  }
}
