import { PlaitError } from '../../src/base/error.ts'
import type { Channel } from '../../src/session/channel.ts'
import type { Handshake } from '../../src/session/handshake.ts'
import type { Session } from '../../src/session/session.ts'
import { frameTypes } from '../../src/wire/frame.ts'
import { isAllowed, rowOf, stateOf, type Outcome, type State, type Tally } from './state-table.ts'

interface Arrived {
  readonly type: number
  readonly state: State
  readonly number: number
  readonly thrown: unknown
}

/** What ends a circuit in order. */
const endings: ReadonlySet<number> = new Set([frameTypes.REFUSE, frameTypes.RESET, frameTypes.CLOSE])

/** Looks over the shoulder of a handshake and of a session: where each frame arrived, and what came of it. */
export class Watch {
  /** Where what is seen is counted; nowhere when absent. */
  tally: Tally | undefined
  /** What the state table does not allow. */
  readonly mistakes: string[] = []
  /** Frames of a known type that have passed the check of their header. */
  passed = 0
  /** The largest number of a circuit that the other side has opened. */
  lastOpened = 0
  /** Numbered frames that the session has taken once already. */
  #duplicates = 0
  #urgent: number | undefined
  #urgentNumber = -1
  #session: Session | undefined

  handshake(handshake: Handshake): void {
    let said: State = 'greeted'
    let isAgreed = false
    const ready = handshake.ready.bind(handshake)
    const resume = handshake.resume.bind(handshake)
    const frame = handshake.frame.bind(handshake)
    handshake.ready = () => {
      said = 'confirmed'
      ready()
    }
    handshake.resume = (claim) => {
      said = 'resuming'
      resume(claim)
    }
    handshake.frame = (type, number, bytes, start, end, owned) => {
      if (isAgreed) return frame(type, number, bytes, start, end, owned)
      const state = handshake.hello === undefined ? 'hello' : said
      let thrown: unknown
      try {
        frame(type, number, bytes, start, end, owned)
      } catch (error) {
        thrown = error
      }
      const isOver = thrown !== undefined || handshake.error !== undefined || handshake.stopped
      isAgreed = !isOver && handshake.deadline === Infinity
      this.#note(type, state, isOver ? 'over' : 'taken', thrown)
      if (thrown !== undefined) throw PlaitError.from(thrown, 'PROTOCOL')
    }
  }

  session(session: Session): void {
    if (this.#session === session) return
    this.#session = session
    this.#duplicates = 0
    this.lastOpened = session.chair ? -1 : 0
    const { receiver, scheduler } = session
    const frame = receiver.frame.bind(receiver)
    const resume = receiver.resume.bind(receiver)
    const enqueueUrgent = scheduler.enqueueUrgent.bind(scheduler)
    receiver.resume = (saidFrames) => {
      this.#duplicates = session.framesReceived - saidFrames
      resume(saidFrames)
    }
    scheduler.enqueueUrgent = (slab, number, type, body) => {
      this.#urgent = type
      this.#urgentNumber = number
      enqueueUrgent(slab, number, type, body)
    }
    receiver.frame = (type, number, bytes, start, end, owned) => {
      const state = stateOf(session, type, number, this.#duplicates)
      if (state === 'duplicate') this.#duplicates -= 1
      this.#urgent = undefined
      const channel = session.channelsByNumber.get(number)
      let thrown: unknown
      try {
        frame(type, number, bytes, start, end, owned)
      } catch (error) {
        thrown = error
      }
      this.#note(type, state, this.#outcome(session, channel, { type, state, number, thrown }), thrown)
      this.#checkCounts(session, channel)
      if (type === frameTypes.OPEN && thrown === undefined && state === 'unopened') this.lastOpened = number
      if (thrown !== undefined) throw PlaitError.from(thrown, 'PROTOCOL')
    }
  }

  #outcome(session: Session, channel: Channel | undefined, frame: Arrived): Outcome {
    const { type, state, number, thrown } = frame
    if (thrown !== undefined || session.state === 'closed') return 'over'
    if (this.#urgent !== undefined && this.#urgentNumber === number)
      return this.#urgent === frameTypes.REFUSE ? 'refused' : 'reset'
    // A circuit of which the other side does not know yet is reset without a word.
    if (channel?.removed === true && !endings.has(type)) return 'reset'
    return state === 'gone' || state === 'duplicate' ? 'dropped' : 'taken'
  }

  /** Nobody has got more than was granted, or acknowledged more than was sent. */
  #checkCounts(session: Session, channel: Channel | undefined): void {
    if (session.framesAcknowledged > session.framesSent)
      this.mistakes.push(`${session.framesAcknowledged} frames acknowledged of ${session.framesSent}`)
    if (channel === undefined || channel.removed) return
    const { receivedBytes, grantedBytes } = channel.window
    if (receivedBytes > grantedBytes) this.mistakes.push(`${receivedBytes} bytes taken of ${grantedBytes} granted`)
  }

  #note(type: number, state: State, outcome: Outcome, thrown: unknown): void {
    const row = rowOf(type)
    if (row !== 'numbered' && row !== 'unnumbered') this.passed += 1
    this.tally?.add(row, state, outcome)
    if (!isAllowed(row, state, outcome)) this.mistakes.push(`${row} in state ${state} was ${outcome}`)
    if (thrown !== undefined && !PlaitError.is(thrown)) {
      this.mistakes.push(`${row} in state ${state} threw ${thrown instanceof Error ? thrown.stack : typeof thrown}`)
    }
  }
}
