import { formatDot } from './dot.ts'
import type { Dot } from './dot.ts'
import type { DotList } from './dot-list.ts'
import type { Placement, TreeNode } from './tree-node.ts'
import type { TreeNodes } from './tree-nodes.ts'

/** An entry as it is shown. */
export interface TreeEntry<Content> {
  readonly id: Dot
  /** Under which it is shown: another one than it was given when something else has that. */
  readonly name: string
  readonly parent: Dot | undefined
  readonly content: Content
  /** False: it was removed, and is shown for the sake of what stands below it. */
  readonly isAlive: boolean
  /** The creation and the moves that hold the entry, beside what holds its content. */
  readonly life: DotList
  /** Where it was put, under which name, and when: the name before others were asked for theirs. */
  readonly placement: Placement | undefined
}

/** What a tree looks like. Follows the tree; whoever keeps something of it looks again after a change. */
export class TreeView<Content> {
  readonly #nodes: TreeNodes<Content>

  constructor(nodes: TreeNodes<Content>) {
    this.#nodes = nodes
  }

  /** How many entries are alive, those that stand nowhere among them. */
  get size(): number {
    return this.#nodes.top.weight + this.#strays().reduce((sum, { weight }) => sum + weight, 0)
  }

  has(id: Dot): boolean {
    return (this.#nodes.at(id)?.weight ?? 0) > 0
  }

  /** An entry that is shown. */
  entry(id: Dot): TreeEntry<Content> | undefined {
    const node = this.#nodes.at(id)
    return node === undefined || node.weight === 0 ? undefined : entryOf(node, node.shownName)
  }

  /** The content of an entry that is shown. */
  content(id: Dot): Content | undefined {
    const node = this.#nodes.at(id)
    return node !== undefined && node.weight > 0 ? node.content : undefined
  }

  /** What stands directly below an entry, or at the top, by the name under which it is shown. */
  children(parent: Dot | undefined): ReadonlyMap<string, TreeEntry<Content>> {
    const node = parent === undefined ? this.#nodes.top : this.#nodes.at(parent)
    return new Map(Array.from(node?.shown ?? [], ([name, child]) => [name, entryOf(child, name)] as const))
  }

  /** The same as a list, which is the caller's. */
  listing(parent: Dot | undefined): TreeEntry<Content>[] {
    const node = parent === undefined ? this.#nodes.top : this.#nodes.at(parent)
    return Array.from(node?.shown ?? [], ([name, child]) => entryOf(child, name))
  }

  /** Whether anything may be shown below an entry: false says that nothing is. */
  hasChildren(parent: Dot): boolean {
    return (this.#nodes.at(parent)?.childCount ?? 0) > 0
  }

  /** The names that lead to an entry; undefined for one that is not shown. */
  path(id: Dot): readonly string[] | undefined {
    const names: string[] = []
    let node = this.#nodes.at(id)
    if (node === undefined || node.weight === 0) return undefined
    for (; node !== this.#nodes.top; node = node.parent) {
      if (node.parent === undefined) return undefined
      names.push(node.shownName)
    }
    return names.reverse()
  }

  /** The entry to which names lead. */
  find(path: readonly string[]): TreeEntry<Content> | undefined {
    let node: TreeNode<Content> | undefined = this.#nodes.top
    for (const name of path) {
      node = node.shown.get(name)
      if (node === undefined) return undefined
    }
    return node === this.#nodes.top ? undefined : entryOf(node, path.at(-1) ?? '')
  }

  /**
   * Entries that stand nowhere, because what they stand in is not known: only when deltas come out of order, or somebody writes what no
   * tree would. They are shown when it comes.
   */
  lost(): readonly TreeEntry<Content>[] {
    return this.#strays().map((node) => entryOf(node, node.placement?.name ?? formatDot(node.id as Dot)))
  }

  #strays(): readonly TreeNode<Content>[] {
    return [...this.#nodes.values()].filter(({ parent, weight }) => parent === undefined && weight > 0)
  }
}

function entryOf<Content>(node: TreeNode<Content>, name: string): TreeEntry<Content> {
  const { id, parent, content, isAlive, life, placement } = node
  return { id: id as Dot, name, parent: parent?.id, content, isAlive, life, placement }
}
