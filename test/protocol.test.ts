import { expect, test } from 'vitest'
import { decodeHex, encodeHex, utf8Length, utf8Write } from '../src/base/bytes.ts'
import { PlaitError } from '../src/base/error.ts'
import { defaultLimits } from '../src/base/limits.ts'
import { varintLength, writeVarint, writeZigzag, zigzagLength } from '../src/base/varint.ts'
import { decodeOpen, encodeAcceptance, encodeClosing, encodeOpen } from '../src/circuit/open.ts'
import { withCredit } from '../src/session/channel.ts'
import { Handshake } from '../src/session/handshake.ts'
import { NetworkKey } from '../src/identity/network-key.ts'
import type { NetworkProof } from '../src/session/handshake.ts'
import type { NodeId } from '../src/identity/node-id.ts'
import { decodeError, encodeError } from '../src/wire/error.ts'
import { metadataLength, readFragment, writeMetadata } from '../src/wire/fragment.ts'
import type { FragmentFields } from '../src/wire/fragment.ts'
import { frameTypes, headerBytes, writeHeader } from '../src/wire/frame.ts'
import { Reader } from '../src/wire/reader.ts'
import { tableOf } from './protocol/page.ts'

test('numbers and texts are written and read as the vectors say', () => {
  const vectors = vectorsOf('value')
  expect(vectors.size).toBeGreaterThan(10)
  for (const [what, hex] of vectors) {
    const bytes = unhex(hex)
    const [kind, value] = [what.split(' ')[0], what.split(' ').slice(1).join(' ')]
    if (kind === 'not') expect(() => new Reader(bytes).varint()).toThrow(expect.objectContaining({ code: 'PROTOCOL' }))
    else if (kind === 'text') {
      expect(new Reader(bytes).text(100)).toBe(value)
      const out = new Uint8Array(varintLength(utf8Length(value)) + utf8Length(value))
      utf8Write(value, out, writeVarint(out, 0, utf8Length(value)))
      expect([what, encodeHex(out)]).toEqual([what, hex])
    } else {
      const isSigned = kind === 'zigzag'
      const number = Number(value)
      const out = new Uint8Array(isSigned ? zigzagLength(number) : varintLength(number))
      if (isSigned) writeZigzag(out, 0, number)
      else writeVarint(out, 0, number)
      expect([what, encodeHex(out)]).toEqual([what, hex])
      expect(isSigned ? new Reader(bytes).zigzag() : new Reader(bytes).varint()).toBe(number)
    }
  }
})

test('frames are written as the vectors say', () => {
  const frames: Record<string, [number, number, string]> = {
    'DATA on channel 6 with the body 0009': [frameTypes.DATA, 6, '0009'],
    'END on channel 4294967295 without a body': [frameTypes.END, 0xffff_ffff, ''],
    'ACK of 258 frames': [frameTypes.ACK, 0, '0201000000000000'],
    'CREDIT of 300000 bytes in all on channel 5': [frameTypes.CREDIT, 5, 'e093040000000000'],
    'FIRST on channel 1: 70000 bytes, the first of them is 0': [frameTypes.FIRST, 1, 'f0a20400'],
    'MORE on channel 1: 0102': [frameTypes.MORE, 1, '0102'],
  }
  const vectors = vectorsOf('frame')
  expect([...vectors.keys()]).toEqual(Object.keys(frames))
  for (const [what, [type, channel, hex]] of Object.entries(frames)) {
    const body = unhex(hex)
    const out = new Uint8Array(headerBytes + body.length)
    writeHeader(out, 0, type, body.length, channel)
    out.set(body, headerBytes)
    expect([what, encodeHex(out)]).toEqual([what, vectors.get(what)])
  }
})

/** Both ends of a link as the vectors have it. */
function handshakes(network?: NetworkProof): { readonly dialler: Handshake; readonly other: Handshake } {
  const end = (dialled: boolean): Handshake =>
    new Handshake({
      localId: (dialled ? 'b' : 'a') as NodeId,
      remoteId: (dialled ? 'a' : 'b') as NodeId,
      hello: { epoch: new Uint8Array(16).fill(dialled ? 1 : 2), agent: 'a', addresses: ['10.0.0.1:7'] },
      limits: defaultLimits,
      binding: new Uint8Array(32).fill(9),
      dialled,
      network,
      now: 0,
      events: {
        wake: () => {},
        greeted: () => {},
        heard: () => {},
        agreed: () => undefined,
        failed: () => {},
      },
    })
  return { dialler: end(true), other: end(false) }
}

test('the words of a handshake are said and read as the vectors say', () => {
  const vectors = vectorsOf('handshake')
  const [hello = '', privateHello = '', ready = '', otherReady = '', resume = ''] = [...vectors.values()]
  expect(vectors.size).toBe(5)
  const said = (handshake: Handshake): string => handshake.transmit().map(encodeHex).join('')
  const { dialler, other } = handshakes()
  expect(said(dialler)).toBe(hello)
  other.receive(unhex(hello))
  dialler.receive(unhex(said(other)))
  expect(other.hello).toMatchObject({ version: 1, agent: 'a', frameBytes: 65_536, addresses: ['10.0.0.1:7'] })
  dialler.resume({ sessionId: new Uint8Array(16).fill(7), receivedFrames: 258 })
  expect(said(dialler)).toBe(resume)
  dialler.ready()
  expect(said(dialler)).toBe(ready)
  other.receive(unhex(resume))
  other.receive(unhex(ready))
  other.ready()
  expect(said(other).startsWith(otherReady)).toBe(true)
  expect([dialler.error, other.error?.code]).toEqual([undefined, 'LINK_LOST'])

  const closed = handshakes(new NetworkKey(new Uint8Array(32).fill(5)))
  expect(said(closed.dialler)).toBe(privateHello)
  expect(said(closed.other)).toBe('')
  closed.other.receive(unhex(privateHello))
  expect(closed.other.error).toBeUndefined()
  expect(said(closed.other)).not.toBe('')
})

test('bodies of circuits are written and read as the vectors say', () => {
  const request = { kind: 0, service: 'echo', peerId: '', version: 0, sourceService: 'test', sourcePeerId: '1' }
  const bodies: Record<string, Uint8Array> = {
    'OPEN from test/1 to echo, any version, grant 262144': withCredit(262_144, encodeOpen(request)),
    'ACCEPT by echo/2, grant 16384': withCredit(16_384, encodeAcceptance({ service: 'echo', peerId: '2' })),
    'CLOSE 28 disk full': encodeClosing({ code: 28, message: 'disk full' }),
  }
  const vectors = vectorsOf('circuit')
  expect(Object.fromEntries(Object.entries(bodies).map(([what, body]) => [what, encodeHex(body)]))).toEqual(
    Object.fromEntries(vectors),
  )
  const open = unhex(vectors.get('OPEN from test/1 to echo, any version, grant 262144') as string)
  expect(decodeOpen(open.subarray(8))).toEqual(request)
})

test('fragments are written and read as the vectors say', () => {
  const fragments: Record<string, FragmentFields> = {
    nothing: {},
    'payload 09': { payload: unhex('09') },
    'op -300': { op: -300 },
    'part -1': { part: -1 },
    'op 1, subject chunk, part 7, arg path = a/b, payload 0102': {
      op: 1,
      subject: 'chunk',
      part: 7,
      args: { path: 'a/b' },
      payload: unhex('0102'),
    },
    'error 4096 no': { error: { code: 4_096, message: 'no' } },
  }
  const vectors = vectorsOf('fragment')
  expect([...vectors.keys()].filter((what) => !what.startsWith('refused'))).toEqual(Object.keys(fragments))
  for (const [what, fragment] of Object.entries(fragments)) {
    const payload = fragment.payload ?? new Uint8Array(0)
    const out = new Uint8Array(metadataLength(fragment, defaultLimits) + payload.length)
    out.set(payload, writeMetadata(out, 0, fragment))
    expect([what, encodeHex(out)]).toEqual([what, vectors.get(what)])
    const read = readFragment(out, 0, out.length, defaultLimits)
    const { op, subject, part, args, error } = read
    expect({ op, subject, part, args, error }).toMatchObject({ op: 0, subject: '', part: 0, ...without(fragment) })
    expect(out.subarray(read.payloadStart)).toEqual(payload)
  }
  const refused = refusedOf(vectors)
  expect(refused).toHaveLength(3)
  for (const bytes of refused) {
    expect(() => readFragment(bytes, 0, bytes.length, defaultLimits)).toThrow(
      expect.objectContaining({ code: 'PROTOCOL' }),
    )
  }
})

test('errors are written and read as the vectors say', () => {
  const vectors = vectorsOf('error')
  const errors: Record<string, PlaitError> = {
    'PROTOCOL x': new PlaitError('PROTOCOL', 'x'),
    'FORBIDDEN not you, service = echo': new PlaitError('FORBIDDEN', 'not you', { facts: { service: 'echo' } }),
  }
  expect([...vectors.keys()].filter((what) => !what.startsWith('refused'))).toEqual(Object.keys(errors))
  for (const [what, error] of Object.entries(errors)) {
    const bytes = encodeError(error)
    expect([what, encodeHex(bytes)]).toEqual([what, vectors.get(what)])
    expect(decodeError(bytes)).toMatchObject({ code: error.code, message: error.message, facts: error.facts })
  }
  const refused = refusedOf(vectors)
  expect(refused).toHaveLength(2)
  for (const bytes of refused) expect(() => decodeError(bytes)).toThrow(expect.objectContaining({ code: 'PROTOCOL' }))
})

/** What the vectors of one table stand for, and their hex. */
function vectorsOf(subject: string): Map<string, string> {
  return new Map(tableOf(subject, 'hex').map(([what = '', hex = '']) => [what, hex.replaceAll('`', '')]))
}

function refusedOf(vectors: ReadonlyMap<string, string>): Uint8Array[] {
  return [...vectors].flatMap(([what, hex]) => (what.startsWith('refused') ? [unhex(hex)] : []))
}

function without(fragment: FragmentFields): FragmentFields {
  const { payload: _, ...rest } = fragment
  return rest
}

function unhex(hex: string): Uint8Array {
  const bytes = decodeHex(hex)
  if (bytes === undefined) throw new Error(`not hex: ${hex}`)
  return bytes
}
