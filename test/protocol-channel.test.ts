import { describe, expect, it } from 'vitest'
import { splitFrames } from '../conformance/decoder/frames.ts'
import { PlaitError } from '../src/base/error.ts'
import { varintLength, writeVarint } from '../src/base/varint.ts'
import { encodeClosing, encodeOpen } from '../src/circuit/open.ts'
import { withCredit } from '../src/session/channel.ts'
import { CircuitPair } from '../src/testing/circuit-pair.ts'
import { rawFrame } from '../src/testing/raw-peer.ts'
import { decodeError, encodeError } from '../src/wire/error.ts'
import { frameTypes } from '../src/wire/frame.ts'
import { tablesOf } from './protocol/page.ts'

// Each row of the table of a channel's states in PROTOCOL.md, tried on the code, from the side of the guest: the other side opens
// even numbers.

type Row = readonly [string, string, string]
type Said = readonly [type: number, channel: number, body?: Uint8Array]

const { OPEN, ACCEPT, REFUSE, RESET, END, DATA, FIRST, MORE, CLOSE, CREDIT } = frameTypes
const request = { kind: 0, service: 'echo', peerId: '', version: 0, sourceService: '', sourcePeerId: '' }
const openBody = withCredit(20_000, encodeOpen(request))
const closing = encodeClosing({ code: 0, message: '' })
const enough = encodeError(new PlaitError('ABORTED', 'enough'))
const numbered = [ACCEPT, REFUSE, RESET, END, CLOSE, DATA, FIRST, MORE]

/** What the guest makes of frames: what ended its session, and what it says on channel 2 in the end. */
class Guest {
  readonly pair: CircuitPair = new CircuitPair()

  constructor() {
    const { right } = this.pair
    const { onOffer } = right
    // As `node/connection.ts` does.
    right.onOffer = (channel, body) => {
      try {
        onOffer?.(channel, body)
      } catch (error) {
        channel.refuse(PlaitError.from(error, 'PROTOCOL'))
      }
    }
  }

  hear(...said: readonly Said[]): this {
    for (const [type, channel, body] of said) this.pair.right.receive(rawFrame(type, channel, body), this.pair.now)
    return this
  }

  get ended(): string | undefined {
    return this.pair.right.error?.code
  }

  get live(): number {
    return this.pair.right.session.channelsByNumber.size
  }

  /** Accepts what was offered last, and gives the error with which it has ended, if it has. */
  accept(): this {
    this.pair.offers.at(-1)?.accept({ service: 'echo', peerId: '1' })
    return this
  }

  /** The last REFUSE or RESET that it says. */
  get last(): readonly [string, string, number] | undefined {
    const bytes = this.pair.right.transmit(1_000_000, this.pair.now).flatMap((chunk) => [...chunk])
    const frame = splitFrames(Uint8Array.from(bytes)).frames.findLast(
      ({ name }) => name === 'REFUSE' || name === 'RESET',
    )
    return frame && [frame.name, decodeError(frame.body).code, frame.channel]
  }

  get reason(): string | undefined {
    return this.pair.offers.at(-1)?.circuit.reason?.error?.code
  }
}

const live = (...said: readonly Said[]): Guest =>
  new Guest()
    .hear([OPEN, 2, openBody])
    .accept()
    .hear(...said)
const gone = (): Guest => live([RESET, 2, enough])

function varint(value: number): Uint8Array {
  const bytes = new Uint8Array(varintLength(value))
  writeVarint(bytes, 0, value)
  return bytes
}

function endsSession(...guests: readonly Guest[]): void {
  expect(guests.map(({ ended }) => ended)).toEqual(guests.map(() => 'PROTOCOL'))
}

function endsChannel(code: string, ...guests: readonly Guest[]): void {
  expect(guests.map(({ ended, live: left, reason }) => [ended, left, reason])).toEqual(
    guests.map(() => [undefined, 0, code]),
  )
  if (code !== 'ABORTED') expect(guests.map(({ last }) => last)).toEqual(guests.map(() => ['RESET', code, 2]))
}

const trials: Readonly<Record<string, () => void>> = {
  'unused: OPEN with the next number of the other side, or a larger one': () => {
    for (const number of [2, 4, 1_000, 4_294_967_294]) {
      const guest = new Guest().hear([OPEN, number, openBody])
      expect([guest.ended, guest.live, guest.pair.offers.length]).toEqual([undefined, 1, 1])
    }
  },
  'unused: OPEN with a number of this side, or 0, or a smaller one than before': () => {
    endsSession(
      ...[1, 3, 0].map((number) => new Guest().hear([OPEN, number, openBody])),
      new Guest().hear([OPEN, 4, openBody], [OPEN, 2, openBody]),
    )
  },
  'unused: any other numbered frame, CREDIT': () => {
    for (const number of [0, 1, 2]) {
      endsSession(...[...numbered, CREDIT].map((type) => new Guest().hear([type, number, new Uint8Array(8)])))
    }
  },
  'live: OPEN': () => endsSession(live([OPEN, 2, openBody])),
  'live: OPEN when there are 16,384 channels, or 256 that nobody has accepted': () => {
    const guest = new Guest()
    for (let index = 1; index <= 256; index += 1) guest.hear([OPEN, index * 2, openBody])
    expect([guest.live, guest.pair.offers.length]).toEqual([256, 256])
    guest.hear([OPEN, 514, openBody])
    expect([guest.ended, guest.live, guest.pair.offers.length]).toEqual([undefined, 256, 256])
    expect(guest.last).toEqual(['REFUSE', 'BUSY', 514])
    const many = new Guest()
    for (let index = 1; index <= 16_384; index += 1) many.hear([OPEN, index * 2, openBody]).accept()
    expect(many.live).toBe(16_384)
    many.hear([OPEN, 32_770, openBody])
    expect([many.ended, many.live, many.last]).toEqual([undefined, 16_384, ['REFUSE', 'BUSY', 32_770]])
  },
  'live: OPEN whose body cannot be read behind its grant': () => {
    const guest = new Guest().hear([OPEN, 2, openBody.subarray(0, openBody.length - 1)])
    expect([guest.ended, guest.live, guest.last]).toEqual([undefined, 0, ['REFUSE', 'PROTOCOL', 2]])
  },
  'live: OPEN without a grant': () => {
    endsSession(
      new Guest().hear([OPEN, 2, new Uint8Array(7)]),
      new Guest().hear([OPEN, 2, new Uint8Array(8).fill(255)]),
    )
  },
  'live: REFUSE or RESET that cannot be read': () => {
    const longMessage = Uint8Array.of(0, 16, ...varint(1_025), ...new Uint8Array(1_025), 0)
    const guests = [live([RESET, 2, Uint8Array.of(255)]), live([RESET, 2, longMessage])]
    expect(guests.map(({ ended, live: left, reason, last }) => [ended, left, reason, last])).toEqual([
      [undefined, 0, 'PROTOCOL', undefined],
      [undefined, 0, 'LIMIT', undefined],
    ])
    const pair = new CircuitPair()
    const opener = pair.open(pair.right)
    pair.settle()
    pair.right.receive(rawFrame(REFUSE, opener.id, Uint8Array.of(255)), pair.now)
    expect([pair.right.error, opener.reason?.error?.code]).toEqual([undefined, 'PROTOCOL'])
  },
  'live: ACCEPT, CLOSE, FIRST or a fragment that cannot be read': () => {
    endsChannel(
      'PROTOCOL',
      live([CLOSE, 2, Uint8Array.of(255)]),
      live([FIRST, 2, Uint8Array.of(255)]),
      live([DATA, 2, Uint8Array.of(255)]),
      live([DATA, 2]),
    )
    const pair = new CircuitPair()
    const opener = pair.open(pair.right)
    pair.settle()
    pair.right.receive(rawFrame(ACCEPT, opener.id, new Uint8Array(9)), pair.now)
    expect(opener.reason?.error?.code).toBe('PROTOCOL')
  },
  'live: a fragment beyond a limit of its fields': () => {
    const subject = Uint8Array.of(2, ...varint(1_025), ...new Uint8Array(1_025).fill(97))
    endsChannel('LIMIT', live([DATA, 2, subject]), live([DATA, 2, Uint8Array.of(8, 65)]))
  },
  'live: DATA, FIRST or MORE that no credit covers': () => {
    const first = (length: number): Uint8Array => Uint8Array.of(...varint(10_000_000), ...new Uint8Array(length))
    const window = 262_144
    const filled = live(...[1, 2, 3].map((): Said => [DATA, 2, new Uint8Array(64_000)]))
    expect(filled.reason).toBeUndefined()
    const restBytes = window - 3 * 64_008
    endsChannel(
      'PROTOCOL',
      filled.hear([DATA, 2, new Uint8Array(60_000)], [DATA, 2, new Uint8Array(restBytes - 60_008 - 7)]),
      new Guest().hear([OPEN, 2, openBody], [FIRST, 2, first(16_384)]),
      new Guest().hear(
        [OPEN, 2, openBody],
        [DATA, 2, new Uint8Array(16_000)],
        [FIRST, 2, first(100)],
        [MORE, 2, new Uint8Array(300)],
      ),
    )
  },
  'live: FIRST of a fragment that is too long, or one piece too many': () => {
    const pieces = Array.from({ length: 4_095 }, (): Said => [MORE, 2, new Uint8Array(1)])
    const patient = live([FIRST, 2, varint(5_000)], ...pieces)
    expect(patient.reason).toBeUndefined()
    const largest = 16 * 1024 * 1024 + 64 * 1024
    expect(live([FIRST, 2, varint(largest)]).reason).toBeUndefined()
    endsChannel('LIMIT', patient.hear([MORE, 2, new Uint8Array(1)]), live([FIRST, 2, varint(largest + 1)]))
  },
  'live: no piece of a fragment that has begun, for 30 s': () => {
    const guest = live([FIRST, 2, varint(5_000)])
    for (let second = 0; second < 33; second += 1) {
      if (second < 30) expect(guest.reason).toBeUndefined()
      guest.pair.now += 1_000
      guest.hear([CREDIT, 2, withCredit(30_000 + second, new Uint8Array(0))])
      guest.pair.right.session.tick(guest.pair.now)
    }
    endsChannel('REASSEMBLY_TIMEOUT', guest)
  },
  'live: REFUSE, RESET': () => {
    endsChannel('ABORTED', live([RESET, 2, enough]))
    const pair = new CircuitPair()
    const opener = pair.open(pair.right)
    pair.settle()
    pair.right.receive(rawFrame(REFUSE, opener.id, enough), pair.now)
    expect([opener.reason?.error?.code, pair.right.session.channelsByNumber.size]).toEqual(['ABORTED', 0])
  },
  'live: CLOSE, when this side has said CLOSE': () => {
    const guest = live()
    void guest.pair.offers[0]?.circuit.close()
    guest.pair.right.transmit(100_000, guest.pair.now)
    expect(guest.live).toBe(1)
    guest.hear([CLOSE, 2, closing])
    expect([guest.ended, guest.live]).toEqual([undefined, 0])
  },
  'gone: OPEN': () => endsSession(gone().hear([OPEN, 2, openBody])),
  'gone: any other numbered frame, CREDIT': () => {
    for (const type of [...numbered, CREDIT]) {
      const guest = gone()
      const { framesReceived } = guest.pair.right.session
      guest.hear([type, 2, new Uint8Array(8)])
      expect(guest.ended).toBeUndefined()
      expect(guest.pair.right.session.framesReceived - framesReceived).toBe(type === CREDIT ? 0 : 1)
    }
  },
}

const rows = tablesOf('state', 'what arrives', 'what follows')[1] as unknown as Row[]

describe('the states of a channel', () => {
  it('are those of the page, and no others', () => {
    expect(rows.map(([state, what]) => `${state}: ${what}`)).toEqual(Object.keys(trials))
  })

  it.each(rows)('%s: %s: %s', { timeout: 30_000 }, (state, what) => {
    expect.hasAssertions()
    trials[`${state}: ${what}`]?.()
  })
})
