import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { ListingRecord } from '../entry.ts'
import { ListingOrder } from '../listing-order.ts'
import { Directory } from './directory.ts'
import { scanTree } from './scan.ts'

let base: string
let root: string

beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), 'plait-scan-')))
  root = join(base, 'tree')
  mkdirSync(root)
})
afterEach(() => rmSync(base, { recursive: true, force: true }))

function scan(during?: (record: ListingRecord) => void): readonly ListingRecord[] {
  const directory = Directory.root(root)
  const records: ListingRecord[] = []
  try {
    for (const record of scanTree(directory)) {
      records.push(record)
      during?.(record)
    }
  } finally {
    directory.close()
  }
  return records
}

const paths = (records: readonly ListingRecord[]): readonly string[] => records.map(({ path }) => path)
const reasons = (records: readonly ListingRecord[]): Readonly<Record<string, string>> =>
  Object.fromEntries(records.flatMap((record) => (record.kind === 'skipped' ? [[record.path, record.reason]] : [])))

it('tells kind, size, mode and time of each entry, in the order of a listing', () => {
  mkdirSync(join(root, 'a/empty'), { recursive: true })
  writeFileSync(join(root, 'a/file'), 'hello')
  writeFileSync(join(root, 'a-'), '')
  writeFileSync(join(root, '.hidden'), 'x')
  symlinkSync('../.hidden', join(root, 'a/link'))
  chmodSync(join(root, 'a/file'), 0o4751)
  utimesSync(join(root, 'a/file'), 1_700_000_000, 1_700_000_000)
  lutimesSync(join(root, 'a/link'), 5, 5)
  const records = scan()
  expect(paths(records)).toEqual(['', '.hidden', 'a', 'a/empty', 'a/file', 'a/link', 'a-'])
  expect(records[4]).toEqual({
    kind: 'file',
    path: 'a/file',
    mode: 0o751,
    mtimeNs: 1_700_000_000_000_000_000n,
    size: 5,
  })
  expect(records[5]).toMatchObject({ kind: 'symlink', target: '../.hidden', mtimeNs: 5_000_000_000n })
  const order = new ListingOrder()
  for (const record of records) expect(record.kind === 'skipped' ? 'skipped' : order.problem(record)).toBeUndefined()
})

it('never looks into .plait, at any level', () => {
  mkdirSync(join(root, '.plait/tmp'), { recursive: true })
  mkdirSync(join(root, 'a/.PLAIT'), { recursive: true })
  writeFileSync(join(root, '.plait/drive.json'), '{}')
  expect(paths(scan())).toEqual(['', 'a'])
})

it('names what cannot be shared, and opens none of it', async () => {
  execFileSync('mkfifo', [join(root, 'fifo')])
  const server = createServer().listen(join(root, 'socket'))
  await new Promise((resolve) => server.once('listening', resolve))
  symlinkSync('/etc/passwd', join(root, 'absolute'))
  symlinkSync('../outside', join(root, 'outward'))
  writeFileSync(join(root, 'back\\slash'), '')
  writeFileSync(join(root, 'fine'), '')
  const records = scan()
  server.close()
  expect(reasons(records)).toEqual({
    absolute: 'is a symbolic link to an absolute path',
    'back\\slash': 'contains a backslash, which is a separator elsewhere',
    fifo: 'is a FIFO, which cannot be shared',
    outward: 'is a symbolic link that leads out of the folder',
    socket: 'is a socket, which cannot be shared',
  })
  expect(paths(records)).toContain('fine')
})

it('tells names that are not UTF-8 from names that look like them', () => {
  execFileSync('sh', [
    '-c',
    `cd '${root}' && touch "$(printf 'bad\\377')" "$(printf 'good\\357\\277\\275')" "$(printf 'both\\377')" "$(printf 'both\\357\\277\\275')"`,
  ])
  const records = scan()
  expect(reasons(records)).toEqual({
    'bad\ufffd': 'has a name that is not valid UTF-8',
    'both\ufffd': 'has a name that is not valid UTF-8',
  })
  expect(paths(records.filter(({ kind }) => kind === 'file'))).toEqual(['both\ufffd', 'good\ufffd'])
})

it('stays in the folder when a directory turns into a symbolic link under its hands', () => {
  mkdirSync(join(base, 'outside'))
  writeFileSync(join(base, 'outside/secret'), 'x')
  for (const name of ['a', 'b', 'c']) {
    mkdirSync(join(root, name))
    writeFileSync(join(root, name, 'inside'), '')
  }
  const records = scan(({ path }) => {
    if (path !== 'a') return
    for (const name of ['a', 'b']) {
      renameSync(join(root, name), join(base, name))
      symlinkSync('../outside', join(root, name))
    }
  })
  expect(paths(records)).not.toContain('a/secret')
  expect(paths(records)).not.toContain('b/secret')
  // Directory a was open already: what was in it is still told.
  expect(paths(records)).toEqual(['', 'a', 'a/inside', 'b', 'c', 'c/inside'])
  expect(reasons(records)).toEqual({ b: 'is a symbolic link that leads out of the folder' })
})

it('goes as deep as a path may, and names what is deeper', () => {
  let path = root
  for (let depth = 0; depth < 66; depth += 1) path = join(path, 'd')
  mkdirSync(path, { recursive: true })
  const records = scan()
  expect(records).toHaveLength(66)
  expect(records.at(-1)).toMatchObject({ kind: 'skipped', reason: 'is deeper than 64 levels' })
})
