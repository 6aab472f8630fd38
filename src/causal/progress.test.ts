import { expect, it } from 'vitest'
import { Progress } from './progress.ts'

it('gives to the view what is carried out and durable, from the beginning, and nothing behind what is not', () => {
  const progress = new Progress([0, 5])
  expect([progress.has(1, 5), progress.has(1, 6), progress.has(2, 1)]).toEqual([true, false, false])
  const change = (byte: number): { table: string; key: Uint8Array; value: Uint8Array } => {
    return { table: 't', key: Uint8Array.of(byte), value: Uint8Array.of(byte) }
  }
  const first = progress.add(0, 1)
  const second = progress.add(1, 6)
  const own = progress.add(2, 1)
  first.changes = [change(1)]
  second.changes = undefined
  own.changes = [change(3)]
  expect(progress.take(() => true)).toEqual({ changes: [change(1)], numbers: [[0, 1]] })
  second.changes = [change(2)]
  expect(progress.take(({ place }) => place !== 2)).toEqual({ changes: [change(2)], numbers: [[1, 6]] })
  expect(progress.take(({ place }) => place !== 2)).toBeUndefined()
  expect(progress.waiting).toBe(1)
  expect(progress.take(() => true)).toEqual({ changes: [change(3)], numbers: [[2, 1]] })
  expect(progress.total).toBe(8)
})
