import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { fillTables } from '../scripts/protocol/fill.ts'
import { errorSchema, protocolTables, readySchema } from '../scripts/protocol/tables.ts'
import { PlaitError } from '../src/base/error.ts'
import { encodeHello, helloDescription, magic } from '../src/session/hello.ts'
import { defaultLimits } from '../src/base/limits.ts'
import { encodeError } from '../src/wire/error.ts'
import { frameTypes } from '../src/wire/frame.ts'
import { Reader } from '../src/wire/reader.ts'
import { decode, encode } from '../src/wire/schema.ts'
import { RawPeer } from '../src/testing/raw-peer.ts'

const page = readFileSync(new URL('../PROTOCOL.md', import.meta.url), 'utf8')
const tables = protocolTables()

describe('PROTOCOL.md', () => {
  it('has the tables that the code gives: `npm run protocol` writes them', () => {
    expect(fillTables(page, tables)).toBe(page)
  })

  it('would not pass with another limit, another error or another field', () => {
    for (const changed of [
      page.replace('| framePayloadBytes           | 65,536 ', '| framePayloadBytes           | 65,537 '),
      page.replace('| 13   | DUPLICATE ', '| 14   | DUPLICATE '),
      page.replace('| 8    | network ', '| 9    | network '),
      page.replace(/^\| sessionId .*\n/m, ''),
    ]) {
      expect(changed).not.toBe(page)
      expect(fillTables(changed, tables)).toBe(page)
    }
  })
})

describe('the tables', () => {
  const table = { head: ['a'], rows: [['b']] }
  const filled = '<!-- table: x -->\n\n| a   |\n| --- |\n| b   |\n\n<!-- end of table -->'

  it('stand between their marks, and nothing else is touched', () => {
    const before = 'one\n\n<!-- table: x -->\n<!-- end of table -->\n\ntwo\n'
    const after = fillTables(before, new Map([['x', table]]))
    expect(after).toBe(`one\n\n${filled}\n\ntwo\n`)
    expect(fillTables(after, new Map([['x', table]]))).toBe(after)
  })

  it('need one place each', () => {
    expect(() => fillTables('nothing', new Map([['x', table]]))).toThrow('no place is marked for: x')
    expect(() => fillTables(filled, new Map())).toThrow('no table called x')
    expect(() => fillTables(`${filled}\n${filled}`, new Map([['x', table]]))).toThrow('two places')
  })

  it('cannot hold what would break them', () => {
    expect(() => fillTables(filled, new Map([['x', { head: ['a'], rows: [['b | c']] }]]))).toThrow('cannot be written')
    expect(() => fillTables(filled, new Map([['x', { head: ['a', 'b'], rows: [['c']] }]]))).toThrow('cannot be written')
  })
})

// What the code writes by hand has a schema for its table only; here it is held against the bytes.
describe('a schema that only describes', () => {
  it('is that of READY', () => {
    const raw = new RawPeer().greet()
    raw.end.handshake?.ready()
    raw.drain()
    const [ready] = raw.framesOf(frameTypes.READY)
    expect(decode(readySchema, ready?.body as Uint8Array)).toEqual({ role: 1, binding: new Uint8Array(32).fill(9) })
  })

  it('is that of an error', () => {
    const bytes = encodeError(new PlaitError('LIMIT', 'too long', { facts: { limit: 7 } }))
    const error = decode(errorSchema, bytes)
    expect(error).toMatchObject({ code: 3, message: 'too long' })
    expect(encode(errorSchema, error)).toEqual(bytes)
    expect(error.facts).toHaveLength(8)
  })

  it('is that of HELLO, behind its first bytes', () => {
    const network = new Uint8Array(32)
    const application = { name: 'a', version: '1' }
    const local = { epoch: new Uint8Array(16), agent: 'test', addresses: [], application, network }
    const hello = encodeHello(local, defaultLimits)
    expect(hello.subarray(0, 8)).toEqual(magic)
    expect(page).toContain([...magic].map((byte) => byte.toString(16).padStart(2, '0')).join(' '))
    const written: number[] = []
    const reader = new Reader(hello, magic.length)
    while (reader.remaining > 0) {
      written.push(reader.varint())
      reader.bytes(reader.varint())
    }
    expect(written).toEqual(helloDescription.fields?.map(({ number }) => number))
  })
})
