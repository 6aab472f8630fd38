import { describe, expect, it } from 'vitest'
import { PlaitError } from '../src/base/error.ts'
import { goAway } from '../src/session/farewell.ts'
import { decodeError } from '../src/wire/error.ts'
import { frameTypes } from '../src/wire/frame.ts'
import { CircuitPair } from '../src/testing/circuit-pair.ts'
import { RawPeer, rawFrame } from '../src/testing/raw-peer.ts'
import { pair as nodes } from './node/town.ts'
import type { Town } from './node/town.ts'
import { tablesOf } from './protocol/page.ts'

// Each row of the table of a session's states in PROTOCOL.md, tried on the code.

type Row = readonly [string, string, string]

/** A session whose other side says nothing more, with a channel, so that its heart beats fast. */
function silent(): RawPeer {
  const raw = new RawPeer().greet()
  raw.end.session.openChannel(new Uint8Array(0))
  raw.drain()
  return raw
}

function end(raw: RawPeer): { readonly code: string | undefined; readonly said: readonly string[] } {
  const said = raw.framesOf(frameTypes.GOAWAY).map(({ body }) => decodeError(body).code)
  return { code: raw.end.error?.code, said }
}

function after(...frames: readonly Uint8Array[]): ReturnType<typeof end> {
  const raw = new RawPeer().greet()
  raw.send(...frames)
  return end(raw)
}

const eight = new Uint8Array(8)

const trials: Readonly<Record<string, () => Promise<void> | void>> = {
  'ready: nothing arrives between one PING and the third': () => {
    const raw = silent()
    raw.run(2_500)
    expect(raw.end.states).toEqual(['ready', 'suspect'])
    expect(raw.framesOf(frameTypes.PING)).toHaveLength(3)
  },
  'suspect: anything arrives': () => {
    const raw = silent()
    raw.run(2_500)
    raw.send(rawFrame(frameTypes.PING, 0, eight))
    expect(raw.end.states).toEqual(['ready', 'suspect', 'ready'])
  },
  'suspect: nothing arrives up to the next PING': () => {
    const raw = silent()
    raw.run(3_500)
    expect(raw.end.states).toEqual(['ready', 'suspect', 'lost'])
    raw.send(rawFrame(frameTypes.PING, 0, eight))
    expect(raw.framesOf(frameTypes.PONG)).toEqual([])
  },
  'linked: the link ends without GOAWAY': () => {
    const both = new CircuitPair()
    both.cut()
    expect(both.left.states).toEqual(['ready', 'lost'])
  },
  'linked: both agree on RESUME on another link': () => {
    const both = new CircuitPair()
    const [opener, acceptor] = both.connect()
    both.relink()
    both.settle()
    opener.send({ op: 1 })
    both.settle()
    expect([both.left.states, both.right.states]).toEqual([['ready'], ['ready']])
    expect([both.left.session.resumes, both.right.session.resumes]).toEqual([1, 1])
    expect(acceptor.inbound.unreadFragments).toBe(1)
  },
  'lost: both agree on RESUME on a link': () => {
    const both = new CircuitPair()
    both.cut()
    both.relink()
    both.settle()
    expect(both.left.states).toEqual(['ready', 'lost', 'ready'])
  },
  "lost: this end's resume window is over": () => {
    const both = new CircuitPair({ resumeMs: 7_000 })
    both.cut()
    both.run(6_999)
    expect(both.left.session.state).toBe('lost')
    both.run(1)
    expect([both.left.session.state, both.left.error?.code]).toEqual(['closed', 'LINK_LOST'])
  },
  'any: a HELLO of that node with another epoch': async () => {
    const town = await linked()
    town.world.crash('b')
    town.world.restart('b')
    await town.world.run(town.world.now + 3_000)
    expect(town.events).toContain('a sessionend PEER_RESTARTED')
  },
  'any: the other side has no such session (see above)': async () => {
    const town = await linked({ resumeMs: 0 })
    town.world.cut('a', 'b')
    await town.world.run(town.world.now + 3_000)
    expect(town.events).toContain('a sessionend LINK_LOST')
    expect(town.events).toContain('b sessionend LINK_LOST')
    expect(
      await town.outcome(
        town
          .node('a')
          .peer('x')
          .open(`${town.address('b')}/echo`),
      ),
    ).toMatchObject({ code: 'ok' })
  },
  'linked: GOAWAY': () => {
    expect(after(goAway(new PlaitError('BUDGET', 'enough')))).toEqual({ code: 'BUDGET', said: [] })
  },
  'linked: HELLO, READY, RESUME, or what this page does not allow': () => {
    for (const type of [frameTypes.HELLO, frameTypes.READY, frameTypes.RESUME, 0x09, 0x7f]) {
      expect(after(rawFrame(type, 0, eight))).toEqual({ code: 'PROTOCOL', said: ['PROTOCOL'] })
    }
    for (const channel of [0, 2, 1]) {
      expect(after(rawFrame(frameTypes.CREDIT, channel, eight))).toEqual({ code: 'PROTOCOL', said: ['PROTOCOL'] })
    }
    expect(after(rawFrame(frameTypes.OPEN, 2, eight)).code).toBe('PROTOCOL')
    expect(after(rawFrame(frameTypes.OPEN, 3, eight), rawFrame(frameTypes.OPEN, 1, eight)).code).toBe('PROTOCOL')
    expect(after(rawFrame(frameTypes.ACK, 0, Uint8Array.of(9, ...new Uint8Array(7)))).code).toBe('PROTOCOL')
    for (const type of [frameTypes.ACK, frameTypes.PING, frameTypes.PONG, frameTypes.CREDIT]) {
      expect(after(rawFrame(type, 0, new Uint8Array(9))).code).toBe('PROTOCOL')
    }
  },
  'linked: more than what is borne (see below)': () => {
    const idle = rawFrame(frameTypes.ACK, 0, eight)
    expect(after(...Array.from({ length: 100 }, () => idle)).code).toBeUndefined()
    expect(after(...Array.from({ length: 101 }, () => idle))).toEqual({ code: 'LIMIT', said: ['LIMIT'] })
    const ping = rawFrame(frameTypes.PING, 0, eight)
    expect(after(...Array.from({ length: 10 }, () => ping)).code).toBeUndefined()
    expect(after(...Array.from({ length: 11 }, () => ping))).toEqual({ code: 'LIMIT', said: ['LIMIT'] })
  },
  'linked: this node closes, and all that it sent is acknowledged': async () => {
    const { town, a, hello } = await nodes()
    const circuit = await town.world.settle(hello.open(`${town.address('b')}/echo`))
    circuit.send({ op: 1 })
    await town.world.settle(a.close())
    await town.world.run(town.world.now + 1_000)
    expect(town.events.filter((event) => event.startsWith('b '))).toEqual(['b session', 'b sessionend'])
  },
}

/** Two nodes with a session. */
async function linked(options: { readonly resumeMs?: number } = {}): Promise<Town> {
  const { town, hello } = await nodes({ b: options })
  await town.world.settle(hello.open(`${town.address('b')}/echo`))
  return town
}

const rows = tablesOf('state', 'what happens', 'what follows')[0] as unknown as Row[]

describe('the states of a session', () => {
  it('are those of the page, and no others', () => {
    expect(rows.map(([state, what]) => `${state}: ${what}`)).toEqual(Object.keys(trials))
  })

  it.each(rows)('%s: %s: %s', async (state, what) => {
    expect.hasAssertions()
    await trials[`${state}: ${what}`]?.()
  })
})
