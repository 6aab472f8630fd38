import { describe, expect, it } from 'vitest'
import { defaultLimits } from '../base/limits.ts'
import { varintLength, writeVarint } from '../base/varint.ts'
import { CircuitPair } from '../testing/circuit-pair.ts'
import { SessionPair } from '../testing/session-pair.ts'
import type { SessionEnd } from '../testing/session-pair.ts'
import { RawPeer, rawFrame as frame } from '../testing/raw-peer.ts'
import { frameTypes, headerBytes } from '../wire/frame.ts'
import type { ChannelHandler } from './channel.ts'
import { writeUint64 } from './control.ts'
import { encodeHello } from './hello.ts'

const KiB = 1024
const MiB = 1024 * KiB

function u64(value: number): Uint8Array {
  const bytes = new Uint8Array(8)
  writeUint64(bytes, 0, value)
  return bytes
}

function varint(value: number): Uint8Array {
  const bytes = new Uint8Array(varintLength(value))
  writeVarint(bytes, 0, value)
  return bytes
}

/** Sends raw frames to `end`, as its remote would. */
function inject(pair: SessionPair, end: SessionEnd, ...frames: Uint8Array[]): void {
  for (const bytes of frames) end.receive(bytes, pair.now)
}

const silent: ChannelHandler = {
  handleAccept() {},
  handleRefuse() {},
  handleFragment: () => false,
  handleEnd() {},
  handleClose() {},
  handleReset() {},
  handleDrain() {},
  handleLeave() {},
}

describe('the handshake', () => {
  it('makes both sides ready, and measures the round trip', () => {
    const pair = new SessionPair()
    pair.settle()
    expect([pair.left.states, pair.right.states]).toEqual([['ready'], ['ready']])
    expect(pair.left.session.chair).toBe(true)
    expect(pair.right.session.chair).toBe(false)
  })

  it('works when every byte comes by itself', () => {
    const pair = new SessionPair({ wire: (bytes) => [...bytes].map((byte) => Uint8Array.of(byte)) })
    pair.settle()
    expect([pair.left.session.state, pair.right.session.state]).toEqual(['ready', 'ready'])
  })

  it('ends typed with what is no hello, with data before ready, and with too much of it', () => {
    for (const [bytes, code] of [
      [new TextEncoder().encode('GET / HTTP/1.1\r\n\r\n'), 'LIMIT'],
      [frame(frameTypes.HELLO, 0, new Uint8Array(20)), 'PROTOCOL'],
      [frame(frameTypes.DATA, 2, new Uint8Array(20)), 'PROTOCOL'],
      [frame(frameTypes.HELLO, 0, new Uint8Array(4 * KiB + 1)), 'LIMIT'],
    ] as const) {
      const pair = new SessionPair()
      inject(pair, pair.left, bytes)
      expect(pair.left.error?.code).toBe(code)
      expect(pair.right.error).toBeUndefined()
    }
  })

  it('gives up after five seconds of silence', () => {
    const pair = new SessionPair({ wire: () => [] })
    pair.run(4_900)
    expect(pair.left.error).toBeUndefined()
    pair.run(200)
    expect(pair.left.error?.code).toBe('HANDSHAKE_TIMEOUT')
    // Who waits for its deadline has nothing to wait for any more.
    expect(pair.left.handshake?.deadline).toBe(Infinity)
  })

  it('refuses a READY that was meant for another channel', () => {
    const pair = new SessionPair({
      wire: (bytes, from) => {
        const copy = bytes.slice()
        const at = copy.findIndex((byte, index) => byte === frameTypes.READY && copy[index + 1] === 33)
        if (at >= 0 && from === pair.right) copy[at + headerBytes + 5]! ^= 1
        return [copy]
      },
    })
    pair.settle()
    expect(pair.left.error?.code).toBe('WRONG_KEY')
  })
})

describe('credit', () => {
  it('stops a sender at the window of a reader who does not read, and costs the reader no more', () => {
    const pair = new CircuitPair()
    const [opener, acceptor] = pair.connect()
    for (let index = 0; index < 10_000; index += 1) opener.send({ payload: new Uint8Array(KiB) })
    pair.settle()
    expect(opener.bufferedBytes).toBeGreaterThan(9 * MiB)
    expect(acceptor.unreadBytes).toBeLessThanOrEqual(256 * KiB)
    expect(acceptor.unreadBytes).toBeGreaterThan(254 * KiB)
    // A quarter more for the objects around 1 KiB each.
    expect(pair.right.session.account.usedBytes).toBeLessThanOrEqual(322 * KiB)
  })

  it('stalls only the circuit that is not read', async () => {
    const pair = new CircuitPair()
    const [stalled] = pair.connect()
    const [flowing, reader] = pair.connect()
    let received = 0
    reader.receive(() => {
      received += 1
    })
    for (let index = 0; index < 10_000; index += 1) stalled.send({ payload: new Uint8Array(KiB) })
    for (let index = 0; index < 1_000; index += 1) flowing.send({ payload: new Uint8Array(KiB) })
    pair.settle()
    expect(received).toBe(1_000)
    expect(stalled.bufferedBytes).toBeGreaterThan(9 * MiB)
  })

  it('is exact: one byte beyond it resets the circuit, and only that', () => {
    const pair = new CircuitPair()
    const [opener, acceptor] = pair.connect()
    const channel = acceptor.channel
    const roomBytes = channel.window.grantedBytes - channel.window.receivedBytes - headerBytes
    const inside = new Uint8Array(60 * KiB)
    for (let index = 0; index < 4; index += 1) inject(pair, pair.right, frame(frameTypes.DATA, opener.id, inside))
    const restBytes = roomBytes - 4 * (60 * KiB + headerBytes)
    inject(pair, pair.right, frame(frameTypes.DATA, opener.id, new Uint8Array(restBytes)))
    expect(acceptor.state).toBe('open')
    inject(pair, pair.right, frame(frameTypes.DATA, opener.id, new Uint8Array(1)))
    expect(acceptor.reason?.error?.code).toBe('PROTOCOL')
    expect(pair.right.session.state).toBe('ready')
    pair.settle()
    expect(pair.right.session.account.usedBytes).toBe(0)
  })

  it('is narrow for the many, until they are used', () => {
    const pair = new CircuitPair({ limits: { widestCircuits: 2 } })
    const windows = [0, 1, 2, 3].map(() => pair.connect().map(({ channel }) => channel.window.windowBytes))
    const [wide, narrow] = [256 * KiB, 16 * KiB].map((bytes) => [bytes, bytes])
    expect(windows).toEqual([wide, wide, narrow, narrow])
  })

  it('of the smallest window is enough for every size of fragment', async () => {
    const pair = new CircuitPair({ limits: { widestCircuits: 0 } })
    const [opener, acceptor] = pair.connect()
    const args = Object.fromEntries(Array.from({ length: 4 }, (_, index) => [`key${index}`, 'v'.repeat(4_000)]))
    const sizes = [0, 1, 4_095, 8_000, 8_191, 8_192, 16_383, 16_384, 65_535, 65_536, 300_000]
    for (const size of sizes) opener.send({ payload: new Uint8Array(size).fill(size & 0xff), args })
    opener.end()
    const seen: number[] = []
    const reading = (async () => {
      for await (const fragment of acceptor) {
        expect(fragment.payload.every((byte) => byte === (fragment.payload.length & 0xff))).toBe(true)
        expect(fragment.args).toEqual(args)
        seen.push(fragment.payload.length)
      }
    })()
    for (let turn = 0; turn < 2_000; turn += 1) {
      pair.settle()
      await Promise.resolve()
    }
    await reading
    expect(seen).toEqual(sizes)
  })
})

describe('large fragments', () => {
  it('of a hundred circuits at once fit into the account, and small ones go between', async () => {
    const pair = new CircuitPair()
    const payload = new Uint8Array(1 * MiB).fill(3)
    let peakBytes = 0
    let done = 0
    for (let index = 0; index < 100; index += 1) {
      const [opener, acceptor] = pair.connect()
      acceptor.receive((fragment) => {
        expect(fragment.payload.length).toBe(MiB)
        done += 1
      })
      opener.send({ payload })
    }
    const [small, reader] = pair.connect()
    let smalls = 0
    reader.receive(() => {
      smalls += 1
    })
    let turnsWithout = 0
    let longestWait = 0
    for (let round = 0; round < 20_000 && done < 100; round += 1) {
      const before = smalls
      small.send({ part: 1 })
      for (let turn = 0; turn < 4 && pair.step(); turn += 1);
      peakBytes = Math.max(peakBytes, pair.right.session.account.usedBytes)
      turnsWithout = smalls === before ? turnsWithout + 1 : 0
      longestWait = Math.max(longestWait, turnsWithout)
    }
    expect(done).toBe(100)
    expect(longestWait).toBeLessThan(20)
    expect(peakBytes).toBeLessThan(64 * MiB)
    pair.settle()
    expect(pair.right.session.reservations.reservedBytes).toBe(0)
  })

  it('wait in turn when what may be reserved is taken, and abandoned ones give their place back', () => {
    const peer = new RawPeer({ limits: { reservedBytesPerSession: 1 * MiB } }).greet()
    const received: number[] = []
    peer.end.onOffer = (channel) => {
      channel.handler = { ...silent, handleFragment: (_bytes, start, end) => received.push(end - start) < 0 }
      channel.accept(new Uint8Array(0))
    }
    const open = frame(frameTypes.OPEN, 1, u64(16 * KiB))
    peer.send(open, frame(frameTypes.FIRST, 1, varint(1 * MiB)))
    const piece = frame(frameTypes.MORE, 3, new Uint8Array(50 * KiB))
    peer.send(frame(frameTypes.OPEN, 3, u64(16 * KiB)), frame(frameTypes.FIRST, 3, varint(300 * KiB)))
    peer.send(piece, piece, piece, piece)
    expect(peer.end.session.reservations.reservedBytes).toBe(1 * MiB)
    expect(peer.framesOf(frameTypes.CREDIT)).toEqual([])
    for (let second = 0; second < 31; second += 1) {
      peer.run(1_000)
      peer.send(frame(frameTypes.PING, 0, u64(second)))
    }
    expect(peer.framesOf(frameTypes.CREDIT).map((sent) => sent.channel)).toEqual([3])
    expect(received).toEqual([])
    peer.send(piece, piece)
    expect(received).toEqual([300 * KiB])
    expect(peer.framesOf(frameTypes.RESET).map((sent) => sent.channel)).toEqual([1])
    expect(peer.end.session.reservations.reservedBytes).toBe(0)
  })

  it('are refused by what they claim, before anything is allocated', async () => {
    const pair = new CircuitPair()
    const [opener, acceptor] = pair.connect()
    inject(pair, pair.right, frame(frameTypes.FIRST, opener.id, varint(2 ** 40)))
    expect(acceptor.reason?.error).toMatchObject({ code: 'LIMIT', facts: { claimed: 2 ** 40 } })
    expect(pair.right.session.state).toBe('ready')
  })

  it('that exhaust the account cost the circuit that holds the most', async () => {
    const pair = new CircuitPair({ limits: { accountBytes: 3 * MiB } })
    const [greedy, unread] = pair.connect()
    const [modest, other] = pair.connect()
    greedy.send({ payload: new Uint8Array(2 * MiB) })
    pair.settle()
    modest.send({ payload: new Uint8Array(1.5 * MiB) })
    pair.settle()
    expect(unread.reason?.error?.code).toBe('BUDGET')
    expect(greedy.reason?.error?.code).toBe('BUDGET')
    expect((await other.read())?.payload.length).toBe(1.5 * MiB)
  })

  it('that exhaust the account with one small circuit after another cost the session', () => {
    const pair = new CircuitPair({ limits: { accountBytes: 200 * KiB, budgetResetsPerSecond: 10 } })
    for (let count = 0; count < 30 && pair.right.session.state !== 'closed'; count += 1) {
      const [greedy] = pair.connect()
      greedy.send({ payload: new Uint8Array(15 * KiB) })
      pair.settle()
    }
    expect(pair.right.error?.code).toBe('BUDGET')
    expect(pair.right.session.account.usedBytes).toBe(0)
    // About twelve fit; ten more take the place of others, and the next one is too many.
    expect(pair.right.session.counters.circuitsOpened).toBeGreaterThan(20)
    expect(pair.right.session.counters.circuitsOpened).toBeLessThan(25)
  })
})

describe('the largest frame', () => {
  it('is the smaller one of what both ends take', () => {
    const raw = new RawPeer()
    const limits = { ...defaultLimits, framePayloadBytes: 20_000, windowBytesMin: 1 * MiB }
    const hello = encodeHello({ epoch: new Uint8Array(16), agent: 'raw', addresses: [] }, limits)
    raw.send(
      frame(frameTypes.HELLO, 0, hello),
      frame(frameTypes.READY, 0, Uint8Array.of(2, ...new Uint8Array(32).fill(9))),
    )
    const channel = raw.end.session.openChannel(new Uint8Array(0))
    channel.handler = silent
    channel.send({ payload: new Uint8Array(100_000) }, false)
    raw.drain()
    const pieces = raw.framesOf(frameTypes.MORE).map(({ body }) => body.length)
    expect(pieces).toEqual([20_000, 20_000, 20_000, 20_000, 20_000])
  })
})

describe('acknowledgement', () => {
  it('comes without data to carry it, and empties what is kept', () => {
    const pair = new CircuitPair()
    const [opener, acceptor] = pair.connect()
    acceptor.receive(() => {})
    pair.run(100)
    opener.send({ payload: new Uint8Array(100) })
    pair.settle()
    expect(pair.left.session.unacknowledgedFrames).toBe(1)
    pair.run(50)
    expect(pair.left.session.unacknowledgedFrames).toBe(0)
    expect(pair.left.session.unacknowledgedBytes).toBe(0)
  })

  it('of what was never sent ends the session', () => {
    const pair = new CircuitPair()
    inject(pair, pair.left, frame(frameTypes.ACK, 0, u64(1)))
    expect(pair.left.error?.code).toBe('PROTOCOL')
  })
})

describe('the heartbeat', () => {
  it('suspects after two silent beats, loses after three, and recovers in between', () => {
    const held: (() => void)[] = []
    let clogged = false
    const pair: CircuitPair = new CircuitPair({
      resumeMs: 0,
      wire: (bytes, from) => {
        if (!clogged) return [bytes.slice()]
        const to = from === pair.left ? pair.right : pair.left
        held.push(() => to.receive(bytes, pair.now))
        return []
      },
    })
    const [opener] = pair.connect()
    pair.run(5_000)
    clogged = true
    pair.run(3_100)
    expect(pair.left.states).toEqual(['ready', 'suspect'])
    clogged = false
    for (const arrive of held.splice(0)) arrive()
    pair.run(1_000)
    expect(pair.left.states).toEqual(['ready', 'suspect', 'ready'])
    clogged = true
    pair.run(4_100)
    expect(pair.left.error?.code).toBe('LINK_LOST')
    expect(opener.reason?.error?.code).toBe('LINK_LOST')
  })

  it('leaves idle sessions alone', () => {
    const pair = new SessionPair()
    pair.run(3_600_000)
    expect([pair.left.session.state, pair.right.session.state]).toEqual(['ready', 'ready'])
  })

  it('takes a pause of its own process for what it is', () => {
    const pair = new CircuitPair()
    pair.connect()
    pair.run(2_000)
    pair.now += 60_000
    pair.left.session.tick(pair.now)
    pair.run(5_000)
    expect(pair.left.session.state).toBe('ready')
  })
})

describe('hostile frames', () => {
  it('end the session typed when they have no meaning', () => {
    const cases: readonly [string, Uint8Array][] = [
      ['PROTOCOL', frame(frameTypes.DATA, 998, new Uint8Array(4))],
      ['PROTOCOL', frame(0x7f, 0)],
      ['PROTOCOL', frame(frameTypes.HELLO, 0, new Uint8Array(8))],
      ['PROTOCOL', frame(frameTypes.OPEN, 3, new Uint8Array(4))],
      ['PROTOCOL', frame(frameTypes.OPEN, 4, u64(16))],
      ['PROTOCOL', frame(frameTypes.OPEN, 3, u64(2 ** 60))],
      ['LIMIT', frame(frameTypes.DATA, 1, new Uint8Array(64 * KiB + 1))],
    ]
    for (const [code, bytes] of cases) {
      const pair = new CircuitPair()
      pair.connect(pair.right)
      inject(pair, pair.left, bytes)
      expect(pair.left.error?.code).toBe(code)
      pair.settle()
      expect(pair.right.error?.code).toBe(code)
    }
  })

  it('end only the circuit when only the circuit is wrong', () => {
    const bodies: readonly (readonly [number, Uint8Array])[] = [
      [frameTypes.MORE, new Uint8Array(5)],
      [frameTypes.DATA, Uint8Array.of(0xff)],
      [frameTypes.END, new Uint8Array(1)],
      [frameTypes.CLOSE, Uint8Array.of(0xff)],
      [frameTypes.ACCEPT, u64(1)],
      [frameTypes.FIRST, Uint8Array.of(0)],
    ]
    for (const [type, body] of bodies) {
      const pair = new CircuitPair()
      const [opener, acceptor] = pair.connect()
      inject(pair, pair.right, frame(type, opener.id, body))
      expect(acceptor.reason?.error?.code).toBe('PROTOCOL')
      expect(pair.right.session.state).toBe('ready')
    }
  })

  it('without progress are borne a hundred times', () => {
    const pair = new CircuitPair()
    const [opener] = pair.connect()
    for (let index = 0; index < 100; index += 1) inject(pair, pair.right, frame(frameTypes.CREDIT, opener.id, u64(0)))
    expect(pair.right.session.state).toBe('ready')
    inject(pair, pair.right, frame(frameTypes.CREDIT, opener.id, u64(0)))
    expect(pair.right.error?.code).toBe('LIMIT')
  })

  it('that ping too often end the session', () => {
    const pair = new CircuitPair()
    for (let index = 0; index < 11; index += 1) inject(pair, pair.right, frame(frameTypes.PING, 0, u64(index)))
    expect(pair.right.error?.code).toBe('LIMIT')
  })

  it('that open and reset at once are borne up to their limit, and leave nothing', () => {
    const pair = new CircuitPair({ limits: { earlyResetsPerSecond: 1_000 } })
    const reset = Uint8Array.of(6, 1, 0, 0)
    const open = Uint8Array.of(...u64(16 * KiB), 0, 4, ...new TextEncoder().encode('echo'), 0, 0, 1, 0x74, 0)
    for (let index = 0; index < 1_000; index += 1) {
      inject(
        pair,
        pair.left,
        frame(frameTypes.OPEN, 1 + 2 * index, open),
        frame(frameTypes.RESET, 1 + 2 * index, reset),
      )
    }
    expect(pair.left.session.state).toBe('ready')
    expect(pair.left.session.channelsByNumber.size).toBe(0)
    expect(pair.left.session.account.usedBytes).toBe(0)
    inject(pair, pair.left, frame(frameTypes.OPEN, 2_001, open), frame(frameTypes.RESET, 2_001, reset))
    expect(pair.left.error?.code).toBe('LIMIT')
  })
})
