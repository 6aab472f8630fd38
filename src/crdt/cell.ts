import { concatBytes, emptyBytes } from '../base/bytes.ts'
import { encode } from '../wire/schema.ts'
import type { Schema } from '../wire/schema.ts'

/**
 * A piece of a state: an element of a set, a register, what one writer has added to a counter. A state is its cells, whatever their
 * order: they are what is kept on disk, row by row, and what a whole state is written as. No key is the beginning of another one.
 */
export interface Cell {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/** What there is now of the cells whose keys begin with `prefix`. */
export interface CellRange {
  readonly prefix: Uint8Array
  readonly cells: readonly Cell[]
}

/** A cell with a prefix before its key. */
export function cellBelow(prefix: Uint8Array, { key, value }: Cell): Cell {
  return { key: key.length === 0 ? prefix : concatBytes([prefix, key]), value }
}

export function rangesBelow(prefix: Uint8Array, ranges: readonly CellRange[]): readonly CellRange[] {
  return ranges.map((range) => ({
    prefix: range.prefix.length === 0 ? prefix : concatBytes([prefix, range.prefix]),
    cells: range.cells.map((cell) => cellBelow(prefix, cell)),
  }))
}

/** The range of one cell, which may be gone. */
export function rangeOf(prefix: Uint8Array, value: Uint8Array | undefined): CellRange {
  return { prefix, cells: value === undefined ? [] : [{ key: prefix, value }] }
}

/** The only cell of what has only one. */
export function onlyCell<Value>(schema: Schema<Value>, value: Value): Cell {
  return { key: emptyBytes, value: encode(schema, value) }
}

/** Bytes in the order of their first difference; what ends before comes first. */
export function compareBytes(left: Uint8Array, right: Uint8Array): number {
  const length = Math.min(left.length, right.length)
  for (let index = 0; index < length; index += 1) {
    const difference = (left[index] as number) - (right[index] as number)
    if (difference !== 0) return difference
  }
  return left.length - right.length
}
