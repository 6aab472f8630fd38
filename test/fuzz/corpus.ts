import { FrameDecoder } from '../../src/wire/decoder.ts'
import { rawFrame } from '../../src/testing/raw-peer.ts'
import { Actor, type Action } from './actor.ts'
import { conversations, type Line } from './conversations.ts'

/** What one end goes through: its own actions, frames of the other end, time, links. */
export type Step =
  | { readonly kind: 'action'; readonly action: Action }
  | { readonly kind: 'frame'; readonly bytes: Uint8Array }
  /** A frame over the former link, while the next one is being agreed on. */
  | { readonly kind: 'late'; readonly bytes: Uint8Array }
  /** What is said over the former link is on its way. */
  | { readonly kind: 'flush' }
  | { readonly kind: 'time'; readonly elapsedMs: number }
  | { readonly kind: 'cut' }
  | { readonly kind: 'link' }

/** One end of an honest conversation, to be played again. */
export interface Recording {
  readonly name: string
  readonly localId: string
  readonly remoteId: string
  readonly steps: readonly Step[]
}

/** What is on its way over the former link when both ends meet on the next one. */
const lateFragments = 6

const chairId = 'a'
const otherId = 'b'

/** Both ends of every conversation. */
export function recordAll(): readonly Recording[] {
  return Object.entries(conversations).flatMap(([name, lines]) => new Recorder(name, lines).record())
}

/** Lets two honest ends talk, and writes down what each of them goes through. */
class Recorder {
  readonly #name: string
  readonly #lines: readonly Line[]
  readonly #chair = new Actor(chairId, otherId)
  readonly #other = new Actor(otherId, chairId)
  readonly #steps: ReadonlyMap<Actor, Step[]> = new Map([
    [this.#chair, []],
    [this.#other, []],
  ])
  #links = 0

  constructor(name: string, lines: readonly Line[]) {
    this.#name = name
    this.#lines = lines
  }

  record(): Recording[] {
    this.#link()
    this.#pump()
    for (const line of this.#lines) this.#play(line)
    const mistakes = [...this.#chair.watch.mistakes, ...this.#other.watch.mistakes]
    if (mistakes.length > 0) throw new Error(`the honest conversation ${this.#name} went wrong: ${mistakes.join(', ')}`)
    return [
      { name: this.#name, localId: chairId, remoteId: otherId, steps: this.#stepsOf(this.#chair) },
      { name: this.#name, localId: otherId, remoteId: chairId, steps: this.#stepsOf(this.#other) },
    ]
  }

  #play(line: Line): void {
    if ('wait' in line) this.#wait(line.wait)
    else if ('link' in line) this.#relink(line.link)
    else {
      const actor = line.who === 'chair' ? this.#chair : this.#other
      this.#stepsOf(actor).push({ kind: 'action', action: line.action })
      actor.perform(line.action)
    }
    this.#pump()
  }

  #wait(waitMs: number): void {
    for (let restMs = waitMs; restMs > 0;) {
      const next = Math.min(this.#chair.deadline, this.#other.deadline) - this.#chair.now
      const elapsedMs = Math.min(restMs, Math.max(1, next))
      restMs -= elapsedMs
      for (const [actor, steps] of this.#steps) {
        steps.push({ kind: 'time', elapsedMs })
        actor.now += elapsedMs
        if (actor.deadline <= actor.now) actor.tick(actor.now)
      }
      this.#pump()
    }
  }

  #relink(how: 'cut' | 'new' | 'overlap'): void {
    if (how === 'cut') {
      for (const [actor, steps] of this.#steps) {
        steps.push({ kind: 'cut' })
        actor.unlink(actor.now)
      }
      return
    }
    for (let count = how === 'overlap' ? lateFragments : 0; count > 0; count -= 1) {
      const action = { do: 'send', name: 'ca', bytes: 100 * count } as const
      this.#stepsOf(this.#chair).push({ kind: 'action', action })
      this.#chair.perform(action)
    }
    this.#link()
    if (how === 'overlap') this.#overlap()
  }

  /** What the chair has said over the former link arrives when the other end has said already how much it has taken. */
  #overlap(): void {
    this.#carry(this.#chair, this.#other)
    this.#stepsOf(this.#chair).push({ kind: 'flush' })
    for (const bytes of split(this.#chair.session.transmit(256 * 1024, this.#chair.now))) {
      this.#stepsOf(this.#other).push({ kind: 'late', bytes })
      this.#other.session.receive(bytes, this.#other.now)
    }
  }

  #link(): void {
    this.#links += 1
    for (const [actor, steps] of this.#steps) {
      steps.push({ kind: 'link' })
      actor.connect(this.#links)
    }
  }

  #pump(): void {
    for (let turn = 0; turn < 1_000; turn += 1) {
      const isMoving = [this.#carry(this.#chair, this.#other), this.#carry(this.#other, this.#chair)]
      if (!isMoving.includes(true)) return
    }
    throw new Error(`the conversation ${this.#name} does not come to rest`)
  }

  #carry(from: Actor, to: Actor): boolean {
    const frames = split(from.transmit(256 * 1024, from.now))
    for (const bytes of frames) {
      this.#stepsOf(to).push({ kind: 'frame', bytes })
      to.receive(bytes, to.now)
    }
    return frames.length > 0
  }

  #stepsOf(actor: Actor): Step[] {
    return this.#steps.get(actor) as Step[]
  }
}

/** The frames in what was written. */
export function split(chunks: readonly Uint8Array[]): Uint8Array[] {
  const frames: Uint8Array[] = []
  const decoder = new FrameDecoder()
  const sink = {
    stopped: false,
    check: () => {},
    place: () => undefined,
    frame: (type: number, channel: number, bytes: Uint8Array, start: number, end: number) => {
      frames.push(rawFrame(type, channel, bytes.subarray(start, end)))
    },
  }
  for (const chunk of chunks) decoder.feed(chunk, sink)
  if (decoder.partial !== 'nothing') throw new Error('a write does not end with a whole frame')
  return frames
}
