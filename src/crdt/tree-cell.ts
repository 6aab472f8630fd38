import { concatBytes } from '../base/bytes.ts'
import { encode, optional, struct } from '../wire/schema.ts'
import type { Schema } from '../wire/schema.ts'
import { cellBelow, rangeOf } from './cell.ts'
import type { Cell, CellRange } from './cell.ts'
import type { Crdt } from './crdt-type.ts'
import type { Dot } from './dot.ts'
import { dotList, dotSchema } from './dot-list.ts'
import { lamportTime } from './mv-register.ts'
import type { Placement, TreeNode } from './tree-node.ts'
import { entryName } from './tree-operation.ts'
import type { WriterTable } from './writers.ts'

/** The first byte of the key of a cell. Behind it the dot of the placement, or the id of the entry. */
export const cellKinds = { placement: 0, life: 1, content: 2 } as const

export function keyOf(kind: number, dot: Dot, writers: WriterTable): Uint8Array {
  return concatBytes([Uint8Array.of(kind), encode(dotSchema(writers), dot)])
}

export function placementCell(placement: Placement, writers: WriterTable): Cell {
  return {
    key: keyOf(cellKinds.placement, placement.dot, writers),
    value: encode(placementSchema(writers), placement),
  }
}

export function placementRange(placement: Placement, writers: WriterTable): CellRange {
  const { key, value } = placementCell(placement, writers)
  return rangeOf(key, value)
}

export function* nodeCells<State extends Crdt<Operation>, Operation>(
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

export function placementSchema(writers: WriterTable): Schema<Omit<Placement, 'dot'>> {
  const dot = dotSchema(writers)
  return struct({ time: lamportTime, id: dot, parent: optional(dot), name: entryName }) as Schema<
    Omit<Placement, 'dot'>
  >
}
