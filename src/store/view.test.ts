import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SeededRandom } from '../runtime/simulated/random.ts'
import { MemoryView } from './memory-view.ts'
import { openSqliteView } from './node/sqlite-view.ts'
import type { View, ViewChange, ViewSource } from './view.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'plait-view-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const source: ViewSource = { logId: new Uint8Array(16).fill(3), logEnd: 1_000, format: 1 }
const key = (...bytes: number[]): Uint8Array => Uint8Array.from(bytes)
let files = 0
const newFile = (): string => join(folder, `view-${(files += 1)}`)

describe.each<[string, () => View]>([
  ['SQLite', () => openSqliteView(newFile(), source)],
  ['memory', () => new MemoryView()],
])('a view in %s', (_name, open) => {
  it('has what was put into it, by key and in the order of keys', async () => {
    const view = open()
    expect(view.cursor).toBe(0)
    await view.transact(10, [
      { table: 'a', key: key(2), value: key(20) },
      { table: 'a', key: key(1, 255), value: key(19) },
      { table: 'a', key: key(200), value: key() },
      { table: 'b', key: key(1), value: key(1) },
    ])
    expect(view.cursor).toBe(10)
    expect(await view.read('a', key(2))).toEqual(key(20))
    expect(await view.read('a', key(3))).toBeUndefined()
    expect(await view.read('c', key(2))).toBeUndefined()
    const keys = async (range?: Parameters<View['entries']>[1]): Promise<number[][]> =>
      (await view.entries('a', range)).map((entry) => [...entry.key])
    expect(await keys()).toEqual([[1, 255], [2], [200]])
    expect(await keys({ from: key(2), to: key(200) })).toEqual([[2]])
    expect(await keys({ limit: 2 })).toEqual([[1, 255], [2]])
    await view.transact(11, [
      { table: 'a', key: key(2), value: undefined },
      { table: 'a', key: key(200), value: key(5) },
    ])
    expect(await keys()).toEqual([[1, 255], [200]])
    expect(await view.read('a', key(200))).toEqual(key(5))
    await view.close()
    await view.close()
  })
})

it('is the same in both after random changes', async () => {
  const random = new SeededRandom(4)
  const views = [openSqliteView(newFile(), source), new MemoryView()] as const
  for (let cursor = 1; cursor <= 60; cursor += 1) {
    const changes = Array.from({ length: random.integer(0, 20) }, (): ViewChange => {
      const value = random.chance(0.3) ? undefined : random.bytes(random.integer(0, 9))
      const key = random.bytes(random.integer(0, 2))
      const table = random.pick(['x', 'y'])
      if (!random.chance(0.05)) return { table, key, value }
      const prefix = random.chance(0.3) ? new Uint8Array(key.length).fill(255) : key
      return { table, key: prefix, value: undefined, isPrefix: true }
    })
    for (const view of views) await view.transact(cursor, changes)
    const range = { from: random.bytes(1), to: random.bytes(1), limit: random.integer(1, 9) }
    for (const table of ['x', 'y']) {
      expect(await views[0].entries(table)).toEqual(await views[1].entries(table))
      expect(await views[0].entries(table, range)).toEqual(await views[1].entries(table, range))
    }
  }
  for (const view of views) await view.close()
})

it('is there again when its file is opened again, and begins anew for another log, format, or end, or when it is damaged', async () => {
  const file = newFile()
  const reopened = async (changed: Partial<ViewSource> = {}): Promise<number> => {
    const view = openSqliteView(file, { ...source, ...changed })
    const { cursor } = view
    expect(await view.read('a', key(1))).toEqual(cursor === 0 ? undefined : key(2))
    await view.transact(500, [{ table: 'a', key: key(1), value: key(2) }])
    await view.close()
    return cursor
  }
  expect(await reopened()).toBe(0)
  expect(await reopened()).toBe(500)
  expect(await reopened({ format: 2 })).toBe(0)
  expect(await reopened({ format: 2, logId: new Uint8Array(16) })).toBe(0)
  expect(await reopened()).toBe(0)
  expect(await reopened({ logEnd: 499 })).toBe(0)
  expect(await reopened()).toBe(500)
  writeFileSync(file, new Uint8Array(9_000).fill(65))
  expect(await reopened()).toBe(0)
  expect(await reopened()).toBe(500)
})

it('takes all changes of a transaction or none', async () => {
  const view = openSqliteView(newFile(), source)
  await view.transact(1, [{ table: 'a', key: key(1), value: key(1) }])
  const broken = [
    { table: 'a', key: key(1), value: key(9) },
    { table: 'a', key: key(2), value: 'text that no column takes' as unknown as Uint8Array },
    { table: undefined as unknown as string, key: key(3), value: key(3) },
  ]
  await expect(view.transact(2, broken)).rejects.toThrow()
  expect(view.cursor).toBe(1)
  expect(await view.entries('a')).toEqual([{ key: key(1), value: key(1) }])
  await view.transact(2, [{ table: 'a', key: key(1), value: key(2) }])
  expect(view.cursor).toBe(2)
  await view.close()
})
