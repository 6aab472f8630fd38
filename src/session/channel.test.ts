import { describe, expect, it } from 'vitest'
import { varintLength, writeVarint } from '../base/varint.ts'
import { RawPeer, rawFrame } from '../testing/raw-peer.ts'
import { frameTypes, headerBytes } from '../wire/frame.ts'
import type { Channel, ChannelHandler } from './channel.ts'
import { writeUint64 } from './control.ts'

const KiB = 1024

/** Header and empty metadata of a fragment that has nothing but a payload. */
const overheadBytes = headerBytes + 1

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

/** A peer with one channel that the session under test has opened. */
function opened(): { peer: RawPeer; channel: Channel } {
  const peer = new RawPeer().greet()
  const channel = peer.end.session.openChannel(new Uint8Array(4))
  peer.drain()
  peer.send(rawFrame(frameTypes.ACCEPT, channel.number, u64(channel.outbox.creditBytes)))
  peer.received.length = 0
  return { peer, channel }
}

/** A peer that has opened channel 1, and what the session under test takes of it; `keeps` is its answer to each fragment. */
function offered(keeps: boolean): { peer: RawPeer; taken: Uint8Array[] } {
  const peer = new RawPeer().greet()
  const taken: Uint8Array[] = []
  const handler: ChannelHandler = {
    handleAccept() {},
    handleRefuse() {},
    handleFragment: (bytes, start, end) => {
      taken.push(bytes.subarray(start, end))
      return keeps
    },
    handleEnd() {},
    handleClose() {},
    handleReset() {},
    handleDrain() {},
    handleLeave() {},
  }
  peer.end.onOffer = (channel) => {
    channel.handler = handler
    channel.accept(new Uint8Array(0))
  }
  peer.send(rawFrame(frameTypes.OPEN, 1, u64(16 * KiB)))
  peer.received.length = 0
  return { peer, taken }
}

/** Bytes of frames that need credit. */
function charged(peer: RawPeer): number {
  const needsCredit: readonly number[] = [frameTypes.DATA, frameTypes.FIRST, frameTypes.MORE]
  return peer.received
    .filter(({ type }) => needsCredit.includes(type))
    .reduce((sum, { body }) => sum + headerBytes + body.length, 0)
}

describe('a sender', () => {
  it('uses its credit to the last byte, and not one more', () => {
    for (const largeBytes of [1_000, 9_000, 40_000]) {
      for (const missingBytes of [0, 1]) {
        const { peer, channel } = opened()
        const { creditBytes } = channel.outbox
        peer.send(rawFrame(frameTypes.CREDIT, channel.number, u64(creditBytes + 64 * KiB)))
        const grantedBytes = creditBytes + 64 * KiB
        const large = new Uint8Array(largeBytes)
        // Small ones up to where the last one fits just so, or lacks a byte.
        let restBytes = grantedBytes - overheadBytes - largeBytes + missingBytes
        for (; restBytes > 2_000; restBytes -= 1_000)
          channel.send({ payload: new Uint8Array(1_000 - overheadBytes) }, false)
        channel.send({ payload: new Uint8Array(restBytes - overheadBytes) }, false)
        channel.send({ payload: large }, false)
        peer.drain()
        const last = peer.framesOf(frameTypes.DATA).at(-1)?.body.length
        if (missingBytes === 0) expect([charged(peer), last]).toEqual([grantedBytes, 1 + largeBytes])
        else expect([charged(peer) <= grantedBytes, last === 1 + largeBytes]).toEqual([true, false])
      }
    }
  })

  it('says END and CLOSE behind what was sent before, however long that waits for credit', () => {
    for (const type of [frameTypes.END, frameTypes.CLOSE]) {
      const { peer, channel } = opened()
      const { creditBytes } = channel.outbox
      for (let part = 0; part < 100; part += 1) channel.send({ part, payload: new Uint8Array(1_000) }, false)
      channel.sendInOrder(type, new Uint8Array(0))
      peer.drain()
      expect(peer.framesOf(type)).toEqual([])
      peer.send(rawFrame(frameTypes.CREDIT, channel.number, u64(creditBytes + 200 * KiB)))
      const order = peer.received.map((frame) => frame.type).filter((sent) => sent !== frameTypes.ACK)
      expect(order).toEqual([...Array.from({ length: 100 }, () => frameTypes.DATA), type])
    }
  })

  it('owns a copy when it was asked for one, whatever the size', () => {
    for (const bytes of [100, 9_000]) {
      const { peer, channel } = opened()
      const payload = new Uint8Array(bytes).fill(1)
      channel.send({ payload }, true)
      payload.fill(0xdb)
      peer.drain()
      const body = peer.framesOf(frameTypes.DATA)[0]?.body.subarray(1)
      expect(body).toEqual(new Uint8Array(bytes).fill(1))
    }
  })
})

describe('a receiver', () => {
  it('takes nothing after END, from which only the circuit suffers', () => {
    const { peer, taken } = offered(false)
    const data = rawFrame(frameTypes.DATA, 1, new Uint8Array(5))
    peer.send(data, rawFrame(frameTypes.END, 1))
    expect([taken.length, peer.framesOf(frameTypes.RESET)]).toEqual([1, []])
    peer.send(data)
    expect([taken.length, peer.framesOf(frameTypes.RESET).length]).toEqual([1, 1])
    expect(peer.end.session.state).toBe('ready')
  })

  it('uses the memory of a large fragment again when that was only lent', () => {
    for (const keeps of [true, false]) {
      const { peer, taken } = offered(keeps)
      for (const value of [1, 2]) {
        const rest = new Uint8Array(50 * KiB).fill(value)
        peer.send(rawFrame(frameTypes.FIRST, 1, varint(50 * KiB)), rawFrame(frameTypes.MORE, 1, rest))
      }
      const [first, second] = taken as [Uint8Array, Uint8Array]
      expect(first.buffer === second.buffer).toBe(!keeps)
      // What was lent is overwritten as soon as the time for that is over.
      expect([first[0], second[0]]).toEqual(keeps ? [1, 2] : [0xdb, 0xdb])
    }
  })
})
