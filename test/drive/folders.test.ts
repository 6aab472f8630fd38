import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { PlaitError } from '../../src/base/error.ts'
import { restoreFile } from '../../src/drive/folder/restore.ts'
import { SourceFile } from '../../src/drive/disk/source-file.ts'
import { nearTime } from '../../src/drive/plan/item.ts'
import { Common, Side } from './side.ts'

let base: string
let ann: Side
let bob: Side

beforeEach(async () => {
  base = mkdtempSync(join(tmpdir(), 'plait-folders-'))
  const common = new Common()
  ann = await Side.open(common, join(base, 'ann'), 1)
  bob = await Side.open(common, join(base, 'bob'), 2)
})

afterEach(() => {
  for (const side of [ann, bob]) side.folder.close()
  rmSync(base, { recursive: true, force: true })
})

/** Everything that survives but times: kinds, modes, targets, contents. */
function outline(side: Side, path = ''): readonly string[] {
  return readdirSync(side.path(path)).flatMap((name) => {
    const below = path === '' ? name : `${path}/${name}`
    if (below === '.plait') return []
    const stats = lstatSync(side.path(below), { bigint: true })
    const mode = (Number(stats.mode) & 0o7777).toString(8)
    if (stats.isDirectory()) return [`${below}/ ${mode}`, ...outline(side, below)]
    if (stats.isSymbolicLink()) return [`${below} -> ${readlinkSync(side.path(below))}`]
    return [`${below} ${mode} ${readFileSync(side.path(below), 'utf8')}`]
  })
}

/** Node sets times as doubles: a nanosecond of difference may be one of a microsecond, if that is cut off. */
function expectSameTimes(): void {
  for (const path of readdirSync(ann.root, { recursive: true, encoding: 'utf8' })) {
    if (path.startsWith('.plait')) continue
    const [one, other] = [ann, bob].map((side) => lstatSync(side.path(path), { bigint: true }))
    if (one?.isFile() === true) expect(nearTime(one.mtimeNs, other?.mtimeNs ?? 0n), path).toBe(true)
  }
}

async function bringTogether(): Promise<void> {
  for (let round = 0; round < 3; round += 1) for (const side of [ann, bob]) await side.synchronize()
  expect(outline(bob)).toEqual(outline(ann))
  expectSameTimes()
  for (const side of [ann, bob]) {
    expect(readdirSync(side.path('.plait/tmp'))).toEqual([])
    expect(readdirSync(side.path('.plait/aside'))).toEqual([])
  }
}

async function begin(): Promise<void> {
  mkdirSync(ann.path('d/e'), { recursive: true })
  writeFileSync(ann.path('a'), 'content a')
  writeFileSync(ann.path('b'), 'content b')
  writeFileSync(ann.path('d/e/f'), 'content f')
  await bringTogether()
}

describe('two folders', () => {
  it('are the same, with modes, times, links and empty directories', async () => {
    mkdirSync(ann.path('empty/below'), { recursive: true })
    chmodSync(ann.path('empty'), 0o555)
    writeFileSync(ann.path('run'), '#!/bin/sh\n', { mode: 0o755 })
    writeFileSync(ann.path('large'), 'x'.repeat(100_000))
    writeFileSync(ann.path('nothing'), '')
    utimesSync(ann.path('large'), 1_000_000_000.123456, 1_000_000_000.123456)
    symlinkSync('run', ann.path('link'))
    writeFileSync(ann.path('a\nb \u001b[31m'), '')
    await bringTogether()
    expect(outline(bob)).toContain('link -> run')
    chmodSync(ann.path('run'), 0o700)
    await bringTogether()
    expect(lstatSync(bob.path('run')).mode & 0o777).toBe(0o700)
  })

  it('fetch nothing when names are swapped, circled or directories turned inside out', async () => {
    await begin()
    bob.onContent = (root) => expect.fail(`fetched ${root}`)
    renameSync(ann.path('a'), ann.path('x'))
    renameSync(ann.path('b'), ann.path('a'))
    renameSync(ann.path('x'), ann.path('b'))
    renameSync(ann.path('d/e'), ann.path('e'))
    renameSync(ann.path('d'), ann.path('e/d'))
    await bringTogether()
    expect(readFileSync(bob.path('a'), 'utf8')).toBe('content b')
    expect(readFileSync(bob.path('e/f'), 'utf8')).toBe('content f')
    expect(bob.folder.history.list()).toEqual([])
  })

  it('keep what is replaced and deleted, and give it back', async () => {
    await begin()
    writeFileSync(ann.path('a'), 'new a')
    rmSync(ann.path('d'), { recursive: true })
    await bringTogether()
    const entries = bob.folder.history.list()
    expect(entries.map(({ path, why, kind, size }) => [path, why, kind, size])).toEqual([
      ['a', 'replaced', 'file', 9],
      ['d/e/f', 'deleted', 'file', 9],
    ])
    restoreFile(bob.folder, entries[1]?.id ?? '', 'restored')
    expect(readFileSync(bob.path('restored'), 'utf8')).toBe('content f')
    expect(lstatSync(bob.path('restored'), { bigint: true }).mtimeNs).toBe(entries[1]?.mtimeNs)
    for (const path of ['restored', '../x', 'no/where', '.plait/x'])
      expect(() => restoreFile(bob.folder, entries[1]?.id ?? '', path)).toThrow(PlaitError)
    expect(readdirSync(bob.path('.plait/tmp'))).toEqual([])
    expect(bob.folder.history.prune({ days: 30, bytes: 10 })).toBe(1)
    expect(bob.folder.history.list().map(({ path }) => path)).toEqual(['d/e/f'])
    expect(() => bob.folder.history.copy('../../a', bob.folder.root, 'x')).toThrow('history')
  })

  it('keep both when both were edited, and a directory that something was put into while it was removed', async () => {
    await begin()
    writeFileSync(ann.path('a'), 'of ann')
    writeFileSync(bob.path('a'), 'of bob')
    rmSync(ann.path('d'), { recursive: true })
    writeFileSync(bob.path('d/new'), 'new')
    await bringTogether()
    const files = outline(ann)
    expect(files.filter((line) => /of (ann|bob)$/.test(line))).toHaveLength(2)
    expect(files.filter((line) => line.includes('(conflict of'))).toHaveLength(1)
    expect(readFileSync(ann.path('d/new'), 'utf8')).toBe('new')
  })
})

describe('a plan', () => {
  it('overwrites nothing that was changed after it was made', async () => {
    await begin()
    writeFileSync(ann.path('a'), 'new a')
    rmSync(ann.path('b'))
    await ann.synchronize()
    bob.catchUp()
    const plan = await bob.plan()
    writeFileSync(bob.path('a'), 'meanwhile')
    writeFileSync(bob.path('b'), 'meanwhile b')
    const { changed, failures } = await bob.apply(plan)
    expect([[...changed].sort(), failures]).toEqual([['a', 'b'], []])
    expect(readFileSync(bob.path('a'), 'utf8')).toBe('meanwhile')
    await bringTogether()
    const contents = outline(ann).map((line) => line.split(' ').slice(-2).join(' '))
    for (const content of ['new a', 'meanwhile b']) expect(contents).toContain(content)
    expect(outline(ann).some((line) => line.endsWith(' meanwhile'))).toBe(true)
  })

  it('keeps beside a file what is written to the old one in the moment in which it comes', async () => {
    await begin()
    writeFileSync(ann.path('a'), 'new a')
    await ann.synchronize()
    bob.catchUp()
    bob.folder.history.onHeld = () => writeFileSync(bob.path('a'), 'content a, and more')
    await bob.apply(await bob.plan())
    bob.folder.history.onHeld = () => undefined
    expect(readFileSync(bob.path('a'), 'utf8')).toBe('new a')
    expect(readFileSync(bob.path('a (edited meanwhile)'), 'utf8')).toBe('content a, and more')
  })

  it('reads through no link that was put in the place of a file', async () => {
    await begin()
    writeFileSync(join(base, 'outside'), 'outside')
    rmSync(ann.path('a'))
    symlinkSync('../outside', ann.path('a'))
    expect(() => SourceFile.open(ann.folder.root, 'a')).toThrow(expect.objectContaining({ code: 'ELOOP' }) as Error)
  })

  it('goes through no link that was put in the place of a directory', async () => {
    await begin()
    mkdirSync(join(base, 'outside'))
    writeFileSync(ann.path('d/e/g'), 'g')
    await ann.synchronize()
    bob.catchUp()
    const plan = await bob.plan()
    renameSync(bob.path('d/e'), bob.path('moved'))
    symlinkSync('../../outside', bob.path('d/e'))
    const { failures } = await bob.apply(plan)
    expect(failures.map(({ path, error }) => [path, error.code])).toEqual([['d/e/g', 'FILE_FAILED']])
    expect(readdirSync(join(base, 'outside'))).toEqual([])
  })

  it('names what failed, leaves nothing of it, and does the rest', async () => {
    for (const name of ['1', '2', '3', '4']) writeFileSync(ann.path(name), `content ${name}`)
    await ann.synchronize()
    bob.catchUp()
    const full = Object.assign(new Error('no space left'), { code: 'ENOSPC' })
    const { failures } = await bob.apply(await bob.plan(), {
      content: async ({ size }, write) => {
        await write(new TextEncoder().encode('conte'))
        seen += 1
        // The first one finds room when it is tried alone.
        if (seen === 1 || seen === 2 || seen > 5) throw full
        if (seen === 3) return
        await write(new TextEncoder().encode('nt X'.slice(0, size - 5)))
      },
    })
    expect(failures.map(({ path, error }) => [path, error.code])).toEqual([
      ['2', 'NO_SPACE'],
      ['3', 'CORRUPT'],
    ])
    expect(readdirSync(bob.root).sort()).toEqual(['.plait', '1', '4'])
    expect(readdirSync(bob.path('.plait/tmp'))).toEqual([])
    expect(failures[0]?.error).toBeInstanceOf(PlaitError)
  })

  it('of a folder that only receives keeps what it overwrites', async () => {
    await begin()
    writeFileSync(bob.path('a'), 'own a')
    writeFileSync(bob.path('n'), 'own n')
    writeFileSync(ann.path('a'), 'new a')
    writeFileSync(ann.path('n'), 'new n')
    await ann.synchronize()
    bob.catchUp()
    const { changed, failures } = await bob.apply(await bob.plan({ isReceiver: true }))
    expect([changed, failures]).toEqual([[], []])
    expect(['a', 'n'].map((path) => readFileSync(bob.path(path), 'utf8'))).toEqual(['new a', 'new n'])
    const kept = bob.folder.history.list().map(({ path, why }) => [path, why])
    expect(kept).toEqual([
      ['a', 'unpublished'],
      ['n', 'unpublished'],
    ])
  })

  it('leaves nothing half done when it is ended', async () => {
    for (let count = 0; count < 40; count += 1) writeFileSync(ann.path(`f${count}`), `content ${count}`)
    await ann.synchronize()
    bob.catchUp()
    const end = new AbortController()
    bob.onContent = () => {
      if ((seen += 1) === 20) end.abort()
    }
    const { failures } = await bob.apply(await bob.plan(), { signal: end.signal })
    expect(failures).toEqual([])
    expect(readdirSync(bob.path('.plait/tmp'))).toEqual([])
    expect(bob.agreement.size).toBeLessThan(40)
    bob.onContent = () => undefined
    await bringTogether()
  })

  it('takes away what an earlier process has left, and puts nothing there that it left aside', async () => {
    await begin()
    writeFileSync(bob.path('.plait/tmp/7'), 'half')
    mkdirSync(bob.path('.plait/aside/3'))
    writeFileSync(bob.path('.plait/aside/3/kept'), 'by somebody')
    bob.folder.close()
    const again = await Side.open(new Common(), bob.root, 3)
    expect(existsSync(bob.path('.plait/tmp/7'))).toBe(false)
    again.agreement = bob.agreement
    await again.apply(await again.plan())
    expect(readdirSync(bob.path('.plait/aside'))).toEqual([])
    expect(again.folder.history.list().map(({ path, why }) => [path, why])).toContainEqual([
      '.plait/aside/3/kept',
      'stray',
    ])
    again.folder.close()
  })
})

let seen = 0
beforeEach(() => {
  seen = 0
})
