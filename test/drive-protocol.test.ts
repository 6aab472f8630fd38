import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { encodeBase32, encodeHex } from '../src/base/bytes.ts'
import { proveSecret } from '../src/drive/disk/hash.ts'
import { dataBytes, ops } from '../src/drive/protocol.ts'
import { formatShareLink, parseShareLink } from '../src/drive/share-link.ts'
import { wantsMax } from '../src/drive/want.ts'
import { identityFromPrivateKey, privateKeyFromSeed } from '../src/identity/identity.ts'
import type { NodeId } from '../src/identity/node-id.ts'

const page = readFileSync(new URL('../PROTOCOL.md', import.meta.url), 'utf8')
const chapter = page.slice(page.indexOf('## The drive, first cut'))

it('has the operations of the code', () => {
  const rows = [...chapter.matchAll(/^\| (\d+) +\| (\w+) +\| (?:receiver|sharer) +\|/gm)]
  expect(Object.fromEntries(rows.map(([, op, name]) => [name, Number(op)]))).toEqual(ops)
  expect(chapter).toContain(`up to ${dataBytes / 1024} KiB of it`)
  expect(chapter).toContain(`wants, at most ${wantsMax}`)
})

it('has a link and a proof that the code makes too', () => {
  const nodeId = (seed: number): NodeId => identityFromPrivateKey(privateKeyFromSeed(new Uint8Array(32).fill(seed))).id
  const [link = '', proof] = [...chapter.matchAll(/^\| (?:link|proof)\b.*\| `([^`]+)` +\|$/gm)].map(
    ([, value]) => value,
  )
  const parsed = parseShareLink(link)
  expect(formatShareLink(parsed)).toBe(link)
  const secret = new Uint8Array(32).fill(4)
  const driveId = encodeBase32(new Uint8Array(16).fill(3))
  expect(parsed).toMatchObject({ nodeId: nodeId(1), driveId, secret })
  expect(encodeHex(proveSecret(secret, { driveId, clientId: nodeId(2), serverId: nodeId(1) }))).toBe(proof)
})
