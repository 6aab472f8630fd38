import { describe, expect, it } from 'vitest'
import { PlaitError } from '../base/error.ts'
import { encodeOpen } from '../circuit/open.ts'
import { RawPeer, rawFrame } from '../testing/raw-peer.ts'
import { CircuitPair } from '../testing/circuit-pair.ts'
import { decodeError, encodeError } from '../wire/error.ts'
import { frameTypes, headerBytes } from '../wire/frame.ts'

const { OPEN, DATA, RESET, REFUSE, CREDIT } = frameTypes
const KiB = 1024

const forbidden = new PlaitError('FORBIDDEN', 'not you', { facts: { service: 'echo' } })

/** A session that refuses whatever it is asked for, before there is a channel. */
function closedDoor(): RawPeer {
  const peer = new RawPeer()
  peer.end.onRefusal = () => forbidden
  return peer.greet()
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0)
}

function open(channel: number): Uint8Array {
  const request = { kind: 0, service: 'echo', peerId: '', version: 0, sourceService: '', sourcePeerId: '' }
  return rawFrame(OPEN, channel, Uint8Array.of(0, 0, 4, 0, 0, 0, 0, 0, ...encodeOpen(request)))
}

describe('an OPEN that is refused at once', () => {
  it('is answered once, offered to nobody, and nothing is held for it', () => {
    const peer = closedDoor()
    for (let index = 0; index < 1_000; index += 1) peer.send(open(1 + 2 * index))
    const refusals = peer.framesOf(REFUSE)
    expect(refusals.map(({ channel }) => channel)).toEqual(Array.from({ length: 1_000 }, (_, index) => 1 + 2 * index))
    expect(decodeError(refusals[999]!.body)).toMatchObject({ code: 'FORBIDDEN', facts: { service: 'echo' } })
    const { session, offers } = peer.end
    expect([offers.length, session.channelsByNumber.size, session.account.usedBytes]).toEqual([0, 0, 0])
    expect(session.counters).toMatchObject({ circuitsOpened: 1_000, circuitsClosed: 1_000, circuitsRefused: 1_000 })
  })

  it('may be followed by data and its end, which are acknowledged and dropped, and its number is used up', () => {
    const peer = closedDoor()
    peer.send(open(1), rawFrame(DATA, 1, new Uint8Array(9 * KiB)), rawFrame(DATA, 1, new Uint8Array(9 * KiB)))
    peer.send(rawFrame(RESET, 1, encodeError(new PlaitError('ABORTED', 'no'))))
    peer.run(100)
    expect(peer.end.session.state).toBe('ready')
    expect(peer.end.session.framesReceived).toBe(4)
    expect(peer.framesOf(CREDIT)).toEqual([])
    peer.send(open(1))
    expect(peer.end.error?.code).toBe('PROTOCOL')
  })

  it('is told what it is refused with, each time: what was said before is not said again', () => {
    const peer = closedDoor()
    peer.send(open(1))
    peer.end.onRefusal = () => new PlaitError('BUSY', 'later')
    peer.send(open(3))
    peer.end.onRefusal = undefined
    peer.send(open(5))
    expect(peer.framesOf(REFUSE).map(({ body }) => decodeError(body).code)).toEqual(['FORBIDDEN', 'BUSY'])
    expect(peer.end.offers.map(({ channel }) => channel.number)).toEqual([5])
  })

  it('is judged by the limits first: nobody is asked when there is no room', () => {
    const peer = new RawPeer({ limits: { unacceptedPerSession: 2 } }).greet()
    let asked = 0
    peer.end.onRefusal = () => {
      asked += 1
      return undefined
    }
    for (const channel of [1, 3, 5, 7]) peer.send(open(channel))
    expect(asked).toBe(2)
    expect(peer.framesOf(REFUSE).map(({ channel, body }) => [channel, decodeError(body).code])).toEqual([
      [5, 'BUSY'],
      [7, 'BUSY'],
    ])
  })

  it('is answered when the link has room: no more is put into one than fits, and the rest is charged', () => {
    const peer = closedDoor()
    const count = 10_000
    for (let index = 0; index < count; index += 1) peer.end.receive(open(1 + 2 * index), peer.now)
    const refusalBytes = headerBytes + encodeError(forbidden).length
    const { session } = peer.end
    expect(session.account.usedBytes).toBe(count * refusalBytes)
    expect(peer.end.transmit(0, peer.now)).toEqual([])
    for (let left = count * refusalBytes; left > 0;) {
      const bytes = sum(peer.end.transmit(64 * KiB, peer.now).map(({ length }) => length))
      expect(bytes).toBeGreaterThan(Math.min(left, 64 * KiB) - 1)
      expect(bytes).toBeLessThan(64 * KiB + refusalBytes + 100)
      left -= bytes
      expect(session.account.usedBytes).toBeLessThan(Math.max(left, 0) + 100)
    }
    expect([session.account.usedBytes, session.pending]).toEqual([0, false])
  })

  it('ends as refused at its opener, who gets back nothing and owes nothing', async () => {
    const pair = new CircuitPair()
    pair.right.onRefusal = () => forbidden
    const circuit = pair.open(pair.left, { payload: new Uint8Array(15 * KiB) })
    const opened = circuit.opened().catch((error: unknown) => error)
    pair.settle()
    expect(await opened).toMatchObject({ code: 'FORBIDDEN' })
    expect(pair.left.session.channelsByNumber.size).toBe(0)
    pair.run(100)
    expect(pair.left.session.unacknowledgedFrames).toBe(0)
  })
})
