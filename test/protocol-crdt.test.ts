import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { mailboxTables } from '../scripts/protocol/crdt-tables.ts'
import { fillTables } from '../scripts/protocol/fill.ts'
import { encodeHex } from '../src/base/bytes.ts'
import { crdtVectors } from './crdt/vectors.ts'
import { tableOf } from './protocol/page.ts'

describe('replicated values', () => {
  it('are written as the vectors of PROTOCOL.md say', () => {
    const page = tableOf('replicated', 'hex').map(([what = '', hex = '']) => [what, hex.replaceAll('`', '')])
    const vectors = [...crdtVectors()].map(([what, bytes]) => [what, encodeHex(bytes)])
    expect(page).toEqual(vectors)
  })
})

describe('MAILBOX.md', () => {
  const page = readFileSync(new URL('../MAILBOX.md', import.meta.url), 'utf8')

  it('has the table that the code gives: `npm run protocol` writes it', () => {
    expect(fillTables(page, mailboxTables())).toBe(page)
  })

  it('would not pass if a pair ended otherwise', () => {
    const changed = page.replace('| `Archive(), Inbox(m3)` ', '| `Archive()` ')
    expect(changed).not.toBe(page)
    expect(fillTables(changed, mailboxTables())).toBe(page)
  })
})
