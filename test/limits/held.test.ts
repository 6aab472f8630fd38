import { describe, expect, test } from 'vitest'
import { defaultLimits } from '../../src/base/limits.ts'
import { encodeHello } from '../../src/session/hello.ts'
import { RawPeer, rawFrame } from '../../src/testing/raw-peer.ts'
import { frameTypes, headerBytes } from '../../src/wire/frame.ts'
import { encodeError } from '../../src/wire/error.ts'
import { PlaitError } from '../../src/base/error.ts'
import { concat, KiB, MiB, rawFragment, u64, varint } from './bytes.ts'
import { Hostile } from './hostile.ts'

/** Objects of a fragment that nobody has read. */
const fragmentBytes = 256

function used(hostile: Hostile): number {
  return hostile.session.account.usedBytes
}

describe('the account of a session is charged with', () => {
  test('the objects around small fragments, until they are read', async () => {
    const hostile = new Hostile()
    const number = hostile.open()
    const before = used(hostile)
    for (let index = 0; index < 1_000; index += 1) hostile.fragment(number, rawFragment({}))
    expect(used(hostile) - before).toBe(1_000 * (headerBytes + 1 + fragmentBytes))
    hostile.fragment(number, rawFragment({ args: { a: '1', b: '2' } }))
    expect(used(hostile) - before).toBeGreaterThan(1_001 * (headerBytes + 1 + fragmentBytes) + 2 * 64)
    for (let index = 0; index < 1_001; index += 1) await hostile.circuit(number).read()
    expect(used(hostile)).toBe(before)
  })

  test('unread errors and their payloads, which stall nobody', async () => {
    const hostile = new Hostile()
    const number = hostile.open()
    const before = used(hostile)
    const error = { code: 4_096, message: 'no' }
    const large = rawFragment({ error, payload: new Uint8Array(300 * KiB) })
    for (let index = 0; index < 3; index += 1) hostile.fragment(number, large)
    expect(used(hostile) - before).toBe(3 * (large.length + fragmentBytes))
    hostile.fragment(number, rawFragment({ payload: new Uint8Array(MiB) }))
    expect((await hostile.circuit(number).read())?.payload.length).toBe(MiB)
    const small = rawFragment({ error })
    for (let index = 0; index < 64; index += 1) hostile.fragment(number, small)
    expect(used(hostile) - before).toBe(64 * (small.length + fragmentBytes))
    for (let index = 0; index < 64; index += 1) await hostile.circuit(number).errors.read()
    expect(used(hostile)).toBe(before)
    expect(hostile.outcome(number)).toEqual({ closed: 'nothing' })
  })

  test('unread errors beyond it, which cost the circuit that has them', () => {
    const hostile = new Hostile({ accountBytes: 4 * MiB })
    const number = hostile.open()
    const large = rawFragment({ error: { code: 4_096, message: 'no' }, payload: new Uint8Array(900 * KiB) })
    for (let index = 0; index < 10; index += 1) hostile.fragment(number, large)
    expect(hostile.outcome(number)).toEqual({ closed: 'circuit', code: 'BUDGET' })
    expect(used(hostile)).toBe(hostile.openBytes)
  })

  test('pieces that wait for memory to be reserved', () => {
    const hostile = new Hostile({ reservedBytesPerSession: MiB })
    const [first, second] = [hostile.open(), hostile.open()]
    hostile.send(frameTypes.FIRST, first, varint(MiB))
    const before = used(hostile)
    hostile.send(frameTypes.FIRST, second, varint(MiB))
    hostile.send(frameTypes.MORE, second, new Uint8Array(50 * KiB))
    hostile.send(frameTypes.MORE, second, new Uint8Array(1))
    expect(hostile.session.reservations.reservedBytes).toBe(MiB)
    expect(used(hostile) - before).toBeGreaterThan(50 * KiB + 3 * 128)
    hostile.send(frameTypes.RESET, first, encodeError(new PlaitError('ABORTED', 'never mind')))
    // The second one has the first one's place now: what waited is part of what is reserved.
    expect(used(hostile)).toBe(before - hostile.openBytes)
    hostile.send(frameTypes.RESET, second, encodeError(new PlaitError('ABORTED', 'never mind')))
    expect(used(hostile)).toBe(hostile.openBytes)
  })

  test('a frame that has begun and does not go on', () => {
    const hostile = new Hostile()
    const before = used(hostile)
    const frame = rawFrame(frameTypes.DATA, 1, rawFragment({ payload: new Uint8Array(50 * KiB) }))
    hostile.peer.send(frame.subarray(0, 20))
    expect(used(hostile) - before).toBe(frame.length - headerBytes)
    hostile.peer.send(frame.subarray(20))
    expect(used(hostile)).toBe(before)
    hostile.peer.send(frame.subarray(0, 20))
    hostile.peer.relink()
    expect(used(hostile)).toBe(before)
  })

  test('refusals that the other side does not take, until that ends the session', () => {
    const hostile = new Hostile({ accountBytes: MiB, unacknowledgedControlBytes: 16 * KiB, unacknowledgedBytes: KiB })
    const refusal = new PlaitError('FORBIDDEN', 'x'.repeat(200))
    hostile.peer.end.onOffer = (channel) => channel.refuse(refusal)
    const before = used(hostile)
    hostile.open()
    // What has left is not held here for its sake any more.
    expect(used(hostile)).toBe(before)
    let opens = 0
    for (; hostile.peer.end.error === undefined && opens < 100_000; opens += 1) hostile.open()
    expect(hostile.outcome()).toEqual({ closed: 'session', code: 'BUDGET' })
    expect(opens).toBeLessThan(6_000)
    expect(hostile.peer.end.budget.usedBytes).toBe(0)
  })
})

describe('without a charge, but bounded', () => {
  test('16 KiB are all that comes on a circuit that nobody has taken, whatever is announced', async () => {
    const hostile = new Hostile({}, { takes: false })
    hostile.peer.end.onOffer = undefined
    const number = hostile.open()
    const { channel } = hostile.peer.end.offers.at(-1)!
    const received: number[] = []
    channel.handler = { ...silent, handleFragment: (_bytes, start, end) => received.push(end - start) < 0 }
    hostile.send(frameTypes.FIRST, number, varint(100 * KiB))
    hostile.send(frameTypes.MORE, number, new Uint8Array(15 * KiB))
    expect(hostile.session.reservations.reservedBytes).toBe(0)
    expect(hostile.peer.framesOf(frameTypes.CREDIT).filter((frame) => frame.channel === number)).toEqual([])
    channel.accept(new Uint8Array(0))
    expect(hostile.session.reservations.reservedBytes).toBe(100 * KiB)
    hostile.send(frameTypes.MORE, number, new Uint8Array(50 * KiB))
    hostile.send(frameTypes.MORE, number, new Uint8Array(35 * KiB))
    expect(received).toEqual([100 * KiB])
  })

  test('a link that takes nothing gets one answer of each kind, when it does', () => {
    const hostile = new Hostile()
    const { end } = hostile.peer
    hostile.peer.received.length = 0
    // As many as its window takes: it gets no new credit either.
    for (let second = 1; second <= 1_000; second += 1) {
      const now = second * 1_000
      for (let index = 0; index < 10; index += 1) {
        end.receive(rawFrame(frameTypes.DATA, 1, rawFragment({ op: 1 })), now)
        end.receive(rawFrame(frameTypes.PING, 0, u64(second * 10 + index)), now)
      }
      if (end.deadline <= now) end.tick(now)
      expect(end.transmit(0, now)).toEqual([])
      expect(end.pending).toBe(true)
    }
    hostile.peer.now = 1_000_000
    hostile.peer.drain(1)
    const { ACK, CREDIT, PING, PONG } = frameTypes
    expect(hostile.peer.received.map(({ type }) => type).toSorted()).toEqual([ACK, PING, PONG, CREDIT].toSorted())
    expect(hostile.peer.framesOf(PONG)[0]?.body).toEqual(u64(10_009))
    expect(end.pending).toBe(false)
  })

  test('circuits that come and go meanwhile leave nothing behind', () => {
    const hostile = new Hostile()
    const { end } = hostile.peer
    const reset = encodeError(new PlaitError('ABORTED', 'never mind'))
    const before = used(hostile)
    for (let index = 0; index < 1_000; index += 1) {
      const number = 1_001 + 2 * index
      const open = concat(u64(16 * KiB), Uint8Array.of(0, 1, 0x65, 0, 0, 0, 0))
      end.receive(rawFrame(frameTypes.OPEN, number, open), 0)
      hostile.circuit(number).receive(() => {})
      const fragment = rawFragment({ payload: new Uint8Array(15 * KiB) })
      for (let part = 0; part < 5; part += 1) end.receive(rawFrame(frameTypes.DATA, number, fragment), 0)
      end.receive(rawFrame(frameTypes.RESET, number, reset), 0)
      hostile.circuits.delete(number)
    }
    expect(used(hostile)).toBe(before)
    expect(hostile.session.scheduler.length).toBeLessThan(130)
    hostile.peer.drain()
    expect(hostile.peer.framesOf(frameTypes.CREDIT)).toEqual([])
    expect(hostile.session.scheduler.length).toBe(0)
  })

  test('many small writes that nobody acknowledges count with what each one costs', () => {
    const hostile = new Hostile({ unacknowledgedBytes: 64 * KiB })
    const circuit = hostile.opened(2 ** 40)
    for (let index = 0; index < 10_000; index += 1) {
      circuit.send({})
      hostile.peer.drain()
    }
    expect(hostile.session.unacknowledgedFrames).toBeLessThan(300)
    expect(circuit.bufferedBytes).toBeGreaterThan(9_000 * (headerBytes + 1))
    expect(hostile.outcome(circuit.id)).toEqual({ closed: 'nothing' })
  })
})

describe('what is sent from here keeps to the limits of the other side', () => {
  test('no frame is larger than it takes', () => {
    const peer = new RawPeer()
    const limits = { ...defaultLimits, framePayloadBytes: 16 * KiB }
    const hello = encodeHello({ epoch: new Uint8Array(16), agent: 'raw', addresses: [] }, limits)
    peer.send(rawFrame(frameTypes.HELLO, 0, hello))
    peer.send(rawFrame(frameTypes.READY, 0, Uint8Array.of(2, ...new Uint8Array(32).fill(9))))
    const channel = peer.end.session.openChannel(new Uint8Array(0))
    channel.handler = silent
    peer.drain()
    peer.send(rawFrame(frameTypes.ACCEPT, channel.number, u64(4 * MiB)))
    channel.send({ payload: new Uint8Array(MiB) }, false)
    channel.send({ payload: new Uint8Array(20 * KiB) }, false)
    peer.drain(4 * MiB)
    expect(Math.max(...peer.received.map(({ body }) => body.length))).toBe(16 * KiB)
    expect(peer.framesOf(frameTypes.MORE).length).toBeGreaterThan(60)
  })

  test('the largest fragment goes in fewer pieces than are allowed, however the credit comes', () => {
    const hostile = new Hostile()
    const circuit = hostile.opened(16 * KiB)
    const payload = new Uint8Array(defaultLimits.fragmentBytes)
    const args = Object.fromEntries(['a', 'b', 'c', 'd'].map((name) => [name, 'v'.repeat(4_000)]))
    circuit.send({ payload, args })
    const { outbox } = circuit.channel
    while (circuit.bufferedBytes > 0) {
      hostile.send(frameTypes.CREDIT, circuit.id, u64(outbox.creditBytes + headerBytes + 4 * KiB))
      hostile.acknowledge()
    }
    const pieces = hostile.peer.received.filter(
      ({ channel, type }) => channel === circuit.id && type >= frameTypes.FIRST,
    )
    expect(pieces.length).toBeGreaterThan(2_000)
    expect(pieces.length).toBeLessThanOrEqual(defaultLimits.fragmentPieces)
  })
})

test('a large fragment on a circuit that is not read makes no other one wait', async () => {
  const hostile = new Hostile()
  const [unread, other] = [hostile.open(), hostile.open()]
  const large = rawFragment({ payload: new Uint8Array(MiB) })
  hostile.fragment(unread, large)
  hostile.send(frameTypes.FIRST, unread, varint(MiB))
  hostile.fragment(other, large)
  expect((await hostile.circuit(other).read())?.payload.length).toBe(MiB)
})

const silent = {
  handleAccept() {},
  handleRefuse() {},
  handleFragment: () => false,
  handleEnd() {},
  handleClose() {},
  handleReset() {},
  handleDrain() {},
  handleLeave() {},
}
