import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { bringTogether } from '../../test/drive/member.ts'
import type { Member } from '../../test/drive/member.ts'
import { useParty } from '../../test/drive/party.ts'
import { SeededRandom } from '../runtime/simulated/random.ts'
import type { DriveOptions } from './drive-api.ts'

const random = new SeededRandom('care')
const party = useParty()
const { open, leave } = party

async function restart(member: Member, name: string, options: Partial<DriveOptions>): Promise<Member> {
  return (await party.restart(member, name)).reopen(options)
}

/** Ann's folder, and Bob's copy of it. */
async function pair(role: 'read' | 'write' = 'write', options: Partial<DriveOptions> = {}): Promise<[Member, Member]> {
  const ann = await open('ann')
  mkdirSync(ann.path('d'))
  writeFileSync(ann.path('a'), 'content a')
  writeFileSync(ann.path('d/b'), 'content b')
  writeFileSync(ann.path('film'), random.bytes(1_500_000))
  await ann.create()
  await ann.sync()
  const bob = await open('bob')
  await bob.join(await ann.invite({ role }), options)
  await bob.drive.caughtUp()
  await bob.sync()
  return [ann, bob]
}

/** Another content, of the same size and with the same time. */
function spoil(member: Member, path: string): void {
  const at = member.path(path)
  const time = Number(statSync(at, { bigint: true }).mtimeNs) / 1e9
  const bytes = readFileSync(at)
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1
  writeFileSync(at, bytes)
  utimesSync(at, time, time)
}

const text = (member: Member, path: string): string => readFileSync(member.path(path), 'latin1')

it('reads everything again, and names what is broken, missing, edited or not here', async () => {
  const [ann, first] = await pair()
  expect(await first.drive.verify()).toMatchObject({ files: 3, bytes: 1_500_018, damaged: [], edited: [], absent: [] })
  const bob = await restart(first, 'bob', { isPassive: true })
  spoil(bob, 'film')
  rmSync(bob.path('d'), { recursive: true })
  writeFileSync(bob.path('a'), 'edited')
  writeFileSync(ann.path('new'), 'new')
  await ann.sync()
  await bob.drive.caughtUp()
  const seen: number[] = []
  const found = await bob.drive.verify({ progress: ({ files }) => seen.push(files) })
  expect(found.damaged.map(({ path, damage }) => [path, damage])).toEqual([
    ['d', 'missing'],
    ['d/b', 'missing'],
    ['film', 'broken'],
  ])
  expect([found.edited, found.absent, found.files, seen.at(-1)]).toEqual([['a'], ['new'], 1, 1])
  // It has changed nothing, and told nobody.
  expect([existsSync(bob.path('d')), existsSync(bob.path('new')), text(ann, 'a')]).toEqual([false, false, 'content a'])
})

it('brings back what is broken or missing, from here or from others, and keeps what was there', async () => {
  const [ann, first] = await pair()
  const bob = await restart(first, 'bob', { isPassive: true })
  const broken = ((): string => (spoil(bob, 'film'), text(bob, 'film')))()
  rmSync(bob.path('d'), { recursive: true })
  spoil(bob, 'a')
  await bob.drive.caughtUp()
  const repaired = await bob.drive.repair()
  expect([repaired.damaged.length, repaired.problems]).toEqual([4, []])
  for (const path of ['a', 'd/b', 'film']) expect(text(bob, path) === text(ann, path), path).toBe(true)
  // Of the film only what was broken has come.
  expect(bob.drive.status().counts.remoteBytes).toBeLessThan(300_000)
  const [kept] = bob.drive.history().filter(({ path }) => path === 'film')
  expect(kept?.size).toBe(broken.length)
  expect(await bob.drive.verify()).toMatchObject({ damaged: [], edited: [], absent: [] })
  await bringTogether(ann, bob)
  expect(readdirSync(ann.folder).sort()).toEqual(['.plait', 'a', 'd', 'film'])
  expect(text(ann, 'a')).toBe('content a')
})

it('stops reading when it is told to, and when the drive is closed', async () => {
  const [, bob] = await pair()
  const ending = new AbortController()
  const told = bob.drive.verify({ signal: ending.signal, progress: () => ending.abort(new Error('enough')) })
  await expect(told).rejects.toThrow('enough')
  let files = 0
  const closed = bob.drive.verify({ progress: () => ((files += 1), void bob.drive.close()) })
  await expect(closed).rejects.toMatchObject({ code: 'STORE_CLOSED' })
  expect(files).toBeLessThan(4)
})

it('says what it could not bring back, and tries again another time', async () => {
  const [ann, first] = await pair()
  await leave(ann)
  const bob = await restart(first, 'bob', { isPassive: true })
  spoil(bob, 'a')
  const alone = await bob.drive.repair()
  expect(alone.problems).toEqual([
    expect.objectContaining({ path: 'a', error: expect.objectContaining({ code: 'UNREACHABLE' }) }),
  ])
  await (await open('ann')).reopen()
  await bob.drive.caughtUp()
  expect((await bob.drive.repair()).problems).toEqual([])
  expect(text(bob, 'a')).toBe('content a')
})

it.each(['this', 'other'] as const)('ends a conflict by keeping %s', async (keep) => {
  const [ann, bob] = await pair()
  writeFileSync(ann.path('a'), 'of ann')
  writeFileSync(bob.path('a'), 'of bob')
  await bringTogether(ann, bob)
  const [copy = ''] = ann.drive.entries().flatMap(({ path, isConflict }) => (isConflict ? [path] : []))
  const [name, beside] = [text(ann, 'a'), text(ann, copy)]
  await ann.drive.resolve(copy, { keep })
  await bringTogether(ann, bob)
  const kept = keep === 'this' ? beside : name
  for (const member of [ann, bob]) {
    expect(readdirSync(member.folder).sort()).toEqual(['.plait', 'a', 'd', 'film'])
    expect(text(member, 'a')).toBe(kept)
    expect(member.drive.entries().filter(({ isConflict }) => isConflict)).toEqual([])
  }
  // What was given up can be had again.
  const { id = '' } = ann.drive.history().find(({ why }) => why === 'replaced') ?? {}
  ann.drive.restore(id, 'again')
  expect(text(ann, 'again')).toBe(keep === 'this' ? name : beside)
})

it('ends a conflict of two that made a file of one name, by keeping the one that has it', async () => {
  const [ann, bob] = await pair()
  writeFileSync(ann.path('new'), 'of ann')
  writeFileSync(bob.path('new'), 'of bob')
  await bringTogether(ann, bob)
  expect(bob.conflicts).toHaveLength(1)
  const kept = text(bob, 'new')
  await bob.drive.resolve('new')
  await bringTogether(ann, bob)
  for (const member of [ann, bob]) expect([text(member, 'new'), readdirSync(member.folder).length]).toEqual([kept, 5])
})

it('chooses nothing where there is nothing to choose', async () => {
  const [ann, bob] = await pair('read')
  await expect(bob.drive.resolve('a')).rejects.toMatchObject({ code: 'FORBIDDEN' })
  for (const path of ['a', 'nowhere'])
    await expect(ann.drive.resolve(path)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
})

it('says what a sync would do, and does nothing', async () => {
  const [ann, first] = await pair()
  const bob = await restart(first, 'bob', { isPassive: true })
  writeFileSync(ann.path('a'), 'longer than it was')
  rmSync(ann.path('d/b'))
  await ann.sync()
  writeFileSync(bob.path('mine'), 'mine')
  await bob.drive.caughtUp()
  const { incoming, outgoing, problems, hold } = await bob.drive.preview()
  expect(outgoing).toEqual([{ kind: 'create', path: 'mine', size: 4 }])
  expect(incoming).toEqual([
    { kind: 'change', path: 'a', size: 18 },
    { kind: 'delete', path: 'd/b', size: 0 },
  ])
  expect([problems, hold, text(bob, 'a'), existsSync(bob.path('d/b'))]).toEqual([[], undefined, 'content a', true])
  expect(existsSync(ann.path('mine'))).toBe(false)
  await bringTogether(bob, ann)
  expect((await bob.drive.preview()).incoming).toEqual([])
  expect([text(bob, 'a'), existsSync(bob.path('d/b')), text(ann, 'mine')]).toEqual([
    'longer than it was',
    false,
    'mine',
  ])
})

it('only receives when it is told to, though it might write', async () => {
  const [ann, bob] = await pair('write', { isReadOnly: true })
  writeFileSync(bob.path('mine'), 'mine')
  writeFileSync(ann.path('a'), 'another')
  await ann.sync()
  await bob.drive.caughtUp()
  await bob.sync()
  expect([text(bob, 'a'), text(bob, 'mine')]).toEqual(['another', 'mine'])
  await ann.sync()
  expect(existsSync(ann.path('mine'))).toBe(false)
})

it('leaves alone what is left out later, and deletes it nowhere', async () => {
  const [ann, first] = await pair()
  let bob = await restart(first, 'bob', { ignore: ['film', 'later'] })
  writeFileSync(ann.path('film'), 'short now')
  writeFileSync(ann.path('later'), 'later')
  await ann.sync()
  await bob.drive.caughtUp()
  await bob.sync()
  expect([text(bob, 'film').length, existsSync(bob.path('later')), existsSync(ann.path('film'))]).toEqual([
    1_500_000,
    false,
    true,
  ])
  bob = await restart(bob, 'bob', { only: ['d'] })
  writeFileSync(ann.path('d/new'), 'new')
  rmSync(bob.path('a'))
  await ann.sync()
  await bob.drive.caughtUp()
  await bob.sync()
  expect([text(bob, 'd/new'), existsSync(bob.path('later')), existsSync(ann.path('a'))]).toEqual(['new', false, true])
  bob = await restart(bob, 'bob', {})
  await bob.drive.caughtUp()
  await bob.sync()
  // What was deleted while it was left out comes back.
  await bringTogether(bob, ann)
  for (const member of [ann, bob]) {
    expect(readdirSync(member.folder).sort()).toEqual(['.plait', 'a', 'd', 'film', 'later'])
    expect([text(member, 'film'), text(member, 'later'), text(member, 'a')]).toEqual([
      'short now',
      'later',
      'content a',
    ])
  }
  // Also when nobody has looked in between.
  await leave(bob)
  bob = await (await open('bob')).reopen({ ignore: ['a'] })
  await bob.sync()
  await leave(bob)
  rmSync(bob.path('a'))
  bob = await (await open('bob')).reopen()
  await bringTogether(bob, ann)
  expect([text(ann, 'a'), text(bob, 'a')]).toEqual(['content a', 'content a'])
})

it('knows when another member has everything', async () => {
  const ann = await open('ann')
  for (let index = 0; index < 20; index += 1) writeFileSync(ann.path(`file ${index}`), random.bytes(50_000))
  await ann.create()
  await ann.sync()
  const link = await ann.invite()
  let isCopied = false
  const copied = ann.drive.copied().then((nodeId) => ((isCopied = true), nodeId))
  const bob = await (await open('bob')).join(link, { isPassive: true })
  await bob.drive.caughtUp()
  expect(isCopied).toBe(false)
  await bob.sync()
  expect(await copied).toBe(bob.node.id)
  // Of those who have it already, too.
  expect(await ann.drive.copied()).toBe(bob.node.id)
})

it('gives and takes no faster than it is told to', async () => {
  const ann = await open('ann')
  writeFileSync(ann.path('film'), random.bytes(900_000))
  await ann.create()
  await ann.sync()
  const bob = await (await open('bob')).join(await ann.invite(), { bytesPerSecondMax: 1_000_000 })
  const began = performance.now()
  await bob.drive.caughtUp()
  await bob.sync()
  expect(text(bob, 'film') === text(ann, 'film')).toBe(true)
  expect(performance.now() - began).toBeGreaterThan(400)
})
