import type { ClockView } from './crdt-type.ts'
import type { Dot } from './dot.ts'
import { DotMap } from './dot-map.ts'
import { compareAge } from './names.ts'
import type { Placement, TreeNode } from './tree-node.ts'

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
 *
 * Those that everybody has seen are settled: nothing can come before them any more. Of these only the placements that count stay, and
 * these in the nodes alone.
 */
export class TreeLog<Content> {
  /** What is not settled, in order. */
  #turns: Turn<Content>[] = []
  readonly #known = new DotMap<Placement>()
  /** The last one that is settled, whether it counts or not: it says how far time has come. */
  #last: Placement | undefined
  readonly #nodeOf: (id: Dot | undefined) => TreeNode<Content>

  /** `nodeOf` makes a node when there is none. */
  constructor(nodeOf: (id: Dot | undefined) => TreeNode<Content>) {
    this.#nodeOf = nodeOf
  }

  /** The highest Lamport time; 0 when there is none. */
  get time(): number {
    return (this.#turns.at(-1)?.placement ?? this.#last)?.time ?? 0
  }

  /** How many are not settled. */
  get turns(): number {
    return this.#turns.length
  }

  /** What is kept of placements beside those by which entries stand where they do: some of them may be among these. */
  *kept(): Generator<Placement> {
    if (this.#last !== undefined) yield this.#last
    for (const { placement, before } of this.#turns) {
      yield placement
      if (before !== undefined) yield before
    }
  }

  /** Adds placements, those that are new. Returns the entries that stand elsewhere now, or under another name. */
  add(placements: Iterable<Placement>): readonly TreeNode<Content>[] {
    const fresh: Turn<Content>[] = []
    for (const placement of placements) {
      if (this.#isSettled(placement) || this.#known.has(placement.dot)) continue
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
   * Whether a placement that was prepared when `clock` had been seen comes after all that was there. One that does not would be carried
   * out before something that some have settled and others have not.
   */
  isTimely(placement: Pick<Placement, 'time' | 'dot'>, clock: ClockView): boolean {
    for (let index = this.#turns.length - 1; index >= 0; index -= 1) {
      const { placement: other } = this.#turns[index] as Turn<Content>
      if (compareAge(other, placement) < 0) break
      if (other.dot.number <= clock.at(other.dot.writer)) return false
    }
    return !this.#isSettled(placement)
  }

  /**
   * Settles the placements up to the last one that `stable` has: all members have seen what that has, so that whatever comes now has a
   * higher time. Returns those that are forgotten: they count no longer, and nothing can bring them back. `stands` says by which an entry
   * stands where it does: that one stays, also of an entry that was removed.
   */
  settle(stable: ClockView, stands: (placement: Placement) => boolean): readonly Placement[] {
    const end = this.#turns.findLastIndex(({ placement: { dot } }) => dot.number <= stable.at(dot.writer)) + 1
    if (end === 0) return []
    const settled = this.#turns.slice(0, end)
    this.#turns = this.#turns.slice(end)
    const old = new Set<Placement>()
    if (this.#last !== undefined) old.add(this.#last)
    for (const { placement, before } of settled) {
      this.#known.delete(placement.dot)
      old.add(placement)
      if (before !== undefined) old.add(before)
    }
    this.#last = settled.at(-1)?.placement
    const kept = new Set(this.kept())
    return [...old].filter((placement) => !kept.has(placement) && !stands(placement))
  }

  /** The nodes on which what is not settled relies. */
  held(): ReadonlySet<TreeNode<Content>> {
    const held = new Set<TreeNode<Content>>()
    for (const { node, beforeParent } of this.#turns) {
      held.add(node)
      if (beforeParent !== undefined) held.add(beforeParent)
    }
    return held
  }

  /** All that is not known and comes before it was forgotten, or comes from somebody who had not looked. */
  #isSettled(placement: Pick<Placement, 'time' | 'dot'>): boolean {
    return this.#last !== undefined && compareAge(placement, this.#last) <= 0
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
