import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { emptyBytes, encodeHex } from '../src/base/bytes.ts'
import { parseNodeId } from '../src/identity/node-id.ts'
import { identityFromPrivateKey, privateKeyFromSeed } from '../src/identity/identity.ts'
import type { NodeId } from '../src/identity/node-id.ts'
import { formatDriveLink, parseDriveLink } from '../src/drive/drive-link.ts'
import { linkTargetBytes } from '../src/drive/tree-path.ts'
import { lookAnswer, lookQuestion } from '../src/drive/looks.ts'
import type { Item } from '../src/drive/plan/item.ts'
import { versionSchema } from '../src/drive/version-schema.ts'
import type { Version } from '../src/drive/version.ts'
import { compareQuestion, printOf, wholeAnswer } from '../src/drive/whole-copies.ts'
import { sha256 } from '../src/feed/node/sha256.ts'
import { decode, encode } from '../src/wire/schema.ts'

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
