import { describe, expect, it } from 'vitest'
import { varintLength, writeVarint } from '../base/varint.ts'
import { CircuitPair } from '../testing/circuit-pair.ts'
import { RawPeer, rawFrame } from '../testing/raw-peer.ts'
import { frameTypes } from '../wire/frame.ts'

const KiB = 1024

describe('a large fragment that comes whole before memory is reserved for it', () => {
  /** The second circuit's fragments fit into its window, and find no room to be reserved while the first one's has not come. */
  const crowded = (): CircuitPair => new CircuitPair({ limits: { reservedBytesPerSession: 400 * KiB } })

  it('is delivered, and so are those behind it', async () => {
    const pair = crowded()
    const [greedy, greedyEnd] = pair.connect()
    const [modest, modestEnd] = pair.connect()
    const idleBytes = pair.right.session.account.usedBytes
    // Without a reader the window of the first circuit closes in the midst of its second fragment.
    for (let index = 0; index < 2; index += 1) greedy.send({ payload: new Uint8Array(390 * KiB) })
    pair.settle()
    for (let part = 0; part < 3; part += 1) modest.send({ part, payload: new Uint8Array(70 * KiB).fill(part + 1) })
    modest.send({ part: 3, payload: new Uint8Array(100).fill(9) })
    pair.settle()
    for (let part = 0; part < 4; part += 1) {
      const fragment = await modestEnd.read()
      expect(fragment?.part).toBe(part)
      expect(fragment?.payload).toEqual(new Uint8Array(part < 3 ? 70 * KiB : 100).fill(part < 3 ? part + 1 : 9))
    }
    expect(modestEnd.reason).toBe(undefined)
    for (let index = 0; index < 2; index += 1) {
      expect((await greedyEnd.read())?.payload.length).toBe(390 * KiB)
      pair.settle()
    }
    expect(pair.right.session.account.usedBytes).toBe(idleBytes)
    expect(pair.right.session.reservations.reservedBytes).toBe(0)
  })

  it('gives its credit back when it is read, not before', () => {
    const pair = crowded()
    const [greedy] = pair.connect()
    const [modest, modestEnd] = pair.connect()
    for (let index = 0; index < 2; index += 1) greedy.send({ payload: new Uint8Array(390 * KiB) })
    pair.settle()
    for (let part = 0; part < 100; part += 1) modest.send({ part, payload: new Uint8Array(70 * KiB) })
    pair.settle()
    const stalledBytes = modest.bufferedBytes
    expect(stalledBytes).toBeGreaterThan(5_000 * KiB)
    for (let round = 0; round < 100; round += 1) pair.settle()
    expect(modest.bufferedBytes).toBe(stalledBytes)
    let received = 0
    modestEnd.receive(() => (received += 1))
    for (let round = 0; round < 100; round += 1) pair.settle()
    expect(received).toBe(100)
  })
})

describe('memory that was not cleared', () => {
  it('is never seen: a large fragment covers all of it', async () => {
    const allocated: number[] = []
    const allocate = (bytes: number): Uint8Array => {
      allocated.push(bytes)
      return new Uint8Array(bytes).fill(0xee)
    }
    const pair = new CircuitPair({ allocate })
    const [left, right] = pair.connect()
    const payload = new Uint8Array(300 * KiB).map((_, index) => index % 0xee)
    left.send({ payload })
    pair.settle()
    expect((await right.read())?.payload).toEqual(payload)
    expect(allocated.length).toBe(1)
  })
})

describe('a large fragment that is announced', () => {
  const announced = (bytes: number): { peer: RawPeer; allocated: number[]; received: Uint8Array[] } => {
    const allocated: number[] = []
    const allocate = (size: number): Uint8Array => {
      allocated.push(size)
      return new Uint8Array(size)
    }
    const peer = new RawPeer({ allocate }).greet()
    const received: Uint8Array[] = []
    peer.end.onOffer = (channel) => {
      channel.handler = {
        handleAccept() {},
        handleRefuse() {},
        handleEnd() {},
        handleClose() {},
        handleReset() {},
        handleDrain() {},
        handleLeave() {},
        handleFragment: (whole, start, end) => received.push(whole.slice(start, end)) > 0,
      }
      channel.accept(new Uint8Array(0))
    }
    const length = new Uint8Array(varintLength(bytes))
    writeVarint(length, 0, bytes)
    peer.send(rawFrame(frameTypes.OPEN, 1, new Uint8Array(8)), rawFrame(frameTypes.FIRST, 1, concat(length, 1, 2)))
    return { peer, allocated, received }
  }
  const concat = (front: Uint8Array, ...rest: readonly number[]): Uint8Array => Uint8Array.of(...front, ...rest)

  it('is charged at once, and its memory is taken when more of it comes', () => {
    const { peer, allocated, received } = announced(2 * 1024 * KiB)
    expect(peer.end.session.reservations.reservedBytes).toBe(2 * 1024 * KiB)
    expect(peer.end.session.account.usedBytes).toBeGreaterThan(2 * 1024 * KiB)
    expect(allocated).toEqual([])
    peer.send(rawFrame(frameTypes.MORE, 1))
    expect(allocated).toEqual([])
    peer.send(rawFrame(frameTypes.MORE, 1, Uint8Array.of(3)))
    expect([allocated, received]).toEqual([[2 * 1024 * KiB], []])
  })

  it.each([1, 2, 3, 100])('is whole, however its frames are split: after %i bytes', (bytes) => {
    const { peer, allocated, received } = announced(6)
    const frames = [
      rawFrame(frameTypes.MORE, 1, Uint8Array.of(3, 4)),
      rawFrame(frameTypes.MORE, 1, Uint8Array.of(5, 6)),
    ]
    for (const frame of frames) for (let at = 0; at < frame.length; at += bytes) peer.send(frame.slice(at, at + bytes))
    expect([allocated, received]).toEqual([[6], [Uint8Array.of(1, 2, 3, 4, 5, 6)]])
  })

  it('may be whole with its first piece', () => {
    const { allocated, received } = announced(2)
    expect([allocated, received]).toEqual([[2], [Uint8Array.of(1, 2)]])
  })
})
