import { describe, expect, it } from 'vitest'
import { PlaitError } from '../src/base/error.ts'
import { defaultLimits as limits } from '../src/base/limits.ts'
import type { Limits } from '../src/base/limits.ts'
import { varintLength, writeVarint } from '../src/base/varint.ts'
import { withCredit } from '../src/session/channel.ts'
import { encodeHello } from '../src/session/hello.ts'
import { CircuitPair } from '../src/testing/circuit-pair.ts'
import { RawPeer, rawFrame } from '../src/testing/raw-peer.ts'
import { encodeError } from '../src/wire/error.ts'
import { frameTypes } from '../src/wire/frame.ts'
import { tableOf } from './protocol/page.ts'

// Limits that a remote can exceed by what it says, each at its value and one beyond: what ends, and with which code, is what the
// table of limits in PROTOCOL.md says. Limits on the number of links and sessions are tried where those are kept.

/** What has ended, and with which code. */
type End = readonly [what: 'link' | 'session' | 'channel', code: string] | undefined

const { OPEN, RESET, DATA, FIRST, MORE, ACK, PING, HELLO } = frameTypes
const eight = new Uint8Array(8)

/** For each limit: what `by` more than it leads to. */
const trials: Readonly<Partial<Record<keyof Limits, (by: 0 | 1) => End>>> = {
  framePayloadBytes: (by) => channel([DATA, new Uint8Array(limits.framePayloadBytes + by)]),
  earlyFrameBytes: (by) => early(helloOf(limits.earlyFrameBytes + by)),
  earlyTotalBytes: (by) => {
    const raw = new RawPeer({ limits: { earlyFrameBytes: limits.earlyTotalBytes } })
    raw.send(rawFrame(HELLO, 0, helloOf(limits.earlyTotalBytes - 8 + by)))
    return ended('link', raw)
  },
  handshakeTimeoutMs: (by) => {
    const raw = new RawPeer()
    raw.run(limits.handshakeTimeoutMs - 1 + by)
    return ended('link', raw)
  },
  acceptTimeoutMs: (by) => {
    const pair = new CircuitPair()
    const opener = pair.open()
    pair.run(limits.acceptTimeoutMs - 1 + by * 1_001)
    const code = opener.reason?.error?.code
    return code === undefined ? undefined : ['channel', code]
  },
  earlyResetsPerSecond: (by) =>
    session(
      ...many(limits.earlyResetsPerSecond + by, (index) => [
        rawFrame(OPEN, index * 2 + 1, open(1)),
        rawFrame(RESET, index * 2 + 1, encodeError(new PlaitError('ABORTED', ''))),
      ]).flat(),
    ),
  windowBytesInitial: (by) => {
    const pieces = many(4, (): Body => [DATA, new Uint8Array(limits.windowBytesInitial / 4 - 8)])
    return channel(...pieces.slice(1), [DATA, new Uint8Array(limits.windowBytesInitial / 4 - 8 + by)])
  },
  fragmentBytes: (by) => channel([FIRST, varint(limits.fragmentBytes + limits.framePayloadBytes + by)]),
  fragmentPieces: (by) =>
    channel([FIRST, varint(9_999)], ...many(limits.fragmentPieces - 1 + by, (): Body => [MORE, Uint8Array.of(1)])),
  argCount: (by) => args(...many(limits.argCount + by, () => [2, 0] as const)),
  argKeyBytes: (by) => args([limits.argKeyBytes + by, 0]),
  argValueBytes: (by) => args([1, limits.argValueBytes + by]),
  argsBytes: (by) => args(...many(4, (index) => [2, limits.argsBytes / 4 - 2 + (index === 0 ? by : 0)] as const)),
  subjectBytes: (by) => fragment(2, ...text(limits.subjectBytes + by)),
  errorMessageBytes: (by) => fragment(16, 0, 16, ...text(limits.errorMessageBytes + by), 0),
  errorFactsBytes: (by) => fragment(16, 0, 16, 0, ...factsOf(limits.errorFactsBytes + by)),
  nameBytes: (by) => offered(open(limits.nameBytes + by)),
  noProgressFrames: (by) => session(...many(limits.noProgressFrames + by, () => rawFrame(ACK, 0, eight))),
  pingsPerSecond: (by) => session(...many(limits.pingsPerSecond + by, () => rawFrame(PING, 0, eight))),
}

describe('a limit of the page', () => {
  const table = new Map(tableOf('limit', 'default').map(([name = '', ...cells]) => [name, cells]))

  it.each(Object.keys(trials) as (keyof Limits)[])('%s holds at its value, and not one beyond it', (name) => {
    const [value, , , beyond = ''] = table.get(name) ?? []
    expect(Number(value?.replaceAll(',', ''))).toBe(limits[name])
    expect(trials[name]?.(0)).toBeUndefined()
    const [what, code] = trials[name]?.(1) ?? []
    expect(says(beyond, String(what), String(code)), `${what}, ${code}: ${beyond}`).toBe(true)
  })

  it('is said to end something that it does end, for each that ends a channel or a session', () => {
    const named = [...table].filter(([, cells]) => /^(?:session|channel), |^what the error/.test(cells[3] ?? ''))
    // Tried in test/limits, test/protocol-channel.test.ts, src/session and src/circuit: they take memory, time or many channels.
    const elsewhere = [
      'circuitsPerSession',
      'unacceptedPerSession',
      'windowBytesMin',
      'reassemblyTimeoutMs',
      'closeTimeoutMs',
      'budgetResetsPerSecond',
    ]
    expect(named.map(([name]) => name).filter((name) => !(name in trials) && !elsewhere.includes(name))).toEqual([])
  })
})

function says(beyond: string, what: string, code: string): boolean {
  // The error of a fragment ends what the fragment stands in.
  if (beyond === 'the same') return what === 'channel' && code === 'PROTOCOL'
  const words = beyond.replace('what the error stands in', 'channel').split(/,? with |, /)
  return words.includes(code) && (words[0] === what || beyond.startsWith(what))
}

type Body = readonly [type: number, body: Uint8Array]

function ended(what: 'link' | 'session', raw: RawPeer): End {
  const code = raw.end.error?.code
  return code === undefined ? undefined : [what, code]
}

function early(hello: Uint8Array): End {
  const raw = new RawPeer()
  raw.send(rawFrame(HELLO, 0, hello))
  return ended('link', raw)
}

function session(...frames: readonly Uint8Array[]): End {
  const raw = new RawPeer().greet()
  raw.send(...frames)
  return ended('session', raw)
}

/** Frames on a channel that is open. */
function channel(...bodies: readonly Body[]): End {
  const pair = new CircuitPair()
  const [opener, acceptor] = pair.connect()
  for (const [type, body] of bodies) pair.right.receive(rawFrame(type, opener.id, body), pair.now)
  if (pair.right.error !== undefined) return ['session', pair.right.error.code]
  const code = acceptor.reason?.error?.code
  return code === undefined ? undefined : ['channel', code]
}

function fragment(...bytes: readonly number[]): End {
  return channel([DATA, Uint8Array.from(bytes)])
}

/** A fragment with args of so many bytes each, in their names and values. */
function args(...sizes: readonly (readonly [name: number, value: number])[]): End {
  const each = sizes.flatMap(([name, value], index) => [...nameOf(name, index), ...text(value)])
  return fragment(8, ...varint(sizes.length), ...each)
}

function offered(body: Uint8Array): End {
  const pair = new CircuitPair()
  const { onOffer } = pair.right
  let refused: string | undefined
  // As `node/connection.ts` does.
  pair.right.onOffer = (offer, request) => {
    try {
      onOffer?.(offer, request)
    } catch (error) {
      refused = PlaitError.from(error, 'PROTOCOL').code
    }
  }
  pair.right.receive(rawFrame(OPEN, 2, body), pair.now)
  return refused === undefined ? undefined : ['channel', refused]
}

/** A request for a service with a name of so many bytes. */
function open(nameBytes: number): Uint8Array {
  return withCredit(0, Uint8Array.of(0, ...text(nameBytes), 0, 0, 0, 0))
}

/** A hello of so many bytes, made up with an entry of a type that nobody knows. */
function helloOf(bytes: number): Uint8Array {
  const hello = encodeHello({ epoch: new Uint8Array(16), agent: 'a', addresses: [] }, limits)
  const padding = bytes - hello.length - 3
  return Uint8Array.of(...hello, 100, ...varint(padding), ...new Uint8Array(padding))
}

function factsOf(bytes: number): readonly number[] {
  const length = bytes - 6
  return [...varint(bytes), 0xa1, 0x61, 97, 0x79, length >> 8, length & 255, ...new Uint8Array(length).fill(97)]
}

function text(bytes: number): readonly number[] {
  return [...varint(bytes), ...new Uint8Array(bytes).fill(97)]
}

/** Another name for each index. */
function nameOf(bytes: number, index: number): readonly number[] {
  return [...text(bytes).slice(0, -1), 32 + index]
}

function varint(value: number): Uint8Array {
  const bytes = new Uint8Array(varintLength(value))
  writeVarint(bytes, 0, value)
  return bytes
}

function many<One>(count: number, one: (index: number) => One): readonly One[] {
  return Array.from({ length: count }, (_, index) => one(index))
}
