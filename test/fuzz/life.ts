import { PlaitError } from '../../src/base/error.ts'
import { SeededRandom } from '../../src/runtime/simulated/random.ts'
import { decodeError } from '../../src/wire/error.ts'
import { frameTypes, headerBytes, readChannel } from '../../src/wire/frame.ts'
import { rawFrame } from '../../src/testing/raw-peer.ts'
import { Actor, type Action } from './actor.ts'
import { recordAll, split, type Recording, type Step } from './corpus.ts'
import { limits } from './limits.ts'
import { mutate } from './mutation.ts'
import type { Tally } from './state-table.ts'

/** More mutants than this are not worth one life. */
const mutantsMax = 200

/** How long large fragments say that they are: two of the first kind do not fit into what may be reserved. */
const largeBytes = Uint8Array.of(0xc0, 0xb8, 0x02)
const smallBytes = Uint8Array.of(0xd0, 0x46)

/** Every type that there is, and two that there are not. */
const allTypes: readonly number[] = [...Object.values(frameTypes), 0x09, 0x19]

/** What came of one life. */
export interface LifeResult {
  readonly mutants: number
  /** Mutants of which a frame of a known type has passed the check of its header. */
  readonly passed: number
  readonly mistakes: readonly string[]
}

/** What all lives draw from. */
export interface Corpus {
  readonly recordings: readonly Recording[]
  /** Those with more than one link. */
  readonly relinked: readonly Recording[]
  readonly frames: readonly Uint8Array[]
  /** Those that belong to a circuit, and among them those that open one. */
  readonly circuitFrames: readonly Uint8Array[]
  readonly openFrames: readonly Uint8Array[]
}

export function createCorpus(): Corpus {
  const recordings = recordAll()
  const frames = recordings.flatMap(({ steps }) => steps.flatMap((step) => ('bytes' in step ? [step.bytes] : [])))
  const circuitFrames = frames.filter((frame) => frame[0] === frameTypes.CREDIT || (frame[0] ?? 0) >= frameTypes.OPEN)
  const openFrames = frames.filter((frame) => frame[0] === frameTypes.OPEN)
  const relinked = recordings.filter(({ steps }) => linksOf(steps).length > 1)
  return { recordings, relinked, frames, circuitFrames, openFrames }
}

/** One end of a session under attack, from its first link to its end: an honest conversation, and mutants in the midst of it. */
export class Life {
  readonly #corpus: Corpus
  readonly #random: SeededRandom
  readonly #recording: Recording
  readonly #actor: Actor
  readonly #mistakes: string[]
  /** How often a frame is replaced by mutants, or followed by them. */
  readonly #rate: number
  readonly #isSplit: boolean
  readonly #isEarly: boolean
  #honestFrames: number
  #mutants = 0
  #passed = 0
  #links = 0
  /** A frame was announced that does not come: whatever follows is taken for its body. */
  #isAstray = false
  #lastWords: Uint8Array[] = []

  constructor(seed: number, corpus: Corpus, tally: Tally) {
    this.#corpus = corpus
    this.#random = new SeededRandom(seed)
    // The first words on a link are few, and seldom met by chance; those on a second one are the most interesting.
    this.#isEarly = this.#random.chance(0.2)
    this.#recording = this.#random.pick(this.#isEarly && this.#random.chance(0.7) ? corpus.relinked : corpus.recordings)
    this.#isSplit = this.#random.chance(0.1)
    this.#rate = this.#isEarly ? 1 : this.#random.pick([0.03, 0.1, 0.3])
    this.#honestFrames = this.#isEarly ? this.#drawEarly() : this.#random.integer(0, framesOf(this.#recording.steps))
    this.#actor = new Actor(this.#recording.localId, this.#recording.remoteId)
    this.#actor.watch.tally = tally
    this.#mistakes = this.#actor.watch.mistakes
  }

  run(): LifeResult {
    try {
      for (const step of this.#recording.steps.slice(0, this.#drawPlayed())) {
        if (this.#isOver) break
        this.#step(step)
        this.#answer()
      }
      this.#linger()
      this.#end()
    } catch (error) {
      this.#mistakes.push(`thrown: ${error instanceof Error ? error.stack : String(error)}`)
    }
    const where = `${this.#recording.name} at ${this.#recording.localId}`
    return {
      mutants: this.#mutants,
      passed: this.#passed,
      mistakes: this.#mistakes.map((mistake) => `${where}: ${mistake}`),
    }
  }

  /** How many frames are honest, when the attack begins with the first words on one of the links. */
  #drawEarly(): number {
    const { steps } = this.#recording
    const links = linksOf(steps)
    const link = this.#random.chance(0.7) ? (links.at(-1) as number) : this.#random.pick(links)
    return framesOf(steps.slice(0, link)) + this.#random.integer(0, 4)
  }

  /** How much of the conversation is played: mostly its beginning, for the session is soon of no more use. */
  #drawPlayed(): number {
    const { length } = this.#recording.steps
    if (this.#isEarly || this.#random.chance(0.2)) return length
    return this.#random.integer(1, this.#random.chance(0.7) ? Math.min(8, length) : length)
  }

  get #isOver(): boolean {
    return this.#actor.isOver || this.#isAstray
  }

  #step(step: Step): void {
    const actor = this.#actor
    switch (step.kind) {
      case 'action':
        if (actor.hasSession && actor.handshake === undefined) actor.perform(step.action)
        return
      case 'frame':
        this.#frame(step.bytes)
        return
      case 'late':
        if (actor.hasSession) actor.session.receive(step.bytes, actor.now)
        return
      case 'flush':
        if (actor.hasSession) actor.session.transmit(256 * 1024, actor.now)
        return
      case 'time':
        actor.now += step.elapsedMs
        if (actor.deadline <= actor.now) actor.tick(actor.now)
        return
      case 'cut':
        actor.unlink(actor.now)
        return
      case 'link':
        this.#links += 1
        actor.connect(this.#links)
        return
    }
  }

  /** An honest frame, and mutants instead of it, before or behind it. */
  #frame(bytes: Uint8Array): void {
    this.#honestFrames -= 1
    // A mutant has had this number, or a larger one.
    if (bytes[0] === frameTypes.OPEN && readChannel(bytes, 0) <= this.#actor.watch.lastOpened) return
    if (this.#honestFrames >= 0 || !this.#random.chance(this.#rate)) {
      this.#actor.receive(bytes.slice(), this.#actor.now)
      return
    }
    const isKept = this.#random.chance(0.6)
    const isFirst = this.#random.chance(0.3)
    if (isKept && isFirst) this.#actor.receive(bytes.slice(), this.#actor.now)
    for (let count = this.#random.integer(1, 3); count > 0 && !this.#isOver && !this.#actor.isDeaf; count -= 1) {
      this.#attack(this.#drawFrame(bytes))
    }
    if (isKept && !isFirst && !this.#isOver) this.#actor.receive(bytes.slice(), this.#actor.now)
  }

  /** What is made a mutant of: mostly the frame whose turn it is. In a handshake every type of frame is as wrong as any other. */
  #drawFrame(bytes: Uint8Array): Uint8Array {
    const random = this.#random
    if (random.chance(0.5)) return bytes
    if (this.#actor.handshake === undefined && random.chance(0.85)) return random.pick(this.#corpus.circuitFrames)
    return rawFrame(random.pick(allTypes), 0, random.pick(this.#corpus.frames).subarray(headerBytes, headerBytes + 100))
  }

  /** The conversation is over; the attack goes on for as long as the session bears it. */
  #linger(): void {
    const random = this.#random
    const { frames, circuitFrames } = this.#corpus
    for (let turn = 0; turn < 2 * mutantsMax && this.#mutants < mutantsMax; turn += 1) {
      if (this.#isOver || this.#actor.isDeaf) return
      const lot = random.real()
      if (lot < 0.12) this.#ask()
      else if (lot < 0.18) for (let count = random.integer(1, 4); count > 0; count -= 1) this.#begin()
      else if (lot < 0.25) this.#step({ kind: 'action', action: this.#drawAction() })
      else if (lot < 0.28) this.#step({ kind: 'time', elapsedMs: random.logarithmic(1, 2_000) })
      else this.#attack(random.pick(random.chance(0.9) ? circuitFrames : frames))
      this.#answer()
    }
  }

  /** The other side asks for one more circuit, as it should. */
  #ask(): void {
    const { watch, now, hasSession } = this.#actor
    if (!hasSession) return
    const frame = this.#random.pick(this.#corpus.openFrames)
    this.#actor.receive(rawFrame(frameTypes.OPEN, watch.lastOpened + 2, frame.subarray(headerBytes)), now)
  }

  /** A large fragment begins on some circuit. */
  #begin(): void {
    const body = this.#random.pick([largeBytes, largeBytes, largeBytes, smallBytes])
    const numbers = this.#numbers()
    if (numbers.length === 0) return
    this.#actor.receive(rawFrame(frameTypes.FIRST, this.#random.pick(numbers), body), this.#actor.now)
  }

  #drawAction(): Action {
    const random = this.#random
    const name = `${random.pick(['c', 'o'])}${random.pick(['a', 'b', 'c', 'd', 'e'])}`
    const service = random.pick(['read', 'hold', 'wait'] as const)
    if (random.chance(0.4)) return { do: 'open', name, service }
    if (random.chance(0.3)) return { do: 'send', name, bytes: random.pick([10, 3_000, 20_000]) }
    return { do: random.pick(['accept', 'read', 'end', 'close', 'abort'] as const), name }
  }

  #attack(frame: Uint8Array): void {
    const actor = this.#actor
    const { watch } = actor
    const bytes = mutate(frame, {
      random: this.#random,
      frames: this.#corpus.frames,
      numbers: this.#numbers(),
      nextNumber: watch.lastOpened + 2,
    })
    const passedBefore = watch.passed
    this.#mutants += 1
    if (this.#isSplit && bytes.length > 1) {
      const at = this.#random.integer(1, Math.min(bytes.length - 1, 30))
      actor.receive(bytes.subarray(0, at), actor.now)
      actor.receive(bytes.subarray(at), actor.now)
    } else actor.receive(bytes, actor.now)
    // Whatever was lent is overwritten: who still needs it would show.
    bytes.fill(0xdb)
    if (watch.passed > passedBefore) this.#passed += 1
    this.#isAstray = actor.decoder !== undefined && actor.decoder.partial !== 'nothing'
    if (!actor.hasSession) return
    const { account } = actor.session
    if (account.usedBytes > limits.accountBytes + limits.fragmentBytes)
      this.#mistakes.push(`${account.usedBytes} bytes on an account of ${limits.accountBytes}`)
  }

  /** Numbers of circuits that live, and now and then of one that is gone. */
  #numbers(): readonly number[] {
    const { watch } = this.#actor
    if (!this.#actor.hasSession) return []
    const live = [...this.#actor.session.channelsByNumber.keys()]
    const gone = watch.lastOpened - 2 * this.#random.integer(0, 3)
    if (gone > 0 && (live.length === 0 || this.#random.chance(0.1))) live.push(gone)
    return live
  }

  #answer(): void {
    const actor = this.#actor
    const chunks = actor.transmit(256 * 1024, actor.now)
    if (chunks.length > 0) this.#lastWords = [...chunks]
  }

  /** However it went, the session ends, typed, and leaves nothing behind. */
  #end(): void {
    const actor = this.#actor
    if (actor.hasSession && actor.session.state !== 'closed') this.#checkAccount()
    if (actor.hasSession && this.#random.chance(0.5)) this.#pass()
    if (!actor.hasSession) return this.#endHandshake()
    const { session } = actor
    this.#checkLastWords()
    if (session.state !== 'closed') session.fail(new PlaitError('GOING_AWAY', 'enough'))
    const { account, reservations, unacknowledgedBytes, channelsByNumber, error, deadline } = session
    const left = {
      account: account.usedBytes,
      budget: actor.budget.usedBytes,
      reserved: reservations.reservedBytes,
      unacknowledged: unacknowledgedBytes,
      circuits: channelsByNumber.size,
    }
    if (Object.values(left).some((count) => count !== 0)) this.#mistakes.push(`left behind: ${JSON.stringify(left)}`)
    if (deadline !== Infinity) this.#mistakes.push(`an ended session waits for ${deadline}`)
    if (!PlaitError.is(error)) this.#mistakes.push(`ended untyped: ${String(error)}`)
    const { circuitsOpened, circuitsClosed } = session.counters
    if (circuitsOpened !== circuitsClosed)
      this.#mistakes.push(`${circuitsOpened} circuits were opened, ${circuitsClosed} closed`)
    session.receive(this.#random.pick(this.#corpus.frames).slice(), actor.now)
  }

  #endHandshake(): void {
    const { handshake } = this.#actor
    if (handshake === undefined) return
    this.#actor.now += limits.handshakeTimeoutMs
    this.#actor.tick(this.#actor.now)
    if (!PlaitError.is(handshake.error)) this.#mistakes.push(`a handshake without an end: ${String(handshake.error)}`)
    if (handshake.deadline !== Infinity) this.#mistakes.push('a handshake that is over has a deadline')
    this.#answer()
    this.#checkLastWords()
  }

  /** Time goes on for a while without a word from the other side: from deadline to deadline, each later than the one before. */
  #pass(): void {
    const actor = this.#actor
    let idleTicks = 0
    for (let count = 0; count < 12 && actor.deadline !== Infinity; count += 1) {
      const due = Math.max(actor.deadline, actor.now)
      actor.now = due
      actor.tick(due)
      this.#answer()
      idleTicks = actor.deadline > due || actor.handshake !== undefined ? 0 : idleTicks + 1
      if (idleTicks > 2) this.#mistakes.push(`the deadline stays at ${actor.deadline} after a tick at ${due}`)
    }
  }

  /** What is charged is what is held. */
  #checkAccount(): void {
    const { session } = this.#actor
    let heldBytes = session.ownBytes
    for (const channel of session.channelsByNumber.values()) heldBytes += channel.chargedBytes
    const { usedBytes } = session.account
    if (usedBytes !== heldBytes) this.#mistakes.push(`${usedBytes} bytes on the account, and ${heldBytes} held`)
  }

  /** Who ends a session says why, and what is written is always whole frames. */
  #checkLastWords(): void {
    this.#answer()
    if (!this.#random.chance(0.2) || this.#lastWords.length === 0) return
    const last = split(this.#lastWords).at(-1) as Uint8Array
    if (last[0] === frameTypes.GOAWAY) decodeError(last, headerBytes)
  }
}

function framesOf(steps: readonly Step[]): number {
  return steps.filter(({ kind }) => kind === 'frame').length
}

/** Where links begin. */
function linksOf(steps: readonly Step[]): readonly number[] {
  return steps.flatMap(({ kind }, index) => (kind === 'link' ? [index] : []))
}
