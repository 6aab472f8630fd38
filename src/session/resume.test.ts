import { describe, expect, it } from 'vitest'
import type { ChannelCircuit } from '../circuit/circuit.ts'
import { CountingProbe } from '../runtime/simulated/probe.ts'
import { SeededRandom } from '../runtime/simulated/random.ts'
import { CircuitPair } from '../testing/circuit-pair.ts'
import { RawPeer, rawFrame } from '../testing/raw-peer.ts'
import { frameTypes } from '../wire/frame.ts'
import { writeUint64 } from './control.ts'
import { encodeResume } from './resumption.ts'
import type { Session } from './session.ts'

const KiB = 1024
const MiB = 1024 * KiB

function u64(value: number): Uint8Array {
  const bytes = new Uint8Array(8)
  writeUint64(bytes, 0, value)
  return bytes
}

/** Collects what arrives by its part, and checks the content. */
function collect(circuit: ChannelCircuit): number[] {
  const parts: number[] = []
  circuit.receive(({ part, payload }) => {
    parts.push(part)
    expect(payload.every((byte) => byte === (part & 0xff))).toBe(true)
  })
  return parts
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index)
}

/** Bytes held for channels, without the entries in the table. */
function unread(session: Session): number {
  return [...session.channelsByNumber.values()].reduce((sum, channel) => sum + channel.heldBytes, 0)
}

const filled = (part: number, length: number) => ({ part, payload: new Uint8Array(length).fill(part & 0xff) })

describe('a session that loses its link', () => {
  it('goes on over the next one: what was on its way both ways arrives once, in order, on the same circuits', () => {
    const pair = new CircuitPair()
    const [opener, acceptor] = pair.connect()
    const [there, back] = [collect(acceptor), collect(opener)]
    for (const part of upTo(100)) {
      opener.send(filled(part, part * 40))
      acceptor.send(filled(part, 50))
    }
    pair.step()
    pair.cut()
    expect([pair.left.session.state, pair.right.session.state]).toEqual(['lost', 'lost'])
    for (const part of upTo(100)) opener.send(filled(part + 100, 10))
    pair.now += 5_000
    pair.relink()
    pair.settle()
    expect([there, back]).toEqual([upTo(200), upTo(100)])
    expect(pair.left.states).toEqual(['ready', 'lost', 'ready'])
    expect([pair.left.session.resumes, pair.right.session.resumes]).toEqual([1, 1])
    pair.run(100)
    expect([pair.left.session.unacknowledgedFrames, pair.right.session.unacknowledgedFrames]).toEqual([0, 0])
  })

  it('survives cuts at every moment, with fragments of every size, links that split, and small windows', () => {
    for (let seed = 1; seed <= 60; seed += 1) {
      const random = new SeededRandom(seed)
      let isBreaking = false
      let isBroken = false
      /** From a moment on, in the midst of a chunk, nothing arrives any more; the ends notice later. */
      const wire = (bytes: Uint8Array): readonly Uint8Array[] => {
        if (isBroken) return []
        const at = random.integer(0, bytes.length)
        isBroken = isBreaking && random.chance(0.1)
        return isBroken ? [bytes.slice(0, at)] : [bytes.slice(0, at), bytes.slice(at)]
      }
      const pair = new CircuitPair({
        limits: { windowBytesInitial: 24 * KiB, widestCircuits: 2 },
        roomBytes: random.pick([1, 20 * KiB, 256 * KiB]),
        wire,
      })
      const circuits = upTo(3).map(() => pair.connect())
      const flows = circuits.flatMap(([opener, acceptor]) => [
        { from: opener, parts: collect(acceptor), sent: 0 },
        { from: acceptor, parts: collect(opener), sent: 0 },
      ])
      const mend = (): void => {
        pair.cut()
        isBroken = false
        pair.relink()
      }
      isBreaking = true
      for (let round = 0; round < 150; round += 1) {
        for (const flow of flows) {
          if (!random.chance(0.3)) continue
          flow.from.send(filled(flow.sent, Math.floor(random.logarithmic(1, 150_000))))
          flow.sent += 1
        }
        for (let step = random.integer(1, 8); step > 0; step -= 1) pair.step()
        if (isBroken && random.chance(0.5)) mend()
      }
      isBreaking = false
      mend()
      pair.settle()
      for (const flow of flows) expect(flow.parts, `seed ${seed}`).toEqual(upTo(flow.sent))
      expect(pair.left.session.resumes, `seed ${seed}`).toBeGreaterThan(2)
      pair.run(1_000)
      const kept = [pair.left, pair.right].map(({ session }) => session.unacknowledgedBytes + unread(session))
      expect(kept, `seed ${seed}`).toEqual([0, 0])
    }
  }, 300_000)

  it('takes up a large fragment in the midst of its pieces', async () => {
    const pair = new CircuitPair({ roomBytes: 64 * KiB })
    const [opener, acceptor] = pair.connect()
    opener.send(filled(3, 2 * MiB))
    for (let turn = 0; turn < 20; turn += 1) pair.step()
    pair.cut()
    pair.relink()
    pair.settle()
    const fragment = await acceptor.read()
    expect(fragment?.payload.length).toBe(2 * MiB)
    expect(fragment?.payload.every((byte) => byte === 3)).toBe(true)
  })

  it('says again what credit it has given, when that was lost with the link', async () => {
    const pair = new CircuitPair()
    const [opener, acceptor] = pair.connect()
    for (const part of upTo(600)) opener.send(filled(part, KiB))
    pair.settle()
    for (const part of upTo(200)) expect((await acceptor.read())?.part).toBe(part)
    // The CREDIT that this has made due never leaves.
    pair.cut()
    pair.relink()
    pair.settle()
    for (const part of upTo(400)) {
      expect((await acceptor.read())?.part).toBe(part + 200)
      pair.settle()
    }
  })

  it('does not take the credit that is said again for many circuits as words without progress', () => {
    const pair = new CircuitPair()
    for (const _ of upTo(300)) pair.connect()
    for (const _ of upTo(3)) {
      pair.cut()
      pair.relink()
      pair.settle()
    }
    expect([pair.left.error, pair.right.error]).toEqual([undefined, undefined])
    expect(pair.left.session.resumes).toBe(3)
  })

  it('can be cut in the midst of its resumption, again and again', () => {
    for (const steps of [0, 1, 2, 3, 4]) {
      const pair = new CircuitPair()
      const [opener, acceptor] = pair.connect()
      const parts = collect(acceptor)
      for (const part of upTo(50)) opener.send(filled(part, 5_000))
      for (let cut = 0; cut < 5; cut += 1) {
        pair.cut()
        pair.relink()
        for (let step = 0; step < steps; step += 1) pair.step()
      }
      pair.settle()
      expect(parts, `${steps} steps`).toEqual(upTo(50))
    }
  })

  it('ends when no link has come in its window, at each end by its own', () => {
    const pair = new CircuitPair({ resumeMs: 2_000 })
    const [opener, acceptor] = pair.connect()
    pair.left.unlink(pair.now)
    pair.run(500)
    pair.cut()
    pair.run(1_499)
    expect(opener.reason).toBeUndefined()
    pair.run(1)
    expect(opener.reason?.error?.code).toBe('LINK_LOST')
    expect(acceptor.reason).toBeUndefined()
    pair.run(500)
    expect(acceptor.reason?.error?.code).toBe('LINK_LOST')
    expect(pair.right.budget.usedBytes).toBe(0)
  })

  it('without a window ends with its link', () => {
    const pair = new CircuitPair({ resumeMs: 0 })
    const [opener] = pair.connect()
    pair.cut()
    expect([opener.reason?.error?.code, pair.left.states]).toEqual(['LINK_LOST', ['ready']])
  })

  it('lets circuits be opened meanwhile, which arrive with the next link', () => {
    const pair = new CircuitPair()
    pair.connect()
    pair.cut()
    pair.open(pair.left, { part: 7 })
    pair.open(pair.right, { part: 8 })
    pair.relink()
    pair.settle()
    expect(pair.offers.slice(1)).toHaveLength(2)
  })

  it('has no deadline of a circuit run out at once when it comes back', () => {
    const pair = new CircuitPair()
    const [opener, acceptor] = pair.connect()
    opener.send(filled(1, 4 * MiB))
    for (let turn = 0; turn < 6; turn += 1) pair.step()
    pair.cut()
    pair.run(29_000)
    pair.relink()
    pair.run(2_000)
    expect([opener.reason, acceptor.reason]).toEqual([undefined, undefined])
  })
})

describe('what the other side says of a session', () => {
  const binding = new Uint8Array(32).fill(9)
  const proof = Uint8Array.of(2, ...binding)
  const epoch = new Uint8Array(16)
  const own = new Uint8Array(16).fill(1)

  /** A peer whose session has sent two frames, one of which is acknowledged, and has lost its link. */
  function forsaken(): RawPeer {
    const peer = new RawPeer().greet()
    const channel = peer.end.session.openChannel(new Uint8Array(4))
    peer.drain()
    channel.send({ part: 1 }, false)
    peer.drain()
    peer.send(rawFrame(frameTypes.ACK, 0, u64(1)))
    peer.relink()
    return peer
  }

  const claim = (changes: Partial<Parameters<typeof encodeResume>[0]> = {}): Uint8Array =>
    rawFrame(
      frameTypes.RESUME,
      0,
      encodeResume({
        proof,
        sessionId: binding.slice(0, 16),
        epoch,
        remoteEpoch: own,
        receivedFrames: 1,
        ...changes,
      }),
    )

  it('is believed within what can be: between acknowledged and sent', () => {
    for (const receivedFrames of [1, 2]) {
      const peer = forsaken()
      peer.greet(claim({ receivedFrames }))
      expect(peer.end.session.state).toBe('ready')
      const again = peer.framesOf(frameTypes.DATA).length
      expect(again).toBe(2 - receivedFrames)
    }
  })

  it('ends the session when it cannot be', () => {
    for (const receivedFrames of [0, 3, 2 ** 40]) {
      const peer = forsaken()
      peer.greet(claim({ receivedFrames }))
      expect(peer.end.error?.code).toBe('PROTOCOL')
    }
  })

  it('is refused for another run of this node, for another channel, or before hello', () => {
    for (const [changes, code] of [
      [{ remoteEpoch: new Uint8Array(16).fill(5) }, 'PEER_RESTARTED'],
      [{ epoch: new Uint8Array(16).fill(5) }, 'PROTOCOL'],
      [{ proof: Uint8Array.of(2, ...new Uint8Array(32).fill(8)) }, 'WRONG_KEY'],
      [{ proof: Uint8Array.of(1, ...binding) }, 'WRONG_KEY'],
    ] as const) {
      const peer = forsaken()
      peer.greet(claim(changes))
      expect([peer.end.handshake?.error?.code, peer.end.session.state]).toEqual([code, 'lost'])
    }
    const peer = forsaken()
    peer.send(claim())
    expect(peer.end.handshake?.error?.code).toBe('PROTOCOL')
  })
})

describe('a newer link', () => {
  it('takes the place of one that works: what was taken from the old one in the meantime is not taken twice', () => {
    const probe = new CountingProbe()
    const held: Uint8Array[] = []
    let holds = false
    const pair: CircuitPair = new CircuitPair({
      probe,
      wire: (bytes, from) => {
        if (!holds || from !== pair.left) return [bytes.slice()]
        held.push(bytes.slice())
        return []
      },
    })
    const [opener, acceptor] = pair.connect()
    const parts = collect(acceptor)
    holds = true
    for (const part of upTo(40)) opener.send(filled(part, 100))
    pair.settle()
    holds = false
    pair.relink()
    // The right end has said hello and what it has taken; then the old link brings what was on its way.
    pair.step()
    for (const bytes of held) pair.right.session.receive(bytes, pair.now)
    expect(parts).toEqual(upTo(40))
    pair.settle()
    for (const part of upTo(10)) opener.send(filled(part + 40, 100))
    pair.settle()
    expect(parts).toEqual(upTo(50))
    expect(probe.counts().get('duplicate discarded after resume')).toBeGreaterThan(0)
  })
})
