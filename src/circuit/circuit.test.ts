import { describe, expect, it } from 'vitest'
import { PlaitError } from '../base/error.ts'
import { CircuitPair } from '../testing/circuit-pair.ts'
import type { Fragment } from './circuit-api.ts'
import type { ChannelCircuit } from './circuit.ts'

function numbered(part: number, bytes = 64): { part: number; payload: Uint8Array } {
  return { part, payload: new Uint8Array(bytes).fill(part & 0xff) }
}

async function parts(circuit: ChannelCircuit): Promise<number[]> {
  const seen: number[] = []
  for await (const fragment of circuit) seen.push(fragment.part)
  return seen
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index)
}

describe('a circuit, from its opening to its end', () => {
  it('carries the first fragment with the request, in one crossing', async () => {
    const pair = new CircuitPair()
    const opener = pair.open(pair.left, { subject: 'first', op: 7, args: { path: 'a/b' } })
    pair.step()
    expect(pair.offers).toHaveLength(1)
    const acceptor = pair.offers[0]!.accept({ service: 'echo', peerId: '2' })
    const first = (await acceptor.read()) as Fragment
    expect([first.subject, first.op, first.args['path'], first.serial]).toEqual(['first', 7, 'a/b', 0])
    pair.settle()
    await opener.opened()
    expect(opener.remote).toBe('echo/2')
    expect(acceptor.remote).toBe('test/1')
  })

  it('delivers everything before an ordered close, to a reader who comes late, and the reason to both ends', async () => {
    const pair = new CircuitPair()
    const [opener, acceptor] = pair.connect()
    for (const part of range(5000)) opener.send(numbered(part, 100))
    const left = opener.close({ code: 28, message: 'disk full' })
    pair.run(3_000)
    expect(acceptor.state).toBe('open')
    const reading = parts(acceptor)
    while (acceptor.state !== 'closed') {
      await Promise.resolve()
      pair.settle()
    }
    expect(await reading).toEqual(range(5000))
    await left
    pair.settle()
    expect(await acceptor.closed).toEqual({ code: 28, message: 'disk full' })
    expect(await opener.closed).toEqual({ code: 28, message: 'disk full' })
    await opener.close()
    pair.run(100)
    expect(pair.left.session.channelsByNumber.size + pair.right.session.channelsByNumber.size).toBe(0)
    expect(pair.left.session.account.usedBytes + pair.right.session.account.usedBytes).toBe(0)
    expect(pair.left.session.drained).toBe(true)
  })

  it('leaves the other direction usable after end()', async () => {
    const pair = new CircuitPair()
    const [opener, acceptor] = pair.connect()
    opener.send(numbered(1))
    opener.end()
    pair.settle()
    expect(await parts(acceptor)).toEqual([1])
    expect(() => opener.send(numbered(2))).toThrow(expect.objectContaining({ code: 'CIRCUIT_CLOSED' }))
    acceptor.send(numbered(9))
    acceptor.end()
    pair.settle()
    expect(await parts(opener)).toEqual([9])
    pair.settle()
    expect([opener.state, acceptor.state]).toEqual(['closed', 'closed'])
  })

  it('drops what comes after its own close, and returns the credit', () => {
    const pair = new CircuitPair()
    const [opener, acceptor] = pair.connect()
    void acceptor.close()
    for (const part of range(4000)) opener.send(numbered(part, 1000))
    pair.settle()
    expect([opener.state, acceptor.state]).toEqual(['closed', 'closed'])
    expect(pair.right.session.channelsByNumber.size).toBe(0)
    expect(pair.right.session.account.usedBytes).toBe(0)
  })

  it('hands nothing to the callback door after its own close, not even what has come already', () => {
    const pair = new CircuitPair()
    const [opener, acceptor] = pair.connect()
    const received: number[] = []
    acceptor.receive(({ part }) => {
      received.push(part)
      if (part === 2) void acceptor.close()
    })
    for (const part of range(10)) opener.send(numbered(part))
    pair.settle()
    expect(received).toEqual([0, 1, 2])
    expect(acceptor.state).toBe('closed')
  })

  it('ends both ends typed and at once on abort', async () => {
    const pair = new CircuitPair()
    const [opener, acceptor] = pair.connect()
    opener.send(numbered(1))
    pair.settle()
    opener.abort(new Error('changed my mind'))
    pair.settle()
    const [here, there] = [await opener.closed, await acceptor.closed]
    expect([here.error?.code, there.error?.code]).toEqual(['ABORTED', 'ABORTED'])
    expect(there.message).toContain('changed my mind')
    expect(acceptor.signal.aborted).toBe(true)
    await expect(acceptor.read()).rejects.toMatchObject({ code: 'ABORTED' })
  })

  it('survives closes that cross', () => {
    const pair = new CircuitPair()
    const [opener, acceptor] = pair.connect()
    void opener.close({ code: 1 })
    void acceptor.close({ code: 2 })
    pair.settle()
    expect([opener.reason?.code, acceptor.reason?.code]).toEqual([1, 2])
    expect(pair.left.session.channelsByNumber.size + pair.right.session.channelsByNumber.size).toBe(0)
  })
})

describe('the credit of a fragment', () => {
  const doors: Readonly<Record<string, (circuit: ChannelCircuit) => Promise<unknown> | void>> = {
    read: async (circuit) => {
      for (let fragment = await circuit.read(); fragment !== undefined;) fragment = await circuit.read()
    },
    iterator: parts,
    callback: (circuit) => circuit.receive(() => {}),
    close: (circuit) => circuit.close(),
  }

  it('goes back once, through whichever door it leaves, waiting or not', async () => {
    for (const [door, take] of Object.entries(doors)) {
      const pair = new CircuitPair()
      const [opener, acceptor] = pair.connect()
      const send = (): void => {
        for (const part of range(50)) opener.send(numbered(part, part * 100))
        opener.send(numbered(50, 100_000))
        opener.send({ error: { code: 4096, message: 'no' } })
      }
      const turns = async (): Promise<void> => {
        for (const _ of range(200)) {
          pair.settle()
          await Promise.resolve()
        }
      }
      send()
      pair.settle()
      void take(acceptor)
      await turns()
      const { window } = acceptor.channel
      expect(window.receivedBytes, door).toBeGreaterThan(200_000)
      expect(window.consumedBytes, door).toBe(window.receivedBytes)
      if (door === 'close') continue
      send()
      await turns()
      expect(window.receivedBytes, door).toBeGreaterThan(400_000)
      expect(window.consumedBytes, door).toBe(window.receivedBytes)
    }
  })
})

describe('a circuit that is reset for what it makes the other side hold', () => {
  it('delivers nothing after the reset, not even what was one too many', async () => {
    const pair = new CircuitPair({ limits: { accountBytes: 100_000 } })
    const [opener, acceptor] = pair.connect()
    for (const part of range(40)) opener.send(numbered(part, 5_000))
    pair.settle()
    expect(acceptor.reason?.error).toMatchObject({ code: 'BUDGET' })
    await expect(acceptor.read()).rejects.toMatchObject({ code: 'BUDGET' })
  })
})

describe('a close that cannot finish', () => {
  it('resolves when the link is lost after both sides have closed, although not all had left', async () => {
    const pair = new CircuitPair({ resumeMs: 0 })
    const [opener, acceptor] = pair.connect()
    for (const part of range(80)) opener.send(numbered(part, 100_000))
    const left = opener.close({ code: 1, message: 'done' })
    pair.settle()
    void acceptor.close({ code: 2, message: 'enough' })
    pair.step()
    expect(opener.state).toBe('closed')
    expect(opener.bufferedBytes).toBeGreaterThan(0)
    pair.left.session.detach(undefined, pair.now)
    await left
    expect(await opener.closed).toEqual({ code: 1, message: 'done' })
  })
})

describe('opens', () => {
  it('are refused typed, with data in flight', async () => {
    const pair = new CircuitPair()
    const opener = pair.open(pair.left, numbered(1, 20_000))
    pair.step()
    pair.offers[0]!.refuse(new PlaitError('FORBIDDEN', 'not for you', { facts: { service: 'echo' } }))
    pair.settle()
    await expect(opener.opened()).rejects.toMatchObject({ code: 'FORBIDDEN', facts: { service: 'echo' } })
    expect(pair.right.session.account.usedBytes).toBe(0)
    expect(pair.left.session.state).toBe('ready')
  })

  it('that nobody takes end after ten seconds', async () => {
    const pair = new CircuitPair()
    const opener = pair.open()
    pair.run(9_000)
    expect(opener.state).toBe('opening')
    pair.run(3_000)
    await expect(opener.opened()).rejects.toMatchObject({ code: 'NOT_ACCEPTED' })
    expect(pair.offers[0]!.pending).toBe(false)
  })

  it('beyond those that may wait are refused with BUSY, and the others do not notice', async () => {
    const pair = new CircuitPair({ limits: { unacceptedPerSession: 4 } })
    const openers = range(5).map(() => pair.open())
    pair.settle()
    await expect(openers[4]!.opened()).rejects.toMatchObject({ code: 'BUSY' })
    for (const offer of pair.offers) offer.accept({ service: 'echo', peerId: '2' })
    pair.settle()
    expect(openers.slice(0, 4).map((opener) => opener.state)).toEqual(['open', 'open', 'open', 'open'])
  })

  it('settle with the session', async () => {
    const pair = new CircuitPair({ resumeMs: 0 })
    const opener = pair.open()
    pair.left.session.detach(undefined, pair.now)
    await expect(opener.opened()).rejects.toMatchObject({ code: 'LINK_LOST' })
  })
})

describe('errors', () => {
  it('are never among the reads, and the newest 64 unread ones are kept', async () => {
    const pair = new CircuitPair()
    const [opener, acceptor] = pair.connect()
    opener.send(numbered(1))
    for (const part of range(100)) opener.send({ part, error: { code: 4096, message: 'no', facts: { part } } })
    opener.send(numbered(2))
    opener.end()
    pair.settle()
    expect(await parts(acceptor)).toEqual([1, 2])
    expect([acceptor.errors.unread, acceptor.errors.dropped]).toEqual([64, 36])
    expect((await acceptor.errors.read())?.error).toEqual({ code: 4096, message: 'no', facts: { part: 36 } })
  })
})

describe('the callback door', () => {
  it('lends the payload for the time of the call, whatever its size', () => {
    for (const bytes of [64, 100_000]) {
      const pair = new CircuitPair()
      const [opener, acceptor] = pair.connect()
      const kept: Uint8Array[] = []
      const sums: number[] = []
      acceptor.receive((fragment) => {
        kept.push(fragment.payload)
        sums.push(fragment.payload.reduce((sum, byte) => sum + byte, 0))
      })
      for (const part of range(10)) opener.send(numbered(part, bytes))
      pair.settle()
      expect(sums).toEqual(range(10).map((part) => part * bytes))
      expect(kept.every((payload) => payload.every((byte) => byte === 0xdb))).toBe(true)
    }
  })

  it('gives the payload away to who keeps it, whatever its size', () => {
    for (const bytes of [64, 20_000, 100_000]) {
      const pair = new CircuitPair()
      const [opener, acceptor] = pair.connect()
      const kept: Uint8Array[] = []
      acceptor.receive(({ payload }) => kept.push(payload), { keep: true })
      for (const part of range(10)) opener.send(numbered(part, bytes))
      pair.settle()
      const sums = kept.map((payload) => payload.reduce((sum, byte) => sum + byte, 0))
      expect(sums).toEqual(range(10).map((part) => part * bytes))
    }
  })

  it('is shut by pause, also amid what waits: the rest waits with its credit, and so does the end, until it is opened again', () => {
    const pair = new CircuitPair()
    const [opener, acceptor] = pair.connect()
    const received: number[] = []
    const take = ({ part }: Fragment): void => {
      received.push(part)
      if (part % 3 === 0) acceptor.pause()
    }
    acceptor.receive(take)
    for (const part of range(8)) opener.send(numbered(part, 50_000))
    void opener.close()
    pair.settle()
    expect(received).toEqual([0])
    expect(acceptor.unreadBytes).toBeGreaterThan(200_000)
    expect(opener.bufferedBytes).toBeGreaterThan(0)
    acceptor.receive(take)
    pair.settle()
    expect(received).toEqual([0, 1, 2, 3])
    acceptor.receive(take)
    pair.settle()
    expect([received.at(-1), acceptor.state]).toEqual([6, 'open'])
    acceptor.receive(take)
    pair.settle()
    expect([received, acceptor.unreadBytes]).toEqual([range(8), 0])
    expect([opener.state, acceptor.state]).toEqual(['closed', 'closed'])
  })

  it('resets the circuit when the handler throws, and nothing else', async () => {
    const pair = new CircuitPair()
    const [opener, acceptor] = pair.connect()
    const [other, far] = pair.connect()
    acceptor.receive(() => {
      throw new Error('broken service')
    })
    opener.send(numbered(1))
    other.send(numbered(2))
    pair.settle()
    expect((await opener.closed).error?.code).toBe('SERVICE_FAILED')
    expect((await far.read())?.part).toBe(2)
  })
})

describe('the send buffer', () => {
  it('says false at its mark, throws past its limit, and takes one fragment of any legal size when empty', async () => {
    const pair = new CircuitPair({ limits: { sendBufferMarkBytes: 64 * 1024, sendBufferBytes: 128 * 1024 } })
    const [opener, acceptor] = pair.connect()
    expect(opener.send(numbered(0, 16 * 1024 * 1024))).toBe(false)
    expect(() => opener.send(numbered(1, 100))).toThrow(expect.objectContaining({ code: 'BUFFER_FULL' }))
    const ready = opener.ready()
    acceptor.receive(() => {})
    pair.settle()
    await ready
    expect(opener.send(numbered(1, 100))).toBe(true)
    expect(() => opener.send(numbered(1, 16 * 1024 * 1024 + 1))).toThrow(
      expect.objectContaining({ code: 'FRAGMENT_TOO_LARGE' }),
    )
  })

  it('keeps what was sent when the caller reuses a copied payload', async () => {
    const pair = new CircuitPair()
    const [opener, acceptor] = pair.connect()
    // The slice of a Buffer is no copy.
    for (const payload of [new Uint8Array(100), new Uint8Array(50_000), Buffer.alloc(50_000)]) {
      payload.fill(1)
      opener.send({ payload }, { copy: true })
      payload.fill(2)
      pair.settle()
      expect((await acceptor.read())?.payload.every((byte) => byte === 1)).toBe(true)
    }
  })
})
