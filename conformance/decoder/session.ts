import { Malformed } from './byte-reader.ts'
import { Channel } from './channel.ts'
import type { Frame } from './frames.ts'
import type { Agreement, Words } from './handshake.ts'
import type { Hello } from './messages.ts'
import { decodeCount } from './messages.ts'
import { hexOf, other, sameBytes } from './recording.ts'
import type { Side } from './recording.ts'

/** A frame of a session, as it stood on a link. */
export interface SaidFrame {
  readonly frame: Frame
  /** Which numbered frame of its side it is; undefined for those without a number. */
  readonly number: number | undefined
  /** Said before, on an earlier link. */
  readonly isAgain: boolean
}

/** What one side has said in a session, over all links. */
class Speaker {
  /** Numbered frames, each once; the first one has the number 1. */
  readonly frames: Frame[] = []
  acknowledgedFrames = 0
  lastOpened = 0
  saidAgain = 0
}

/** A session over one link after another: numbered frames are taken once, in order. */
export class Session {
  readonly id: string
  readonly channels: Map<number, Channel> = new Map()
  readonly speakers: Readonly<Record<Side, Speaker>> = { a: new Speaker(), b: new Speaker() }
  resumes = 0
  readonly #chair: Side
  readonly #hellos: Readonly<Record<Side, Hello>>

  constructor(id: string, chair: Side, hellos: Readonly<Record<Side, Hello>>) {
    this.id = id
    this.#chair = chair
    this.#hellos = hellos
  }

  /** What both sides have said on a link, behind the words with which they have agreed on this session. */
  take(agreement: Agreement, words: Readonly<Record<Side, Words>>): Readonly<Record<Side, readonly SaidFrame[]>> {
    if (agreement.kind === 'resumed') this.#resume(agreement.taken, words)
    const from = (side: Side): number => (agreement.kind === 'new' ? 1 : agreement.taken[other(side)] + 1)
    const said = {
      a: this.#takeSide('a', words.a.rest, from('a')),
      b: this.#takeSide('b', words.b.rest, from('b')),
    }
    for (const side of ['a', 'b'] as const) {
      const { frames } = this.speakers[other(side)]
      if (this.speakers[side].acknowledgedFrames > frames.length) throw new Malformed('an ACK of what was never sent')
      this.#checkPongs(said[side], said[other(side)])
    }
    return said
  }

  /** To be called at the end: nobody has gone beyond the credit. */
  check(): void {
    for (const channel of this.channels.values()) channel.check(this.#hellos[other(channel.opener)].windowBytes)
  }

  #resume(taken: Readonly<Record<Side, number>>, words: Readonly<Record<Side, Words>>): void {
    this.resumes += 1
    for (const side of ['a', 'b'] as const) {
      this.#acknowledge(side, taken[side])
      const hello = words[side].hello as Hello
      if (!sameBytes(hello.epoch, this.#hellos[side].epoch)) throw new Malformed('a session of an earlier run goes on')
    }
  }

  #takeSide(side: Side, frames: readonly Frame[], firstNumber: number): readonly SaidFrame[] {
    let next = firstNumber
    return frames.map((frame) => {
      if (frame.body.length > this.#hellos[other(side)].frameBytes) throw new Malformed('a frame that is too large')
      if (!frame.isNumbered) {
        this.#unnumbered(side, frame)
        return { frame, number: undefined, isAgain: false }
      }
      const number = next
      next += 1
      return { frame, number, isAgain: this.#numbered(side, number, frame) }
    })
  }

  /** Returns whether it was said before. */
  #numbered(side: Side, number: number, frame: Frame): boolean {
    const speaker = this.speakers[side]
    const before = speaker.frames[number - 1]
    if (before !== undefined) {
      const isSame =
        before.name === frame.name && before.channel === frame.channel && sameBytes(before.body, frame.body)
      if (!isSame) throw new Malformed(`frame ${number} is another one than on the link before`)
      speaker.saidAgain += 1
      return true
    }
    if (number !== speaker.frames.length + 1)
      throw new Malformed(`frame ${number} where ${speaker.frames.length + 1} is next`)
    speaker.frames.push(frame)
    if (frame.name === 'OPEN') this.#open(side, frame.channel)
    this.#channel(frame.channel).take(side, frame)
    return false
  }

  #open(side: Side, number: number): void {
    const speaker = this.speakers[side]
    if (this.#openerOf(number) !== side || number <= speaker.lastOpened)
      throw new Malformed(`an OPEN of channel ${number}`)
    speaker.lastOpened = number
  }

  #unnumbered(side: Side, frame: Frame): void {
    switch (frame.name) {
      case 'ACK':
        this.#acknowledge(side, decodeCount(frame.body))
        return
      case 'CREDIT': {
        const half = this.#channel(frame.channel).halves[side]
        half.grantedBytes = Math.max(half.grantedBytes, decodeCount(frame.body))
        return
      }
      case 'PING':
      case 'PONG':
        if (frame.body.length !== 8) throw new Malformed(`a ${frame.name} of ${frame.body.length} bytes`)
        return
      case 'GOAWAY':
        return
      default:
        throw new Malformed(`${frame.name} in a session`)
    }
  }

  #acknowledge(side: Side, count: number): void {
    const speaker = this.speakers[side]
    if (count < speaker.acknowledgedFrames) throw new Malformed('an acknowledgement that goes back')
    speaker.acknowledgedFrames = count
  }

  #checkPongs(said: readonly SaidFrame[], heard: readonly SaidFrame[]): void {
    const bodies = (name: string, frames: readonly SaidFrame[]): readonly string[] =>
      frames.flatMap(({ frame }) => (frame.name === name ? [hexOf(frame.body)] : []))
    const pings = bodies('PING', heard)
    if (bodies('PONG', said).some((body) => !pings.includes(body))) throw new Malformed('a PONG without a PING')
  }

  #openerOf(number: number): Side {
    return number % 2 === 0 ? this.#chair : other(this.#chair)
  }

  #channel(number: number): Channel {
    if (number === 0) throw new Malformed('a frame of a channel on channel 0')
    let channel = this.channels.get(number)
    if (channel === undefined) {
      channel = new Channel(number, this.#openerOf(number))
      this.channels.set(number, channel)
    }
    return channel
  }
}
