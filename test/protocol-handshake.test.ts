import { describe, expect, it } from 'vitest'
import type { NodeId } from '../src/identity/node-id.ts'
import type { GreetingPhase, Word } from '../src/node/greeting.ts'
import { judge } from '../src/node/rivals.ts'
import type { Candidate, Present, Verdict } from '../src/node/rivals.ts'
import { frameTypes } from '../src/wire/frame.ts'
import {
  any,
  bye,
  claim,
  hello,
  HandshakeLab,
  otherClaim,
  ready,
  resume,
  wrongProofs,
} from './protocol/handshake-lab.ts'
import { tableOf, tablesOf } from './protocol/page.ts'

// Each row of the tables of the handshake in PROTOCOL.md, tried on the code. A row that nobody tries, and a row that is tried and
// stands on no page, are both errors.

type Row = readonly [string, string, string]
/** The events of each way to try a row, and what they have to be. */
type Trial = readonly [HandshakeLab, readonly string[]]

const greeted = HandshakeLab.greeted.bind(HandshakeLab)

const trials: Readonly<Record<string, () => readonly Trial[]>> = {
  'hello: HELLO': () => [[greeted('chair'), ['greeted']]],
  'hello: another frame but GOAWAY': () =>
    [ready(), resume(), any(frameTypes.OPEN), any(frameTypes.ACK)].map((frame) => [
      new HandshakeLab('chair').hear(frame),
      ['PROTOCOL'],
    ]),
  "greeted: READY with the proof of the other side's role and this binding": () => {
    const before = greeted('chair')
    before.handshake.ready()
    const after = greeted('chair', ready())
    expect(after.events).toEqual(['greeted', 'heard'])
    after.handshake.ready()
    return [
      [before.hear(ready()), ['greeted', 'ready, new']],
      [after, ['greeted', 'heard', 'ready, new']],
    ]
  },
  'greeted: RESUME with such a proof, as the chair': () => {
    const lab = greeted('chair', resume())
    expect(lab.events).toEqual(['greeted', 'heard'])
    lab.handshake.resume(claim)
    return [[lab.hear(any(frameTypes.ACK)), ['greeted', 'heard', 'ready, resumed', 'session frame 4']]]
  },
  'greeted: RESUME with such a proof, as the guest, of the session that it has named': () => {
    const lab = greeted('guest')
    lab.handshake.resume(claim)
    return [[lab.hear(resume()), ['greeted', 'ready, resumed']]]
  },
  'greeted: RESUME, as the guest, without having said RESUME, or of another session': () => {
    const said = greeted('guest')
    said.handshake.ready()
    const another = greeted('guest')
    another.handshake.resume(otherClaim)
    return [greeted('guest'), said, another].map((lab) => [lab.hear(resume()), ['greeted', 'PROTOCOL']])
  },
  'greeted: READY or RESUME with another proof': () =>
    wrongProofs.flatMap((proof) =>
      [ready(proof), resume({ proof })].map((frame): Trial => [greeted('chair', frame), ['greeted', 'WRONG_KEY']]),
    ),
  "greeted: RESUME with an `epoch` that is not that of the same side's HELLO": () => [
    [greeted('chair', resume({ epoch: new Uint8Array(16) })), ['greeted', 'PROTOCOL']],
  ],
  "greeted: RESUME with a `remoteEpoch` that is not this side's epoch": () => [
    [greeted('chair', resume({ remoteEpoch: new Uint8Array(16) })), ['greeted', 'PEER_RESTARTED']],
  ],
  'greeted: a second READY or a second RESUME, or RESUME after READY': () =>
    [
      [ready(), ready()],
      [resume(), resume()],
      [ready(), resume()],
    ].map((frames) => [greeted('chair', ...frames), ['greeted', 'heard', 'PROTOCOL']]),
  'greeted: any other frame': () =>
    [hello(), any(frameTypes.OPEN), any(frameTypes.PING), any(0x30)].map((frame) => [
      greeted('guest', frame),
      ['greeted', 'PROTOCOL'],
    ]),
  'any: GOAWAY': () => [
    [new HandshakeLab('guest').hear(bye()), ['GOING_AWAY']],
    [greeted('guest', bye()), ['greeted', 'GOING_AWAY']],
  ],
  'any: the end of the link': () => {
    const labs = [new HandshakeLab('guest'), greeted('guest')]
    for (const { handshake } of labs) handshake.detach(undefined)
    return [
      [labs[0] as HandshakeLab, ['LINK_LOST']],
      [labs[1] as HandshakeLab, ['greeted', 'LINK_LOST']],
    ]
  },
}

const rows = (tablesOf('state', 'what arrives', 'what follows')[0] ?? []) as unknown as Row[]

describe('the states of a handshake', () => {
  it('are those of the page, and no others', () => {
    expect(rows.map(([state, what]) => `${state}: ${what}`)).toEqual(Object.keys(trials))
  })

  it.each(rows)('%s: %s: %s', (state, what, follows) => {
    for (const [lab, expected] of trials[`${state}: ${what}`]?.() ?? []) {
      expect(lab.events).toEqual(expected)
      // The code that the page names is the one that came.
      const named = /`([A-Z_]+)`/.exec(follows)?.[1]
      if (named !== undefined && named !== 'RESUME') expect(lab.events.at(-1)).toBe(named)
      expect(lab.handshake.error === undefined).toBe(!/\bends?\b|ended/.test(follows))
    }
  })
})

describe('who says which word', () => {
  const candidate = (chair: boolean, word?: Word, phase: GreetingPhase = 'greeted'): Candidate => ({
    remoteId: 'b' as NodeId,
    phase,
    chair,
    epoch: Uint8Array.of(1),
    word,
  })
  const session = (linked: boolean): Present => ({ epoch: Uint8Array.of(1), sessionId: claim.sessionId, linked })
  const verdicts: Readonly<Record<string, readonly Verdict[]>> = {
    'guest, no session, ': [judge(candidate(false), [], undefined)],
    'guest, a session, ': [true, false].map((linked) => judge(candidate(false), [], session(linked))),
    'chair, no session, not waited for': [judge(candidate(true), [], undefined)],
    'chair, a session, not there yet': [true, false].map((linked) => judge(candidate(true), [], session(linked))),
    'chair, a session, RESUME of it': [true, false].map((linked) => judge(candidate(true, claim), [], session(linked))),
    'chair, a session without a link, READY': [judge(candidate(true, 'none'), [], session(false))],
    'chair, a session with a link, READY': [judge(candidate(true, 'none'), [], session(true))],
    'chair, a session, RESUME of another': [true, false].map((linked) =>
      judge(candidate(true, otherClaim), [], session(linked)),
    ),
    'chair, READY said on another link, ': [
      judge(candidate(true), [candidate(true, undefined, 'confirmed')], undefined),
    ],
  }
  /** What the page says of a verdict. */
  const words: Readonly<Record<Verdict, RegExp>> = {
    confirm: /^READY, at once$/,
    resume: /^RESUME of it/,
    wait: /^nothing: it waits$/,
    refuse: /^GOAWAY with `DUPLICATE`/,
    restarted: /^never$/,
    forgotten: /^ends the session with `LINK_LOST`.*then READY$|^as for READY$/,
    challenge: /^sends a PING.*within 2 s `DUPLICATE`|^as for READY$/,
  }

  it('is what the page says, for each of its rows', () => {
    const table = tableOf('side', 'it has with the other node', "the guest's word", 'what it says')
    expect(table.map(([side, has, word]) => `${side}, ${has}, ${word}`)).toEqual(Object.keys(verdicts))
    for (const [side, has, word, says] of table) {
      for (const verdict of verdicts[`${side}, ${has}, ${word}`] ?? []) expect(says).toMatch(words[verdict])
    }
  })

  it('and another epoch ends the session first', () => {
    const earlier = { ...session(true), epoch: Uint8Array.of(2) }
    for (const chair of [true, false]) expect(judge(candidate(chair, claim), [], earlier)).toBe('restarted')
  })
})

describe('the word of the chair', () => {
  const outcomes: Readonly<Record<string, () => readonly string[]>> = {
    'READY, READY': () => {
      const guest = greeted('guest')
      guest.handshake.ready()
      return guest.hear(ready()).events
    },
    'RESUME, RESUME': () => {
      const guest = greeted('guest')
      guest.handshake.resume(claim)
      return guest.hear(resume()).events
    },
    'RESUME, READY': () => {
      const guest = greeted('guest')
      guest.handshake.resume(claim)
      guest.hear(ready())
      guest.handshake.ready()
      return guest.events
    },
    'any, GOAWAY': () => {
      const guest = greeted('guest')
      guest.handshake.resume(claim)
      return guest.hear(bye()).events
    },
  }

  it('decides as the page says, for each of its rows', () => {
    const table = tableOf('the guest said', 'the chair says', 'what follows')
    expect(table.map(([guest, chair]) => `${guest}, ${chair}`)).toEqual(Object.keys(outcomes))
    expect(Object.values(outcomes).map((outcome) => outcome())).toEqual([
      ['greeted', 'ready, new'],
      ['greeted', 'ready, resumed'],
      ['greeted', 'heard', 'ready, new'],
      ['greeted', 'GOING_AWAY'],
    ])
  })

  it('is heard as well when the guest has said RESUME and then READY to a chair without a session', () => {
    const chair = greeted('chair')
    chair.handshake.ready()
    expect(chair.hear(resume(), ready()).events).toEqual(['greeted', 'heard', 'ready, new'])
  })
})
