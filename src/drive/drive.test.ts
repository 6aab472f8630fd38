import {
  appendFileSync,
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { bringTogether } from '../../test/drive/member.ts'
import type { Member } from '../../test/drive/member.ts'
import { useParty } from '../../test/drive/party.ts'
import { SeededRandom } from '../runtime/simulated/random.ts'
import { nearTime } from './plan/item.ts'

const MiB = 1024 * 1024
const random = new SeededRandom('drive')
const { open, leave, restart } = useParty()

interface Shown {
  readonly text: string
  readonly mtimeNs: bigint
}

/** All that is in a folder: kinds, modes, targets and contents, with the times of files. */
function shown(folder: string): ReadonlyMap<string, Shown> {
  const found = new Map<string, Shown>()
  for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    if (path === '.plait' || path.startsWith('.plait/')) continue
    const at = join(folder, path)
    const stats = lstatSync(at, { bigint: true })
    const mode = (Number(stats.mode) & 0o7777).toString(8)
    if (stats.isDirectory()) found.set(path, { text: `directory ${mode}`, mtimeNs: 0n })
    else if (stats.isSymbolicLink()) found.set(path, { text: `-> ${readlinkSync(at)}`, mtimeNs: 0n })
    else found.set(path, { text: `${mode} ${readFileSync(at, 'latin1')}`, mtimeNs: stats.mtimeNs })
  }
  return found
}

function expectSame(one: Member, other: Member): void {
  const [mine, theirs] = [shown(one.folder), shown(other.folder)]
  expect([...theirs.keys()]).toEqual([...mine.keys()])
  for (const [path, { text, mtimeNs }] of mine) {
    expect(theirs.get(path)?.text === text, path).toBe(true)
    expect(nearTime(theirs.get(path)?.mtimeNs ?? 0n, mtimeNs), path).toBe(true)
  }
  for (const { folder } of [one, other]) expect(readdirSync(join(folder, '.plait/tmp'))).toEqual([])
}

/** Ann has made a drive of what `fill` puts into her folder; Bob has joined it. */
async function pair(fill: (ann: Member) => void, role: 'read' | 'write' = 'write'): Promise<[Member, Member]> {
  const ann = await open('ann')
  fill(ann)
  await ann.create()
  await ann.sync()
  const bob = await open('bob')
  await bob.join(await ann.invite({ role }))
  await bob.drive.caughtUp()
  await bob.sync()
  return [ann, bob]
}

function sample(ann: Member): void {
  mkdirSync(ann.path('d/e'), { recursive: true })
  mkdirSync(ann.path('empty'))
  writeFileSync(ann.path('a'), 'content a')
  writeFileSync(ann.path('nothing'), '')
  writeFileSync(ann.path('d/e/f'), 'content f')
  writeFileSync(ann.path('run'), '#!/bin/sh\n', { mode: 0o755 })
  writeFileSync(ann.path('film'), random.bytes(3 * MiB))
  writeFileSync(ann.path('film again'), readFileSync(ann.path('film')))
  utimesSync(ann.path('film'), 1_000_000_000.5, 1_000_000_000.5)
  symlinkSync('d/e/f', ann.path('link'))
  writeFileSync(ann.path('odd\n\u001b[31m'), 'odd')
  chmodSync(ann.path('empty'), 0o555)
}

it('says that it has settled when all that was in the folder is told, though nobody has asked', async () => {
  const ann = await open('ann')
  writeFileSync(ann.path('file'), 'text')
  const { drive } = await ann.create()
  await new Promise<void>((resolve) => drive.addEventListener('settled', () => resolve(), { once: true }))
  expect(drive.entries().map(({ path }) => path)).toEqual(['file'])
  expect(drive.status().phase).toBe('idle')
})

it('comes over whole: contents, modes, times, links and empty directories; and again costs nothing', async () => {
  const [ann, bob] = await pair(sample)
  expectSame(ann, bob)
  expect(bob.drive.role).toBe('write')
  const before = bob.drive.status().counts
  await bringTogether(ann, bob)
  expect(bob.drive.status().counts).toEqual(before)
  expect([ann.problems, bob.problems]).toEqual([[], []])
  expect(bob.drive.status().progress).toMatchObject({ filesTotal: 7, filesDone: 7, failed: 0 })
  expect(bob.drive.status().progress.bytesDone).toBe(bob.drive.status().progress.bytesTotal)
})

it('goes both ways', async () => {
  const [ann, bob] = await pair(sample)
  writeFileSync(bob.path('of bob'), 'b')
  writeFileSync(bob.path('a'), 'changed by bob')
  rmSync(bob.path('run'))
  writeFileSync(ann.path('of ann'), 'a')
  chmodSync(ann.path('d/e/f'), 0o600)
  await bringTogether(ann, bob)
  expectSame(ann, bob)
  expect(readFileSync(ann.path('a'), 'utf8')).toBe('changed by bob')
  expect(existsSync(ann.path('run'))).toBe(false)
  expect(ann.drive.history().map(({ path, why }) => [path, why])).toEqual([
    ['a', 'replaced'],
    ['run', 'deleted'],
  ])
  ann.drive.restore(ann.drive.history()[1]?.id ?? '', 'run again')
  await bringTogether(ann, bob)
  expect(readFileSync(bob.path('run again'), 'utf8')).toBe('#!/bin/sh\n')
})

it('sends no content for what is renamed, copied, or was there before', async () => {
  const [ann, bob] = await pair(sample)
  const { remoteChunks } = bob.drive.status().counts
  renameSync(ann.path('d'), ann.path('moved'))
  renameSync(ann.path('film'), ann.path('moved/movie'))
  writeFileSync(ann.path('copy'), readFileSync(ann.path('moved/movie')))
  await bringTogether(ann, bob)
  expectSame(ann, bob)
  rmSync(ann.path('copy'))
  rmSync(ann.path('moved/movie'))
  await bringTogether(ann, bob)
  writeFileSync(ann.path('copy'), 'x')
  await bringTogether(ann, bob)
  const held = ann.drive.history()
  expect(held).toEqual([])
  expect(bob.drive.status().counts.remoteChunks).toBe(remoteChunks + 1)
  // What was deleted is in the history yet.
  const old = bob.drive.history().find(({ path }) => path === 'moved/movie')
  bob.drive.restore(old?.id ?? '', 'back')
  await bringTogether(ann, bob)
  expectSame(ann, bob)
})

it('sends few chunks when a little is inserted into a large file', async () => {
  const bytes = random.bytes(8 * MiB)
  const [ann, bob] = await pair((member) => writeFileSync(member.path('large'), bytes))
  const before = bob.drive.status().counts
  const changed = Buffer.concat([bytes.subarray(0, 5 * MiB), random.bytes(1024), bytes.subarray(5 * MiB)])
  writeFileSync(ann.path('large'), changed)
  await bringTogether(ann, bob)
  expectSame(ann, bob)
  const after = bob.drive.status().counts
  expect(after.remoteBytes - before.remoteBytes).toBeLessThan(MiB)
  expect(after.remoteChunks - before.remoteChunks).toBeLessThan(10)
})

it('keeps both versions of what two have edited, on both sides', async () => {
  const [ann, bob] = await pair(sample)
  writeFileSync(ann.path('a'), 'by ann')
  writeFileSync(bob.path('a'), 'by bob')
  await Promise.all([ann.sync(), bob.sync()])
  await bringTogether(ann, bob)
  expectSame(ann, bob)
  const names = readdirSync(ann.folder).filter((name) => name.startsWith('a'))
  expect(names).toHaveLength(2)
  expect(names.map((name) => readFileSync(ann.path(name), 'utf8')).sort()).toEqual(['by ann', 'by bob'])
  expect(ann.conflicts).toEqual(names.filter((name) => name !== 'a'))
  expect(bob.conflicts).toEqual(ann.conflicts)
  expect(ann.drive.entries().filter(({ isConflict }) => isConflict)).toHaveLength(1)
})

it('goes on where it was when it is opened again, with what has changed meanwhile on both sides', async () => {
  const [ann, bob] = await pair(sample)
  const annAgain = restart(ann, 'ann')
  appendFileSync(bob.path('a'), ' and more')
  const { remoteChunks } = bob.drive.status().counts
  await bob.sync()
  appendFileSync((await annAgain).path('d/e/f'), ' and more')
  const again = await (await annAgain).reopen()
  await bringTogether(again, bob)
  expectSame(again, bob)
  expect(again.drive.status().counts.remoteChunks).toBe(1)
  expect(bob.drive.status().counts.remoteChunks).toBe(remoteChunks + 1)
  expect(again.problems).toEqual([])
})

it('resumes what was interrupted, file by file and within a large one', async () => {
  const ann = await open('ann')
  for (let index = 0; index < 300; index += 1) writeFileSync(ann.path(`f${index}`), `content ${index}`)
  writeFileSync(ann.path('film'), random.bytes(20 * MiB))
  await ann.create()
  await ann.sync()
  const link = await ann.invite({ role: 'write' })
  const bob = await open('bob')
  await bob.join(link)
  while (bob.drive.status().counts.remoteBytes < 5 * MiB) await new Promise((resolve) => setTimeout(resolve, 1))
  const first = bob.drive.status().counts.remoteBytes
  const again = await restart(bob, 'bob')
  expect(first).toBeLessThan(20 * MiB)
  await again.reopen()
  await bringTogether(again, ann)
  expectSame(ann, again)
  const { remoteBytes, resumedBytes } = again.drive.status().counts
  expect(resumedBytes).toBeGreaterThan(2 * MiB)
  expect(remoteBytes + first).toBeLessThan(23 * MiB)
  expect(readdirSync(again.path('.plait/parts'))).toEqual([])
})

it('asks before most files are deleted, on either side', async () => {
  const [ann, bob] = await pair((member) => {
    for (let index = 0; index < 30; index += 1) writeFileSync(member.path(`f${index}`), `content ${index}`)
  })
  for (let index = 0; index < 20; index += 1) rmSync(ann.path(`f${index}`))
  expect((await ann.sync()).hold).toEqual({ reason: 'many-deletions', deleted: 20, files: 30 })
  await bringTogether(ann, bob)
  // A few may have been seen to be gone before the others were.
  expect(readdirSync(bob.folder).length).toBeGreaterThanOrEqual(21)
  ann.drive.allowDeletions()
  expect((await ann.sync()).hold).toBeUndefined()
  await bob.drive.caughtUp()
  expect((await bob.sync()).hold).toEqual({ reason: 'many-deletions', deleted: 20, files: 30 })
  expect(readdirSync(bob.folder).length).toBeGreaterThanOrEqual(21)
  bob.drive.allowDeletions()
  await bob.sync()
  expectSame(ann, bob)
  // A lost mount.
  rmSync(ann.path('.plait/drive.json'))
  for (const name of readdirSync(ann.folder)) if (name !== '.plait') rmSync(ann.path(name))
  expect((await ann.sync()).hold).toEqual({ reason: 'marker-gone' })
  await bringTogether(ann, bob)
  expect(readdirSync(bob.folder)).toHaveLength(11)
  expect(readdirSync(ann.folder)).toHaveLength(1)
})

it('of a member that only reads publishes nothing', async () => {
  const [ann, bob] = await pair(sample, 'read')
  expectSame(ann, bob)
  expect(bob.drive.role).toBe('read')
  writeFileSync(bob.path('own'), 'stays here')
  writeFileSync(bob.path('a'), 'changed here')
  await bringTogether(ann, bob)
  expect(readFileSync(ann.path('a'), 'utf8')).toBe('content a')
  expect(existsSync(ann.path('own'))).toBe(false)
  writeFileSync(ann.path('a'), 'changed there')
  await bringTogether(ann, bob)
  expect(readFileSync(bob.path('a'), 'utf8')).toBe('changed there')
  expect(readFileSync(bob.path('own'), 'utf8')).toBe('stays here')
  expect(bob.drive.history().map(({ path, why }) => [path, why])).toEqual([['a', 'unpublished']])
})

it('gives its members what the others have, whoever wrote it, and lets contents be read in part', async () => {
  const [ann, bob] = await pair(sample)
  const film = random.bytes(2 * MiB)
  writeFileSync(bob.path('of bob'), film)
  await bringTogether(ann, bob)
  const link = await ann.invite()
  const cat = await open('cat')
  await cat.join(link)
  await cat.drive.caughtUp()
  await leave(bob)
  await cat.sync()
  expectSame(ann, cat)
  const parts: Uint8Array[] = []
  for await (const part of cat.drive.read('of bob', { start: MiB - 5, end: MiB + 7 })) parts.push(part)
  expect(Buffer.concat(parts).equals(film.subarray(MiB - 5, MiB + 7))).toBe(true)
})

it('merges with what is in the folder already: what is the same is not fetched, what differs stays', async () => {
  const ann = await open('ann')
  sample(ann)
  await ann.create()
  await ann.sync()
  const bob = await open('bob')
  writeFileSync(bob.path('film'), readFileSync(ann.path('film')))
  writeFileSync(bob.path('a'), 'another a')
  writeFileSync(bob.path('own'), 'own')
  await bob.join(await ann.invite({ role: 'write' }))
  await bringTogether(bob, ann)
  expectSame(ann, bob)
  expect(bob.drive.status().counts.remoteBytes).toBeLessThan(1_000)
  const contents = [...shown(ann.folder).values()].map(({ text }) => text)
  for (const text of ['644 own', '644 another a', '644 content a']) expect(contents).toContain(text)
})

it('names what nobody has who is connected, brings the rest, and takes it when it comes', async () => {
  const [ann, bob] = await pair(sample)
  const { id } = bob.drive
  writeFileSync(bob.path('of bob'), random.bytes(MiB))
  await bob.sync()
  await ann.drive.caughtUp()
  await ann.sync()
  rmSync(ann.path('of bob'))
  rmSync(ann.path('.plait/history'), { recursive: true })
  const cat = await open('cat')
  await cat.join(await ann.invite())
  expect(cat.drive.id).toBe(id)
  await bringTogether(ann, bob, cat)
  expectSame(ann, bob)
  expectSame(ann, cat)
})
