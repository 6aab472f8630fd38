import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Site } from '../../test/crdt/history.ts'
import { MemoryDisk, rootOf } from '../../test/simulation/drive/memory-disk.ts'
import { placerHere } from './disk/fresh-files.ts'
import { DiskIndex } from './folder/disk-index.ts'
import { MemoryView } from '../store/memory-view.ts'
import type { Contents } from './contents.ts'
import { filesType } from './files-type.ts'
import { writeFolderMarker } from './folder/folder-marker.ts'
import { PathRules } from './folder/path-rules.ts'
import { PlaitFolder } from './folder/plait-folder.ts'
import type { Scan } from './folder/scan.ts'
import type { Files, FilesOperation } from './plan/item.ts'
import { Reconciler } from './reconciler.ts'

const files = 2_000
let path: string
let folder: PlaitFolder
let site: Site<Files, FilesOperation>
/** What the field holds now: it is another one while everything is delivered again. */
let state: Files
let turns: number
/** Called at the end of each turn. */
let onTurn: (turn: number) => void

beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'plait-reconciler-'))
  folder = PlaitFolder.open(path, { wallMs: () => 0 })
  writeFolderMarker(folder.root, { drive: 'drive', copy: 'copy' })
  site = new Site(filesType, 1)
  state = site.value
  turns = 0
  onTurn = () => undefined
})

afterEach(() => {
  folder.close()
  rmSync(path, { recursive: true, force: true })
})

/** Time that goes on with every look at the clock: a turn is over after some steps, however fast the machine is. */
let nowMs = 0
const runtime = {
  clock: { now: () => (nowMs += 1), wallMs: () => 0 },
  timers: {
    after: () => expect.fail('nothing waits here'),
    endOfTurn: (run: () => void) =>
      void setImmediate(() => {
        turns += 1
        onTurn(turns)
        run()
      }),
  },
}

async function open(): Promise<Reconciler> {
  const field = {
    get state() {
      return state
    },
    writer: site.writer,
    publish: (operation: FilesOperation) => ({ dot: site.write(operation).dot, durable: Promise.resolve() }),
    ready: () => Promise.resolve(),
  }
  const contents = { flush: () => Promise.resolve(), moved: () => undefined } as unknown as Contents
  const rules = new PathRules({ patternSet: () => expect.fail('no patterns here') })
  const view = new MemoryView()
  const index = await DiskIndex.open(view)
  const options = { isSynced: false, placer: placerHere }
  return Reconciler.open({ drive: 'drive', folder, view, index, field, contents, rules, runtime, ...options })
}

const judged = { mayWrite: true, allowDeletions: false, recentDeletions: 0 }
const { signal } = new AbortController()
const isWhole = { signal, ready: () => Promise.resolve() }

/** A folder with many files, which are published. */
async function openFilled(): Promise<{ readonly reconciler: Reconciler; readonly disk: Scan }> {
  const memory = new MemoryDisk(0n)
  for (let index = 0; index < files; index += 1) memory.write(`f${index}`, 'content')
  const disk = { ...memory.scan(), skipped: [], read: 0 }
  const reconciler = await open()
  expect(await reconciler.publish(disk, judged, isWhole)).toMatchObject({ changes: files })
  return { reconciler, disk }
}

function create(name: string): void {
  const { dot: id } = site.write({ kind: 'create', parent: undefined, name, time: 1_000_000 })
  const value = { kind: 'file' as const, mode: 0o644, mtimeNs: 0n, size: 1, root: rootOf(name), target: '' }
  site.write({ kind: 'edit', id, operation: { kind: 'write', value, time: 1, dots: [] } })
}

it('compares a large folder with its tree in many turns', async () => {
  const { reconciler, disk } = await openFilled()
  create('one more')
  turns = 0
  await reconciler.publish(disk, judged, isWhole)
  expect(turns).toBeGreaterThan(10)
  turns = 0
  create('and one')
  expect((await reconciler.plan(disk, judged, isWhole)).list).toHaveLength(2)
  expect(turns).toBeGreaterThan(10)
})

it('plans for the tree as it is at the end, however often it changes meanwhile', async () => {
  const { reconciler, disk } = await openFilled()
  for (const changes of [1, 3, Infinity]) {
    turns = 0
    let made = 0
    onTurn = (turn) => {
      if (turn % 7 !== 0 || made >= changes) return
      made += 1
      create(`${changes} ${made}`)
    }
    const { list, layout } = await reconciler.plan(disk, judged, isWhole)
    onTurn = () => undefined
    const { items } = reconciler.layout()
    expect(made).toBeGreaterThan(0)
    expect([...layout.items.keys()]).toEqual([...items.keys()])
    expect(list.map((action) => action.path).sort()).toEqual(
      [...items.keys()].filter((one) => !reconciler.agreement.has(one)).sort(),
    )
  }
})

it('deletes nothing because the tree is being made anew while it plans', async () => {
  const { reconciler, disk } = await openFilled()
  const whole = state
  create('so that there is something to plan')
  turns = 0
  onTurn = (turn) => {
    if (turn === 5) state = new Site(filesType, 1).value
  }
  const ready = async (): Promise<void> => {
    while (state !== whole && turns < 12) await new Promise<void>((resolve) => runtime.timers.endOfTurn(resolve))
    state = whole
  }
  const { list, hold } = await reconciler.plan(disk, { ...judged, allowDeletions: true }, { signal, ready })
  expect(hold).toBeUndefined()
  expect(list.map(({ kind }) => kind)).toEqual(['write'])
  expect(turns).toBeGreaterThanOrEqual(12)
})
