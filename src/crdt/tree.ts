import { PlaitError } from '../base/error.ts'
import { malformed } from '../wire/reader.ts'
import type { Reader } from '../wire/reader.ts'
import { encode } from '../wire/schema.ts'
import { cellBelow, rangeOf, rangesBelow } from './cell.ts'
import type { Cell, CellRange } from './cell.ts'
import { changesBelow } from './crdt-type.ts'
import type { Change, ClockView, Crdt, CrdtType } from './crdt-type.ts'
import { formatDot } from './dot.ts'
import type { Dot } from './dot.ts'
import { addDots, dotList, dotSchema, includesDot, mergeDots, withDot } from './dot-list.ts'
import { DotSet } from './dot-set.ts'
import type { DotSink } from './dot-set.ts'
import { nextTime } from './mv-register.ts'
import { cellKinds, keyOf, nodeCells, placementCell, placementRange, placementSchema } from './tree-cell.ts'
import { TreeLog } from './tree-log.ts'
import { TreeNode } from './tree-node.ts'
import type { Placement } from './tree-node.ts'
import { TreeNodes } from './tree-nodes.ts'
import { claimTree, entryName, treeOperation } from './tree-operation.ts'
import type { TreeOperation } from './tree-operation.ts'
import { TreeView } from './tree-view.ts'
import { checkValue } from './value-type.ts'
import type { WriterTable } from './writers.ts'

/**
 * A tree of entries with names and a content each, as of folders and files. Every entry has an id for ever, the dot of its creation;
 * where it stands is a register (parent, name): of two moves at the same time the one with the higher (Lamport time, dot) counts, and
 * one that would put an entry below itself counts nowhere. An entry that is moved or edited while it is removed stays, with what the
 * remover had not seen; one that was removed is shown as long as something below it is alive. `TreeView` shows it.
 *
 * Changes, with the id as their path: `added` and `removed`; `placed`, with the placement, when it stands elsewhere or has another
 * name; those of the content.
 */
export class Tree<State extends Crdt<Operation>, Operation> implements Crdt<TreeOperation<Operation>> {
  readonly #type: CrdtType<State, Operation>
  readonly #nodes: TreeNodes<State>
  readonly #log: TreeLog<State>
  readonly #placementsRead: Placement[] = []
  readonly view: TreeView<State>
  #revision = 0
  /** What may have left something to forget since that was looked for, and from when on it is worth the time again. */
  #changes = 0
  #changesWorth = pruneChangesMin

  constructor(type: CrdtType<State, Operation>) {
    this.#type = type
    this.#nodes = new TreeNodes(() => type.create())
    this.#log = new TreeLog((id) => this.#nodes.ensure(id))
    this.view = new TreeView(this.#nodes)
  }

  get isEmpty(): boolean {
    return this.#nodes.isEmpty
  }

  /** Another number after each change. */
  get revision(): number {
    return this.#revision
  }

  /** A new entry; its id is the dot of the operation. `parent` is undefined at the top. Throws `INVALID_ARGUMENT`. */
  create(parent: Dot | undefined, name: string): TreeOperation<Operation> {
    checkValue(entryName, name)
    if (parent !== undefined) this.#known(parent)
    return { kind: 'create', parent, name, time: nextTime(this.#log.time) }
  }

  /** A new entry with a content, which `prepare` begins and which alone holds it. As `create`. */
  make(parent: Dot | undefined, name: string, prepare: (content: State) => Operation): TreeOperation<Operation> {
    checkValue(entryName, name)
    if (parent !== undefined) this.#known(parent)
    return { kind: 'make', parent, name, time: nextTime(this.#log.time), operation: prepare(this.#type.create()) }
  }

  /** Puts an entry elsewhere, or under another name, with all that is below it. Throws `INVALID_ARGUMENT` for a place below itself. */
  move(id: Dot, parent: Dot | undefined, name: string): TreeOperation<Operation> {
    checkValue(entryName, name)
    const node = this.#known(id)
    const target = parent === undefined ? this.#nodes.top : this.#known(parent)
    if (target.isWithin(node)) throw new PlaitError('INVALID_ARGUMENT', 'an entry cannot be put below itself')
    return { kind: 'move', id, parent, name, time: nextTime(this.#log.time), dots: node.life }
  }

  /** An operation on the content, which `prepare` makes. */
  edit(id: Dot, prepare: (content: State) => Operation): TreeOperation<Operation> {
    return { kind: 'edit', id, operation: prepare(this.#known(id).content) }
  }

  /** Removes an entry, and nothing below it: who means a whole folder removes what is in it as well, as far as it is seen. */
  delete(id: Dot): TreeOperation<Operation> {
    const node = this.#known(id)
    const dots = new DotSet(node.life)
    node.content.collectDots(dots)
    return { kind: 'remove', id, dots }
  }

  apply(operation: TreeOperation<Operation>, dot: Dot): readonly Change[] {
    if (operation.kind === 'create' || operation.kind === 'make') {
      this.#changes += 1
      return this.#change(dot, (node) => {
        const placed = placedChanges(this.#log.add([placementOf(operation, dot)]))
        if (operation.kind === 'make')
          return [...placed, ...changesBelow(dot, node.content.apply(operation.operation, dot))]
        node.life = withDot(node.life, dot)
        return placed
      })
    }
    if (operation.kind !== 'edit') this.#changes += 1
    return this.#change(operation.id, (node) => {
      switch (operation.kind) {
        case 'move':
          node.life = withDot(
            node.life.filter((held) => !includesDot(operation.dots, held)),
            dot,
          )
          return placedChanges(this.#log.add([placementOf(operation, dot)]))
        case 'edit':
          return changesBelow(operation.id, node.content.apply(operation.operation, dot))
        case 'remove':
          node.life = node.life.filter((held) => !operation.dots.has(held))
          return changesBelow(operation.id, node.content.remove(operation.dots))
      }
    })
  }

  merge(other: this, seen: DotSet, bothSeen: DotSet): readonly Change[] {
    const placed = placedChanges(this.#log.add(other.#placements()))
    const nothing = new TreeNode<State>(undefined, this.#type.create())
    const mine = [...this.#nodes.values()].flatMap(({ id }) => {
      const theirs = other.#nodes.at(id as Dot) ?? nothing
      return this.#mergeNode(id as Dot, theirs, seen, bothSeen)
    })
    const theirs = [...other.#nodes.values()].flatMap((node) =>
      this.#nodes.at(node.id as Dot) !== undefined ? [] : this.#mergeNode(node.id as Dot, node, seen, bothSeen),
    )
    return [...placed, ...mine, ...theirs]
  }

  remove(dots: DotSet): readonly Change[] {
    return [...this.#nodes.values()].flatMap(({ id }) =>
      this.#change(id as Dot, (node) => {
        node.life = node.life.filter((held) => !dots.has(held))
        return changesBelow(id, node.content.remove(dots))
      }),
    )
  }

  isTimely(operation: TreeOperation<Operation>, dot: Dot, clock: ClockView): boolean {
    return !('time' in operation) || this.#log.isTimely({ time: operation.time, dot }, clock)
  }

  get isPrunable(): boolean {
    return this.#changes >= this.#changesWorth
  }

  /** Forgets the moves that count no longer, and what there is of entries that were removed but where they stood. */
  prune(stable: ClockView, writers: WriterTable): readonly CellRange[] {
    const forgotten = this.#log.settle(stable, (placement) => this.#nodes.placementAt(placement.id) === placement)
    const left = this.#nodes.bury(this.#log.held())
    this.#changes = 0
    this.#changesWorth = Math.max(pruneChangesMin, left * pruneChangesShare)
    return forgotten.map((placement) => rangeOf(keyOf(cellKinds.placement, placement.dot, writers), undefined))
  }

  collectDots(into: DotSink): void {
    for (const { dot } of this.#placements()) into.add(dot)
    for (const { life, content } of this.#nodes.values()) {
      addDots(into, life)
      content.collectDots(into)
    }
  }

  delta(operation: TreeOperation<Operation>, dot: Dot, fragment: this, seen: DotSet): void {
    seen.add(dot)
    const id = idOf(operation, dot)
    fragment.#change(id, (node) => {
      switch (operation.kind) {
        case 'make':
          this.#nodes.ensure(id).content.delta(operation.operation, dot, node.content, seen)
          return placedChanges(fragment.#log.add([placementOf(operation, dot)]))
        case 'create':
        case 'move':
          node.life = [dot]
          if (operation.kind === 'move') addDots(seen, operation.dots)
          return placedChanges(fragment.#log.add([placementOf(operation, dot)]))
        case 'edit':
          this.#nodes.ensure(id).content.delta(operation.operation, dot, node.content, seen)
          return []
        case 'remove':
          seen.addAll(operation.dots)
          return []
      }
    })
  }

  *cells(writers: WriterTable): Generator<Cell> {
    for (const placement of this.#placements()) yield placementCell(placement, writers)
    for (const node of this.#nodes.values()) yield* nodeCells(node, writers)
  }

  *standing(writers: WriterTable): Generator<Cell> {
    for (const placement of this.#nodes.placements()) yield placementCell(placement, writers)
    for (const node of this.#nodes.values()) yield* nodeCells(node, writers)
  }

  touched(operation: TreeOperation<Operation>, dot: Dot, writers: WriterTable): readonly CellRange[] {
    const id = idOf(operation, dot)
    const node = this.#nodes.ensure(id)
    const content = keyOf(cellKinds.content, id, writers)
    const inContent =
      operation.kind === 'edit' || operation.kind === 'make'
        ? rangesBelow(content, node.content.touched(operation.operation, dot, writers))
        : []
    if (operation.kind === 'edit') return inContent
    if (operation.kind === 'make') return [placementRange(placementOf(operation, dot), writers), ...inContent]
    const life = keyOf(cellKinds.life, id, writers)
    const ranges = [rangeOf(life, node.life.length === 0 ? undefined : encode(dotList(writers), node.life))]
    if (operation.kind === 'remove') {
      const cells = Array.from(node.content.cells(writers), (cell) => cellBelow(content, cell))
      return [...ranges, { prefix: content, cells }]
    }
    return [...ranges, placementRange(placementOf(operation, dot), writers)]
  }

  readCell(key: Reader, value: Reader, writers: WriterTable): void {
    const kind = key.u8()
    const dot = dotSchema(writers).read(key)
    if (kind === cellKinds.placement) {
      const placement = { ...placementSchema(writers).read(value), dot }
      // In one go at last: they come in the order of their keys, and each would take back all that is later.
      this.#placementsRead.push(placement)
    } else if (kind === cellKinds.life) {
      const life = dotList(writers).read(value)
      if (life.length === 0) throw malformed('an entry that nothing holds')
      this.#change(dot, (node) => {
        node.life = life
        return []
      })
    } else if (kind === cellKinds.content) {
      this.#change(dot, (node) => {
        node.content.readCell(key, value, writers)
        return []
      })
    } else throw malformed(`a cell of the kind ${kind}`)
  }

  settle(): void {
    this.#changes += this.#placementsRead.length
    this.#log.add(this.#placementsRead.splice(0))
    for (const { content } of this.#nodes.values()) content.settle()
  }

  #mergeNode(id: Dot, theirs: TreeNode<State>, seen: DotSet, bothSeen: DotSet): readonly Change[] {
    return this.#change(id, (node) => {
      node.life = mergeDots(node.life, seen, theirs.life, bothSeen)
      return changesBelow(id, node.content.merge(theirs.content, seen, bothSeen))
    })
  }

  /** Runs `step` on an entry, which is made if need be, and sees whether it is alive afterwards. */
  #change(id: Dot, step: (node: TreeNode<State>) => readonly Change[]): readonly Change[] {
    this.#revision += 1
    const node = this.#nodes.ensure(id)
    const wasAlive = node.isAlive
    const changes = step(node)
    node.isAlive = node.life.length > 0 || !node.content.isEmpty
    if (node.isAlive === wasAlive) return changes
    return [...changes, { path: [id], kind: node.isAlive ? 'added' : 'removed' }]
  }

  *#placements(): Generator<Placement> {
    const kept = new Set(this.#log.kept())
    yield* kept
    for (const placement of this.#nodes.placements()) if (!kept.has(placement)) yield placement
  }

  #known(id: Dot): TreeNode<State> {
    const node = this.#nodes.at(id)
    if (node !== undefined && node.weight > 0) return node
    throw new PlaitError('INVALID_ARGUMENT', `there is no entry ${formatDot(id)}`)
  }
}

/** A tree whose entries have contents of `type`. It cannot stand in a map. */
export function tree<State extends Crdt<Operation>, Operation>(
  type: CrdtType<State, Operation>,
): CrdtType<Tree<State, Operation>, TreeOperation<Operation>> {
  return {
    name: `tree of ${type.name}`,
    isRemovable: false,
    prepares: ['create', 'make', 'move', 'edit', 'delete'],
    create: () => new Tree(type),
    operation: (writers) => treeOperation(type, writers),
    claim: (operation, basis) => claimTree(type, operation, basis),
  }
}

/** To look for what can be forgotten is worth its time after so many changes, and after as many as are a share of the entries. */
const pruneChangesMin = 256
const pruneChangesShare = 1 / 4

type Placing = TreeOperation<unknown> & { readonly kind: 'create' | 'make' | 'move' }

function placementOf(operation: Placing, dot: Dot): Placement {
  const { parent, name, time } = operation
  return { id: idOf(operation, dot), parent, name, time, dot }
}

/** Of the entry that an operation is about. */
function idOf(operation: TreeOperation<unknown>, dot: Dot): Dot {
  return 'id' in operation ? operation.id : dot
}

function placedChanges(nodes: readonly TreeNode<unknown>[]): readonly Change[] {
  return nodes.map(({ id, placement }) => ({ path: [id], kind: 'placed', value: placement }))
}
