import { concatBytes } from '../base/bytes.ts'
import { PlaitError } from '../base/error.ts'
import { malformed } from '../wire/reader.ts'
import type { Reader } from '../wire/reader.ts'
import { encode, optional, struct } from '../wire/schema.ts'
import type { Schema } from '../wire/schema.ts'
import { cellBelow, rangeOf, rangesBelow } from './cell.ts'
import type { Cell, CellRange } from './cell.ts'
import { changesBelow } from './crdt-type.ts'
import type { Change, Crdt, CrdtType } from './crdt-type.ts'
import { formatDot } from './dot.ts'
import type { Dot } from './dot.ts'
import { addDots, dotList, dotSchema, includesDot, mergeDots, withDot } from './dot-list.ts'
import { DotMap } from './dot-map.ts'
import { DotSet } from './dot-set.ts'
import type { DotSink } from './dot-set.ts'
import { lamportTime, nextTime } from './mv-register.ts'
import { TreeLog } from './tree-log.ts'
import { TreeNode } from './tree-node.ts'
import type { Placement } from './tree-node.ts'
import { claimTree, entryName, treeOperation } from './tree-operation.ts'
import type { TreeOperation } from './tree-operation.ts'
import { TreeView } from './tree-view.ts'
import { checkValue } from './value-type.ts'
import type { VectorClock } from './vector-clock.ts'
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
  readonly #nodes = new DotMap<TreeNode<State>>()
  readonly #top: TreeNode<State>
  readonly #log: TreeLog<State> = new TreeLog((id) => this.#node(id))
  readonly #unsettled: Placement[] = []
  readonly view: TreeView<State>
  #revision = 0

  constructor(type: CrdtType<State, Operation>) {
    this.#type = type
    this.#top = new TreeNode<State>(undefined, type.create())
    this.view = new TreeView(this.#top, this.#nodes)
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
    const target = parent === undefined ? this.#top : this.#known(parent)
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
      return this.#change(dot, (node) => {
        const placed = placedChanges(this.#log.add([placementOf(operation, dot)]))
        if (operation.kind === 'make')
          return [...placed, ...changesBelow(dot, node.content.apply(operation.operation, dot))]
        node.life = withDot(node.life, dot)
        return placed
      })
    }
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
    const placed = placedChanges(this.#log.add(other.#log.placements()))
    const nothing = new TreeNode<State>(undefined, this.#type.create())
    const mine = [...this.#nodes.values()].flatMap(({ id }) => {
      const theirs = other.#nodes.at(id as Dot) ?? nothing
      return this.#mergeNode(id as Dot, theirs, seen, bothSeen)
    })
    const theirs = [...other.#nodes.values()].flatMap((node) =>
      this.#nodes.has(node.id as Dot) ? [] : this.#mergeNode(node.id as Dot, node, seen, bothSeen),
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

  /** Forgets the moves that nothing can bring back: all members have seen what `stable` has. */
  prune(stable: VectorClock): void {
    this.#log.prune(stable)
  }

  collectDots(into: DotSink): void {
    for (const { dot } of this.#log.placements()) into.add(dot)
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
          this.#node(id).content.delta(operation.operation, dot, node.content, seen)
          return placedChanges(fragment.#log.add([placementOf(operation, dot)]))
        case 'create':
        case 'move':
          node.life = [dot]
          if (operation.kind === 'move') addDots(seen, operation.dots)
          return placedChanges(fragment.#log.add([placementOf(operation, dot)]))
        case 'edit':
          this.#node(id).content.delta(operation.operation, dot, node.content, seen)
          return []
        case 'remove':
          seen.addAll(operation.dots)
          return []
      }
    })
  }

  *cells(writers: WriterTable): Generator<Cell> {
    for (const placement of this.#log.placements()) yield placementCell(placement, writers)
    for (const node of this.#nodes.values()) yield* nodeCells(node, writers)
  }

  touched(operation: TreeOperation<Operation>, dot: Dot, writers: WriterTable): readonly CellRange[] {
    const id = idOf(operation, dot)
    const node = this.#node(id)
    const content = keyOf(cellKinds.content, id, writers)
    const inContent =
      operation.kind === 'edit' || operation.kind === 'make'
        ? rangesBelow(content, node.content.touched(operation.operation, dot, writers))
        : []
    if (operation.kind === 'edit') return inContent
    if (operation.kind === 'make') return [placementRange(operation, dot, writers), ...inContent]
    const life = keyOf(cellKinds.life, id, writers)
    const ranges = [rangeOf(life, node.life.length === 0 ? undefined : encode(dotList(writers), node.life))]
    if (operation.kind === 'remove') {
      const cells = Array.from(node.content.cells(writers), (cell) => cellBelow(content, cell))
      return [...ranges, { prefix: content, cells }]
    }
    return [...ranges, placementRange(operation, dot, writers)]
  }

  readCell(key: Reader, value: Reader, writers: WriterTable): void {
    const kind = key.u8()
    const dot = dotSchema(writers).read(key)
    if (kind === cellKinds.placement) {
      const placement = { ...placementSchema(writers).read(value), dot }
      // In one go at last: they come in the order of their keys, and each would take back all that is later.
      this.#unsettled.push(placement)
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
    this.#log.add(this.#unsettled.splice(0))
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
    const node = this.#node(id)
    const wasAlive = node.isAlive
    const changes = step(node)
    node.isAlive = node.life.length > 0 || !node.content.isEmpty
    if (node.isAlive === wasAlive) return changes
    return [...changes, { path: [id], kind: node.isAlive ? 'added' : 'removed' }]
  }

  #known(id: Dot): TreeNode<State> {
    const node = this.#nodes.at(id)
    if (node !== undefined && node.weight > 0) return node
    throw new PlaitError('INVALID_ARGUMENT', `there is no entry ${formatDot(id)}`)
  }

  #node(id: Dot | undefined): TreeNode<State> {
    if (id === undefined) return this.#top
    const known = this.#nodes.at(id)
    if (known !== undefined) return known
    const node = new TreeNode<State>(id, this.#type.create())
    this.#nodes.set(id, node)
    return node
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

/** The first byte of the key of a cell. Behind it the dot of the placement, or the id of the entry. */
const cellKinds = { placement: 0, life: 1, content: 2 } as const

function keyOf(kind: number, dot: Dot, writers: WriterTable): Uint8Array {
  return concatBytes([Uint8Array.of(kind), encode(dotSchema(writers), dot)])
}

function placementCell(placement: Placement, writers: WriterTable): Cell {
  return {
    key: keyOf(cellKinds.placement, placement.dot, writers),
    value: encode(placementSchema(writers), placement),
  }
}

function* nodeCells<State extends Crdt<Operation>, Operation>(
  node: TreeNode<State>,
  writers: WriterTable,
): Generator<Cell> {
  const id = node.id as Dot
  if (node.life.length > 0)
    yield { key: keyOf(cellKinds.life, id, writers), value: encode(dotList(writers), node.life) }
  if (node.content.isEmpty) return
  const prefix = keyOf(cellKinds.content, id, writers)
  for (const cell of node.content.cells(writers)) yield cellBelow(prefix, cell)
}

function placementSchema(writers: WriterTable): Schema<Omit<Placement, 'dot'>> {
  const dot = dotSchema(writers)
  return struct({ time: lamportTime, id: dot, parent: optional(dot), name: entryName }) as Schema<
    Omit<Placement, 'dot'>
  >
}

function placementRange(operation: Placing, dot: Dot, writers: WriterTable): CellRange {
  const { key, value } = placementCell(placementOf(operation, dot), writers)
  return rangeOf(key, value)
}

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
