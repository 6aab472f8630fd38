import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { emptyBytes, encodeHex } from '../src/base/bytes.ts'
import { parseNodeId } from '../src/identity/node-id.ts'
import { identityFromPrivateKey, privateKeyFromSeed } from '../src/identity/identity.ts'
import type { NodeId } from '../src/identity/node-id.ts'
import { decodeOperation, encodeOperation } from '../src/crdt/causal-state.ts'
import type { Dot } from '../src/crdt/dot.ts'
import { DotSet } from '../src/crdt/dot-set.ts'
import { record } from '../src/crdt/record.ts'
import { driveSchema, filesType } from '../src/drive/files-type.ts'
import { conflictName } from '../src/drive/plan/conflict-name.ts'
import { layoutOf } from '../src/drive/plan/layout.ts'
import { formatDriveLink, parseDriveLink } from '../src/drive/drive-link.ts'
import { linkTargetBytes } from '../src/drive/tree-path.ts'
import { lookAnswer, lookQuestion } from '../src/drive/looks.ts'
import type { FilesOperation, Item } from '../src/drive/plan/item.ts'
import { versionSchema } from '../src/drive/version-schema.ts'
import type { Version } from '../src/drive/version.ts'
import { compareQuestion, printOf, wholeAnswer } from '../src/drive/whole-copies.ts'
import { sha256 } from '../src/feed/node/sha256.ts'
import { decode, encode } from '../src/wire/schema.ts'
import { Site, writer } from './crdt/history.ts'

const page = readFileSync(new URL('../PROTOCOL.md', import.meta.url), 'utf8')
const chapter = page.slice(page.indexOf('## Drives'))

function vector(name: string): string {
  const rows = [...chapter.matchAll(/^\| (.+?) +\| `([^`]+)` +\|$/gm)].filter(([, title]) => title?.startsWith(name))
  expect(rows, name).toHaveLength(1)
  return rows[0]?.[2] as string
}

it('has a link that the code makes too', () => {
  const id = (seed: number): NodeId => identityFromPrivateKey(privateKeyFromSeed(new Uint8Array(32).fill(seed))).id
  const text = vector('link to read')
  const secret = new Uint8Array(32).fill(4)
  const addresses = [
    { host: '192.168.1.5', port: 7001 },
    { host: '::1', port: 7001 },
  ]
  const link = { nodeId: id(1), addresses, driveId: parseNodeId(id(3)), role: 'read', secret } as const
  expect(formatDriveLink(link)).toBe(text)
  expect(parseDriveLink(text)).toEqual(link)
})

const none = { size: 0, root: emptyBytes, target: '' }
const file: Version = {
  ...{ kind: 'file', mode: 0o640, mtimeNs: 1_000_000_000_500_000_000n, target: '' },
  ...{ size: 3, root: sha256.digest(new TextEncoder().encode('abc')) },
}

const directory: Version = { ...none, kind: 'directory', mode: 0o755, mtimeNs: -1n }
const link: Version = { ...none, kind: 'link', mode: 0o777, mtimeNs: 0n, target: '../a' }

it.each<readonly [string, Version]>([
  ['version: file', file],
  ['version: directory', directory],
  ['version: link', link],
])('has the bytes of a %s that the code makes too', (name, version) => {
  const bytes = encode(versionSchema, version)
  expect(vector(name)).toBe(encodeHex(bytes))
  expect(decode(versionSchema, bytes)).toEqual(version)
})

describe('operations on the files of a drive', () => {
  const [first, second, third] = [1, 2, 3].map((number): Dot => ({ writer: writer(1), number })) as [Dot, Dot, Dot]
  it.each<readonly [string, FilesOperation]>([
    ['operation: A creates', { kind: 'create', parent: undefined, name: 'f', time: 1 }],
    ['operation: A writes', { kind: 'edit', id: first, operation: { kind: 'write', value: file, time: 1, dots: [] } }],
    ['operation: A moves', { kind: 'move', id: first, parent: third, name: 'g', time: 5, dots: [first] }],
    ['operation: A deletes', { kind: 'remove', id: first, dots: new DotSet([first, second]) }],
  ])('%s: has the bytes that the code makes too', (name, operation) => {
    const type = record(driveSchema)
    const bytes = encodeOperation(type, { field: 'files', operation })
    expect(vector(name)).toBe(encodeHex(bytes))
    expect(encodeOperation(type, decodeOperation(type, bytes))).toEqual(bytes)
  })
})

it('has names of conflicts that the code makes too', () => {
  const peer = writer(1).slice(0, 8)
  expect(vector('conflict name of `report')).toBe(conflictName('report.txt', peer, file.mtimeNs, 1))
  expect(vector('conflict name of `.profile`')).toBe(conflictName('.profile', peer, file.mtimeNs, 2))
  expect(vector('conflict name of `a.a')).toBe(conflictName('a.a sentence, not an extension', peer, -1n, 1))
})

it('names what is in conflict by the writer and the time of the version', () => {
  const site = new Site(filesType, 1)
  for (const mode of [0o640, 0o600]) {
    const { dot: id } = site.write({ kind: 'create', parent: undefined, name: 'report.txt', time: 1 })
    const root = sha256.digest(Uint8Array.of(mode & 0xff))
    const value = { ...file, mode, root }
    site.write({ kind: 'edit', id, operation: { kind: 'write', value, time: 1, dots: [] } })
  }
  expect([...layoutOf(site.value.view).items.keys()]).toEqual(['report.txt', vector('conflict name of `report')])
})

it('has the bound of targets', () => {
  expect(chapter).toContain(`no more than ${linkTargetBytes.toLocaleString('en')} bytes`)
})

it('has the print of a drive that the code makes too, and the extensions', () => {
  const item = (path: string, version: Version): [string, Item] => {
    return [path, { path, name: path.slice(-1), version, claims: [], isCopy: false }]
  }
  const items = new Map([item('d', directory), item('d/f', file), item('l', link)])
  expect(vector('print of a drive')).toBe(encodeHex(printOf({ items }, (bytes) => sha256.digest(bytes))))
  const rows = [...chapter.matchAll(/^\| `(drive\.\w+)` +\|/gm)].map(([, name]) => name)
  expect(rows).toEqual([lookQuestion, lookAnswer, compareQuestion, wholeAnswer])
})
