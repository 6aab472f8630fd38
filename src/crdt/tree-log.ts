import type { Dot } from './dot.ts'
import { DotMap } from './dot-map.ts'
import { compareAge } from './names.ts'
import type { Placement, TreeNode } from './tree-node.ts'
import type { VectorClock } from './vector-clock.ts'

/** A placement in its turn: what it took the place of, if it counted. */
interface Turn<Content> {
  readonly placement: Placement
  readonly node: TreeNode<Content>
  isTaken: boolean
  before: Placement | undefined
  beforeParent: TreeNode<Content> | undefined
}

/**
 * The placements of a tree in the order of their (Lamport time, dot), carried out in that order; one that would put an entry below
 * itself is passed over. One that comes late is carried out in its turn: those behind it are taken back first, and done again
 * (Kleppmann and others, "A highly-available move operation for replicated trees", 2021). So the tree follows from the set of
 * placements alone.
 */
export class TreeLog<Content> {
  #turns: Turn<Content>[] = []
  readonly #known = new DotMap<Placement>()
  readonly #nodeOf: (id: Dot | undefined) => TreeNode<Content>

  /** `nodeOf` makes a node when there is none. */
  constructor(nodeOf: (id: Dot | undefined) => TreeNode<Content>) {
    this.#nodeOf = nodeOf
  }

  get isEmpty(): boolean {
    return this.#turns.length === 0
  }

  /** The highest Lamport time; 0 when there is none. */
  get time(): number {
    return this.#turns.at(-1)?.placement.time ?? 0
  }

  *placements(): Generator<Placement> {
    for (const { placement } of this.#turns) yield placement
  }

  /** Adds placements, those that are new. Returns the entries that stand elsewhere now, or under another name. */
  add(placements: Iterable<Placement>): readonly TreeNode<Content>[] {
    const fresh: Turn<Content>[] = []
    for (const placement of placements) {
      if (this.#known.has(placement.dot)) continue
      this.#known.set(placement.dot, placement)
      fresh.push(turnOf(placement, this.#nodeOf(placement.id)))
    }
    const [first] = fresh.sort(compareTurns)
    if (first === undefined) return []
    const stood = new Map<TreeNode<Content>, Placement | undefined>()
    const late: Turn<Content>[] = []
    for (
      let last = this.#turns.at(-1);
      last !== undefined && compareTurns(last, first) > 0;
      last = this.#turns.at(-1)
    ) {
      this.#turns.pop()
      // The first to be taken back says where its entry stood before all of this.
      if (!stood.has(last.node)) stood.set(last.node, last.node.placement)
      undo(last)
      late.push(last)
    }
    for (const turn of [...late, ...fresh].sort(compareTurns)) {
      if (!stood.has(turn.node)) stood.set(turn.node, turn.node.placement)
      this.#carryOut(turn)
      this.#turns.push(turn)
    }
    return [...stood].flatMap(([node, before]) => (node.placement === before ? [] : [node]))
  }

  /**
   * Forgets the placements that count no longer and that nothing can bring back: all members have seen what `stable` has, so that whatever
   * comes now has a higher time. The last placement of each entry stays, also of one that was removed.
   */
  prune(stable: VectorClock): void {
    const end = this.#turns.findLastIndex(({ placement }) => stable.has(placement.dot)) + 1
    const later = this.#turns.slice(end)
    const needed = new Set(later.map(({ before }) => before))
    const kept = this.#turns.slice(0, end).filter(({ placement, node }, index) => {
      // The last one says how far time has come.
      if (index === end - 1 || node.placement === placement || needed.has(placement)) return true
      this.#known.delete(placement.dot)
      return false
    })
    this.#turns = [...kept, ...later]
  }

  #carryOut(turn: Turn<Content>): void {
    const { node, placement } = turn
    const parent = this.#nodeOf(placement.parent)
    turn.before = node.placement
    turn.beforeParent = node.parent
    turn.isTaken = !parent.isWithin(node)
    if (turn.isTaken) node.place(placement, parent)
  }
}

function turnOf<Content>(placement: Placement, node: TreeNode<Content>): Turn<Content> {
  return { placement, node, isTaken: false, before: undefined, beforeParent: undefined }
}

function undo<Content>(turn: Turn<Content>): void {
  if (turn.isTaken) turn.node.place(turn.before, turn.beforeParent)
}

function compareTurns<Content>(left: Turn<Content>, right: Turn<Content>): number {
  return compareAge(left.placement, right.placement)
}
