import { createHash } from 'node:crypto'
import type { FragmentFields } from 'plait'
import { beforeAll, describe, expect, it } from 'vitest'
import { count } from '../counts.ts'
import { Malformed } from './byte-reader.ts'
import type { Channel } from './channel.ts'
import { decodeConversation, transcribe } from './conversation.ts'
import type { Conversation } from './conversation.ts'
import type { Fragment } from './messages.ts'
import { play } from './play.ts'
import type { Play } from './play.ts'
import { other, sides } from './recording.ts'
import type { Recording, Side } from './recording.ts'
import type { Session } from './session.ts'
import { Stage } from './stage.ts'

// A decoder that was written from PROTOCOL.md alone reads what real nodes have said, and has to find what their applications
// have sent and received: each fragment once, whatever became of the links.

/** Slow enough that a cut finds frames on their way. */
const slow = { latencyMs: 10, jitterMs: 0, gridMs: 1, splits: 0.8, bytesPerMs: 2_000, readsLate: false }

const sha256 = (bytes: Uint8Array | undefined): string =>
  createHash('sha256')
    .update(bytes ?? '')
    .digest('hex')

function plain({ op = 0, subject = '', part = 0, args = {}, error, payload }: FragmentFields): unknown {
  const wireError = error && { code: error.code, message: error.message, facts: { ...error.facts } }
  return { op, subject, part, args: { ...args }, error: wireError, payload: sha256(payload) }
}

function plainDecoded({ op, subject, part, args, error, payload }: Fragment): unknown {
  const wireError = error && { code: error.code, message: error.message, facts: Object.fromEntries(error.facts) }
  return { op, subject, part, args: Object.fromEntries(args), error: wireError, payload: sha256(payload) }
}

/** Errors are read apart from the rest. */
function inReadingOrder(fragments: readonly FragmentFields[] = []): readonly FragmentFields[] {
  return [...fragments.filter(({ error }) => !error), ...fragments.filter(({ error }) => error)]
}

function onlySession({ sessions }: Conversation): Session {
  expect(sessions).toHaveLength(1)
  return sessions[0] as Session
}

function channelOf(session: Session, number: number): Channel {
  const channel = session.channels.get(number)
  if (channel === undefined) throw new Error(`no channel ${number}`)
  return channel
}

describe('a session that is cut twice, read by the page alone', () => {
  let seen: Play
  beforeAll(async () => {
    seen = await play(1, slow)
  })

  it('has gone on over three links, and sent again what was lost', () => {
    const { written, read } = seen.stage.recorder
    const conversation = decodeConversation(written)
    const session = onlySession(conversation)
    expect(conversation.links.map(({ handshake }) => handshake.agreement?.kind)).toEqual(['new', 'resumed', 'resumed'])
    expect([session.resumes, seen.resumes]).toEqual([2, 2])
    expect(session.speakers.a.saidAgain + session.speakers.b.saidAgain).toBeGreaterThan(10)
    const arrived = decodeConversation(read)
    expect(arrived.links.some(({ handshake }) => sides.some((side) => handshake.words[side].restBytes > 0))).toBe(true)
    expect(onlySession(arrived).speakers.a.frames).toHaveLength(session.speakers.a.frames.length)
  })

  it.each(['written', 'read'] as const)('has every fragment once, with every field, in what was %s', (view) => {
    const session = onlySession(decodeConversation(seen.stage.recorder[view]))
    for (const number of seen.whole) {
      const channel = channelOf(session, number)
      for (const side of sides) {
        const decoded = channel.halves[side].fragments.map(plainDecoded)
        const sent = seen.stage.sent[side].get(number) ?? []
        expect(decoded).toEqual(sent.map(plain))
        expect(seen.stage.received[other(side)].get(number) ?? []).toHaveLength(sent.length)
        expect(inReadingOrder(seen.stage.received[other(side)].get(number)).map(plain)).toEqual(
          inReadingOrder(sent).map(plain),
        )
      }
    }
    const [near, back] = seen.whole.map((number) => channelOf(session, number))
    expect([near?.halves.a.largeFragments, back?.halves.b.largeFragments]).toEqual([3, 3])
    expect([near?.halves.a.fragments.length, near?.halves.b.fragments.length]).toEqual([127, 121])
  })

  it.each(['written', 'read'] as const)('has the requests, the answers and the reasons, in what was %s', (view) => {
    const session = onlySession(decodeConversation(seen.stage.recorder[view]))
    const [near, back] = seen.whole.map((number) => channelOf(session, number))
    expect(near).toMatchObject({ opener: 'a', request: { kind: 0, service: 'desk', peerId: '', version: 0 } })
    expect(near?.request?.sourceService).toBe('caller')
    expect(near?.acceptance?.service).toBe('desk')
    expect(back?.opener).toBe('b')
    for (const side of sides)
      expect(near?.halves[side]).toMatchObject({ isEnded: true, close: { code: 0, message: '' } })
    const channels = [...session.channels.values()]
    const refusals = channels.flatMap(({ halves }) => halves.b.refusal ?? [])
    expect(refusals.map(({ code, facts }) => [code, Object.fromEntries(facts)])).toEqual([
      [256, {}],
      [2, { asked: 9, offered: 3 }],
    ])
    const started = channels.find(({ request }) => request?.kind === 1)
    expect(seen.startedUrl.endsWith(`/desk/${started?.acceptance?.peerId}`)).toBe(true)
    const closed = channelOf(session, seen.closedByA)
    for (const side of sides) expect(closed.halves[side].close).toEqual({ code: 28, message: 'disk full' })
    const { reset } = channelOf(session, seen.abortedByB).halves.b
    expect(reset).toMatchObject({ code: 263, message: 'out of paper' })
    expect([...(reset?.facts ?? [])]).toEqual([['sheets', 0]])
  })

  it('begins with who speaks, and ends with why', () => {
    const { links } = decodeConversation(seen.stage.recorder.written)
    for (const side of sides) {
      const hellos = links.map(({ handshake }) => handshake.words[side].hello)
      for (const hello of hellos) {
        expect(hello).toMatchObject({ versionMin: 1, versionMax: 1, agent: 'plait', network: undefined })
        expect(hello?.application).toEqual({ name: 'stage', version: side })
        expect(hello?.epoch).toEqual(hellos[0]?.epoch)
      }
    }
    expect(links.map(({ handshake }) => handshake.words.b.goAway?.code)).toEqual([undefined, undefined, 11])
  })

  it('has bytes that are all explained', () => {
    const { written } = seen.stage.recorder
    const { links } = decodeConversation(written)
    for (const [index, { handshake, said }] of links.entries()) {
      for (const side of sides) {
        const { early, restBytes } = handshake.words[side]
        const frames = [...early, ...said[side].map(({ frame }) => frame)]
        const bytes = frames.reduce((sum, { length }) => sum + length, restBytes)
        expect(bytes).toBe(written.links[index]?.said[side].length)
        expect(restBytes).toBe(0)
      }
    }
    const lines = transcribe(decodeConversation(written))
    expect(lines[0]).toMatch(/^link 1, a: HELLO, \d+ bytes$/)
    expect(lines.filter((line) => line.endsWith(' again')).length).toBeGreaterThan(10)
    expect(lines.join('\n')).toContain('link 2, b: RESUME, 97 bytes')
  })

  it('is refused when a byte of it is another one', () => {
    const { written } = seen.stage.recorder
    decodeConversation(written)
    for (const side of sides) {
      for (const link of written.links.keys()) {
        // The first bytes of HELLO, and the proof in the word behind it.
        for (const at of [0, 8, 8 + helloBytes(written, link, side) + 8]) {
          expect(() => decodeConversation(changed(written, link, side, at))).toThrow(Malformed)
        }
      }
    }
  })

  it('is refused without one of its links, or with two of them exchanged', () => {
    const { written } = seen.stage.recorder
    const [first, second, third] = written.links as [Link, Link, Link]
    for (const links of [
      [second, third],
      [first, third],
      [first, third, second],
      [first, first],
    ]) {
      expect(() => decodeConversation({ ...written, links })).toThrow(Malformed)
    }
    const exchanged = { a: written.nodeIds.b, b: written.nodeIds.a }
    expect(() => decodeConversation({ ...written, nodeIds: exchanged })).toThrow(Malformed)
  })
})

describe('a node that is started anew', () => {
  it('has another epoch and another session, in which nothing of the first one is said', async () => {
    const stage = await new Stage(2, slow).ready()
    const { world } = stage
    const serve = (): void =>
      stage.node('b').register('desk', { open: 'anyone', start: 'anyone' }, async (peer) => {
        for await (const circuit of peer.incoming) void stage.collect('b', circuit).catch(() => {})
      })
    serve()
    const first = await stage.open('a', 'desk', { subject: 'old' })
    await world.run(world.now + 100)
    world.crash('b')
    stage.send('a', first, { subject: 'old' }, { subject: 'old' })
    world.restart('b')
    expect((await world.settle(first.closed)).error?.code).toBe('PEER_RESTARTED')
    serve()
    await stage.open('a', 'desk', { subject: 'new' })
    await world.run(world.now + 100)
    const { sessions, links } = decodeConversation(stage.recorder.written)
    const subjects = sessions.map(({ channels }) =>
      [...channels.values()].flatMap(({ halves }) => halves.a.fragments.map(({ subject }) => subject)),
    )
    expect(subjects).toEqual([expect.arrayContaining(['old']), ['new']])
    const epochs = links.flatMap(({ handshake }) => handshake.words.b.hello?.epoch ?? [])
    expect(epochs.at(-1)).not.toEqual(epochs[0])
  })
})

describe('sessions over ways of every kind', () => {
  const seeds = Array.from({ length: count(100, 4) }, (_, index) => 100 + index)

  it.each(seeds)('with the seed %i are read as the applications have them', { timeout: 60_000 }, async (seed) => {
    const { stage, whole } = await play(seed, {})
    for (const recording of [stage.recorder.written, stage.recorder.read]) {
      const session = onlySession(decodeConversation(recording))
      for (const number of whole) {
        for (const side of sides) {
          const decoded = channelOf(session, number).halves[side].fragments.map(plainDecoded)
          expect(decoded).toEqual((stage.sent[side].get(number) ?? []).map(plain))
          expect(inReadingOrder(stage.received[other(side)].get(number)).map(plain)).toEqual(
            inReadingOrder(stage.sent[side].get(number)).map(plain),
          )
        }
      }
    }
  })
})

type Link = Recording['links'][number]

function helloBytes(recording: Recording, link: number, side: Side): number {
  const bytes = (recording.links[link] as Link).said[side]
  return (bytes[1] as number) | ((bytes[2] as number) << 8)
}

function changed(recording: Recording, index: number, side: Side, at: number): Recording {
  const links = recording.links.map((link, number) => {
    if (number !== index) return link
    const bytes = link.said[side].slice()
    bytes[at] = (bytes[at] as number) ^ 0x40
    return { ...link, said: { ...link.said, [side]: bytes } }
  })
  return { ...recording, links }
}
