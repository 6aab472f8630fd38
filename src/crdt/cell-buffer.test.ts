import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Reader } from '../wire/reader.ts'
import { CellBuffer } from './cell-buffer.ts'
import { compareBytes } from './cell.ts'
import type { Cell } from './cell.ts'

function read(bytes: Uint8Array): Cell[] {
  const reader = new Reader(bytes)
  const part = (): Uint8Array => reader.bytes(reader.length(reader.remaining))
  const cells = Array.from({ length: reader.varint() }, () => ({ key: part(), value: part() }))
  reader.finish()
  return cells
}

const few = fc.uint8Array({ min: 0, max: 2, maxLength: 9 })
const key = fc.oneof(few, fc.uint8Array({ maxLength: 60 }))
const cell = fc.record({ key, value: fc.uint8Array({ maxLength: 60 }) })

it('writes all cells in the order of their keys, whatever these share', () => {
  const cells = fc.uniqueArray(cell, { selector: (one) => one.key.join() })
  fc.assert(
    fc.property(cells, few, (some, prefix) => {
      const prefixed = some.map((one) => ({ ...one, key: Uint8Array.of(...prefix, ...one.key) }))
      const buffer = new CellBuffer()
      for (const one of prefixed) buffer.add(one)
      expect(read(buffer.encode())).toEqual(prefixed.toSorted((left, right) => compareBytes(left.key, right.key)))
    }),
  )
})

it('grows with what comes', () => {
  const buffer = new CellBuffer()
  const cells = [0, 1, 2].map((number) => ({ key: Uint8Array.of(number), value: new Uint8Array(5_000).fill(number) }))
  for (const one of cells.toReversed()) buffer.add(one)
  expect(read(buffer.encode())).toEqual(cells)
})
