import { createHmac } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { ByteReader, Malformed } from './byte-reader.ts'
import { splitFrames } from './frames.ts'
import type { Frame } from './frames.ts'
import { decodeAccept, decodeClose, decodeCount, decodeError, decodeFirst, decodeFragment } from './messages.ts'
import { decodeHello, decodeOpen, decodeReady, decodeResume } from './messages.ts'

const folder = new URL('.', import.meta.url)
const page = readFileSync(new URL('../../PROTOCOL.md', folder), 'utf8')

/** The bytes of the vectors of one table, by what they stand for. */
function vectors(subject: string): ReadonlyMap<string, Uint8Array> {
  const start = page.search(new RegExp(`^\\| ${subject} +\\| hex +\\|$`, 'm'))
  expect([subject, start]).not.toEqual([subject, -1])
  const rows = page.slice(start).split('\n\n')[0]?.split('\n').slice(2) ?? []
  return new Map(
    rows.map((row) => {
      const [, what = '', hex = ''] = /^\| (.*?) +\| `([0-9a-f]*)` +\|$/.exec(row) ?? []
      return [what, Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))]
    }),
  )
}

function vector(subject: string, beginning: string): Uint8Array {
  const found = [...vectors(subject)].filter(([what]) => what.startsWith(beginning))
  expect(found.map(([what]) => what)).toHaveLength(1)
  return (found[0] as [string, Uint8Array])[1]
}

function onlyFrame(bytes: Uint8Array): Frame {
  const { frames, restBytes } = splitFrames(bytes)
  expect([frames.length, restBytes]).toEqual([1, 0])
  return frames[0] as Frame
}

describe('the decoder reads the vectors of the page', () => {
  it('of numbers and texts', () => {
    for (const [what, bytes] of vectors('value')) {
      const reader = new ByteReader(bytes)
      const [kind, value = ''] = what.split(' ')
      if (kind === 'LEB128') expect(reader.leb128()).toBe(Number(value))
      else if (kind === 'zigzag') expect(reader.zigzag()).toBe(Number(value))
      else if (kind === 'text') expect(reader.text(100)).toBe(value)
      else expect(() => reader.leb128()).toThrow(Malformed)
    }
  })

  it('of frames', () => {
    const read = [...vectors('frame').values()].map((bytes) => {
      const { name, channel, isNumbered, body } = onlyFrame(bytes)
      return [name, channel, isNumbered, body.length]
    })
    expect(read).toEqual([
      ['DATA', 6, true, 2],
      ['END', 4_294_967_295, true, 0],
      ['ACK', 0, false, 8],
      ['CREDIT', 5, false, 8],
      ['FIRST', 1, true, 4],
      ['MORE', 1, true, 2],
    ])
    expect(decodeCount(onlyFrame(vector('frame', 'ACK')).body)).toBe(258)
    expect(decodeCount(onlyFrame(vector('frame', 'CREDIT')).body)).toBe(300_000)
    expect(decodeFirst(onlyFrame(vector('frame', 'FIRST')).body)).toEqual({ length: 70_000, bytes: Uint8Array.of(0) })
  })

  it('of handshakes', () => {
    const hello = {
      versionMin: 1,
      versionMax: 1,
      epoch: new Uint8Array(16).fill(1),
      agent: 'a',
      application: undefined,
      frameBytes: 65_536,
      windowBytes: 16_384,
      fragmentBytes: 16_777_216,
      circuits: 16_384,
      features: ['ack', 'credit', 'resume'],
      addresses: ['10.0.0.1:7'],
      network: undefined,
    }
    expect(decodeHello(onlyFrame(vector('handshake', 'HELLO of the dialler')).body)).toEqual(hello)
    const binding = new Uint8Array(32).fill(9)
    const proof = createHmac('sha256', new Uint8Array(32).fill(5)).update(binding).update(Uint8Array.of(1)).digest()
    expect(decodeHello(onlyFrame(vector('handshake', 'HELLO of the same')).body)).toEqual({
      ...hello,
      network: new Uint8Array(proof),
    })
    expect(decodeReady(onlyFrame(vector('handshake', 'READY of the dialler')).body)).toEqual({ role: 1, binding })
    expect(decodeReady(onlyFrame(vector('handshake', 'READY of the other')).body)).toEqual({ role: 2, binding })
    expect(decodeResume(onlyFrame(vector('handshake', 'RESUME')).body)).toEqual({
      role: 1,
      binding,
      sessionId: new Uint8Array(16).fill(7),
      epoch: new Uint8Array(16).fill(1),
      remoteEpoch: new Uint8Array(16).fill(2),
      receivedFrames: 258,
    })
  })

  it('of circuits', () => {
    expect(decodeOpen(vector('circuit', 'OPEN'))).toEqual({
      grant: 262_144,
      kind: 0,
      service: 'echo',
      peerId: '',
      version: 0,
      sourceService: 'test',
      sourcePeerId: '1',
    })
    expect(decodeAccept(vector('circuit', 'ACCEPT'))).toEqual({ grant: 16_384, service: 'echo', peerId: '2' })
    expect(decodeClose(vector('circuit', 'CLOSE'))).toEqual({ code: 28, message: 'disk full' })
  })

  it('of fragments', () => {
    const nothing = { op: 0, subject: '', part: 0, args: new Map(), error: undefined, payload: new Uint8Array(0) }
    const read = [...vectors('fragment')].map(([what, bytes]) => [what, readOrRefuse(() => decodeFragment(bytes))])
    expect(Object.fromEntries(read)).toEqual({
      nothing,
      'payload 09': { ...nothing, payload: Uint8Array.of(9) },
      'op -300': { ...nothing, op: -300 },
      'part -1': { ...nothing, part: -1 },
      'op 1, subject chunk, part 7, arg path = a/b, payload 0102': {
        op: 1,
        subject: 'chunk',
        part: 7,
        args: new Map([['path', 'a/b']]),
        error: undefined,
        payload: Uint8Array.of(1, 2),
      },
      'error 4096 no': { ...nothing, error: { code: 4_096, message: 'no', facts: new Map() } },
      'refused: op 0': 'refused',
      'refused: an unknown flag': 'refused',
      'refused: the same arg twice': 'refused',
    })
  })

  it('of errors', () => {
    const read = [...vectors('error')].map(([what, bytes]) => [what, readOrRefuse(() => decodeError(bytes))])
    expect(Object.fromEntries(read)).toEqual({
      'PROTOCOL x': { code: 1, message: 'x', facts: new Map() },
      'FORBIDDEN not you, service = echo': { code: 257, message: 'not you', facts: new Map([['service', 'echo']]) },
      'refused: facts that are not a map': 'refused',
      'refused: facts in a longer form than necessary': 'refused',
    })
  })
})

it('the decoder knows nothing of the code that it reads', () => {
  const players = ['play.ts', 'recorder.ts', 'stage.ts']
  const files = readdirSync(folder).filter((name) => !name.endsWith('.test.ts') && !players.includes(name))
  expect(files).toContain('conversation.ts')
  for (const name of files) {
    const text = readFileSync(new URL(name, folder), 'utf8')
    const imported = [...text.matchAll(/from '([^']+)'/g)].map(([, target = '']) => target)
    const allowed = files.map((file) => `./${file}`)
    expect([name, imported.filter((target) => !allowed.includes(target))]).toEqual([name, []])
  }
})

function readOrRefuse(read: () => unknown): unknown {
  try {
    return read()
  } catch (error) {
    if (error instanceof Malformed) return 'refused'
    throw error
  }
}
