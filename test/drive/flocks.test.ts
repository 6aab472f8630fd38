import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { encodeHex } from '../../src/base/bytes.ts'
import { PlaitError } from '../../src/base/error.ts'
import { placerHere } from '../../src/drive/disk/fresh-files.ts'
import type { FilePlacer } from '../../src/drive/disk/fresh-files.ts'
import { FileThread } from '../../src/drive/disk/file-thread.ts'
import { flocksOf } from '../../src/drive/folder/flock.ts'
import type { SmallContent, SmallDoor } from '../../src/drive/folder/staging.ts'
import type { Applied } from '../../src/drive/folder/apply.ts'
import { Common, Side } from './side.ts'

const count = 40
let base: string
let common: Common
let ann: Side
let bob: Side

beforeEach(async () => {
  base = mkdtempSync(join(tmpdir(), 'plait-flocks-'))
  common = new Common()
  ann = await Side.open(common, join(base, 'ann'), 1)
  bob = await Side.open(common, join(base, 'bob'), 2)
  for (let index = 0; index < count; index += 1) {
    const directory = ann.path(`d${index % 3}/e`)
    mkdirSync(directory, { recursive: true })
    const file = join(directory, `f${index}`)
    writeFileSync(file, index === 7 ? '' : `content ${index}`, { mode: index % 2 === 0 ? 0o600 : 0o755 })
    utimesSync(file, 1_700_000_000, 1_600_000_000 + index)
  }
  await ann.publish()
  bob.catchUp()
})
afterEach(() => rmSync(base, { recursive: true, force: true }))

const contents: SmallDoor = async (versions) =>
  versions.map(({ root }): SmallContent => {
    const bytes = common.contents.get(encodeHex(root))
    return bytes === undefined ? { error: new PlaitError('SUPERSEDED', 'nobody has it') } : { bytes }
  })

/** One after the other would need the door of single files, which is not there. */
const alone = (): Promise<never> => Promise.reject(new Error('asked for by itself'))

async function place(options: { readonly door?: SmallDoor; readonly placer?: FilePlacer } = {}): Promise<Applied> {
  const { door = contents, placer = placerHere } = options
  return bob.apply(await bob.plan(), { content: alone, flocks: { contents: door, placer } })
}

function expectSame(left: Side, right: Side, except?: string): void {
  for (let index = 0; index < count; index += 1) {
    const path = `d${index % 3}/e/f${index}`
    if (path === except) continue
    expect([path, readFileSync(right.path(path), 'utf8')]).toEqual([path, readFileSync(left.path(path), 'utf8')])
    const [one, other] = [statSync(left.path(path)), statSync(right.path(path))]
    expect([other.mode, other.mtimeMs]).toEqual([one.mode, one.mtimeMs])
  }
  expect(readdirSync(right.path('.plait/tmp'))).toEqual([])
}

it.each([
  ['here', (): FilePlacer => placerHere],
  ['in a thread', (): FilePlacer => new FileThread()],
])('puts many small files there at once, with their directories, %s', async (_where, open) => {
  const placer = open()
  expect(await place({ placer })).toEqual({ failures: [], changed: [] })
  await placer.close()
  expectSame(ann, bob)
  const again = await bob.plan()
  expect(again.list).toEqual([])
  expect(flocksOf(again.list)).toEqual([])
})

it('leaves what somebody has put there meanwhile, and puts the rest there', async () => {
  const placer: FilePlacer = {
    ...placerHere,
    place: (files, isSynced) => {
      writeFileSync(bob.path('d0/e/f9'), 'of bob')
      return placerHere.place(files, isSynced)
    },
  }
  expect(await place({ placer })).toEqual({ failures: [], changed: ['d0/e/f9'] })
  expect(readFileSync(bob.path('d0/e/f9'), 'utf8')).toBe('of bob')
  expectSame(ann, bob, 'd0/e/f9')
})

it('says of which files it does not have the content, and places the others', async () => {
  const { version } =
    (await bob.plan()).list.flatMap((action) => (action.kind === 'write' ? [action.item] : []))[5] ?? {}
  const wrong = encodeHex(version?.root ?? new Uint8Array(32))
  const door: SmallDoor = async (versions, options) =>
    (await contents(versions, options)).map((content, index) =>
      encodeHex(versions[index]?.root ?? new Uint8Array(0)) === wrong
        ? { error: new PlaitError('SUPERSEDED', 'nobody has it') }
        : content,
    )
  const { failures, changed } = await place({ door })
  expect(failures.map(({ error }) => error.code)).toEqual(['SUPERSEDED'])
  expect(changed).toEqual([])
  expectSame(ann, bob, failures[0]?.path)
  expect(readdirSync(join(bob.path(failures[0]?.path ?? ''), '..'))).not.toContain(failures[0]?.path.split('/').at(-1))
})

it('does by itself what cannot be placed with the others', async () => {
  const placer: FilePlacer = {
    ...placerHere,
    place: async (files) => files.map(() => ({ code: 'EACCES' })),
  }
  expect(await place({ placer })).toEqual({ failures: [], changed: [] })
  expectSame(ann, bob)
})

it('begins nothing after the signal', async () => {
  const ending = new AbortController()
  const door: SmallDoor = async (versions, options) => {
    ending.abort(new Error('enough'))
    return contents(versions, options)
  }
  const flocks = { contents: door, placer: placerHere }
  const { failures } = await bob.apply(await bob.plan(), { content: alone, flocks, signal: ending.signal })
  expect(failures).toEqual([])
  expect(
    readdirSync(bob.root).flatMap((name) => (name === '.plait' ? [] : readdirSync(bob.path(`${name}/e`)))),
  ).toEqual([])
})

it('takes what belongs together: no more than is open or in memory at once', async () => {
  const { list } = await bob.plan()
  const flocks = flocksOf(list)
  expect(flocks.reduce((sum, { writes }) => sum + writes.length, 0)).toBe(count)
  for (const { start, end, writes, directories } of flocks) expect(end - start).toBe(writes.length + directories.length)
  expect(
    flocksOf(
      list.filter(({ kind }) => kind !== 'write').concat(list.filter(({ kind }) => kind === 'write').slice(0, 15)),
    ),
  ).toEqual([])
})
