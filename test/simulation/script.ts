import { PlaitError } from '../../src/base/error.ts'
import type { Circuit, CloseReason, Fragment } from '../../src/circuit/circuit-api.ts'
import type { SeededRandom } from '../../src/runtime/simulated/random.ts'
import { difference, drawFragment, fieldsOf, type Sent } from './pattern.ts'
import { oversleepMs, type EndPlan } from './plan.ts'
import { errorText, firstErrorCode, type CircuitRecord, type End } from './record.ts'

/** What is kept of what was read, to see that it stays what it was. */
const keptMax = 8

/** One end of a circuit at work: it sends, reads and ends as planned, and tells the record what it sees. */
export class Script {
  readonly #record: CircuitRecord
  readonly #end: End
  readonly #plan: EndPlan
  readonly #random: SeededRandom
  readonly #circuit: Circuit
  readonly #sleep: (ms: number) => Promise<void>
  readonly #delivered: () => void
  readonly #kept: { readonly sent: Sent; readonly fragment: Fragment }[] = []
  #readCount = 0

  constructor(parts: {
    readonly record: CircuitRecord
    readonly end: End
    readonly plan: EndPlan
    readonly random: SeededRandom
    readonly circuit: Circuit
    readonly sleep: (ms: number) => Promise<void>
    readonly delivered: () => void
  }) {
    this.#record = parts.record
    this.#end = parts.end
    this.#plan = parts.plan
    this.#random = parts.random
    this.#circuit = parts.circuit
    this.#sleep = parts.sleep
    this.#delivered = parts.delivered
    this.#end.circuit = parts.circuit
    void parts.circuit.closed.then((reason) => this.#record.finish(this.#end, reason))
  }

  /** Resolves when the circuit is over at this end; never rejects. */
  async run(): Promise<void> {
    const { echoes, ending } = this.#plan
    const errors = this.#readErrors()
    await Promise.all([this.#read(), echoes ? undefined : this.#write()])
    if (echoes) await this.#finish(ending)
    else if (ending === 'passive') await this.#finish('close')
    await Promise.all([errors, this.#circuit.closed])
    for (const { sent, fragment } of this.#kept) {
      const unlike = difference(sent, fragment)
      if (unlike !== undefined)
        this.#record.violation(
          `a fragment of ${this.#record.key} at ${this.#end.name} has changed after it was read: ${unlike}`,
        )
    }
    this.#end.isDone = true
  }

  /** Sends the fragment by which the other end knows the circuit. */
  async begin(first: Sent): Promise<void> {
    await this.#send(first)
  }

  get #isOver(): boolean {
    const { state } = this.#circuit
    return state === 'closing' || state === 'closed'
  }

  async #write(): Promise<void> {
    const { fragments, burst, alternates, gapMs, errors, ending, sizes } = this.#plan
    const abortAt = ending === 'abort' ? this.#random.integer(0, fragments) : Number.POSITIVE_INFINITY
    const errorsAt = errors > 0 ? this.#random.integer(0, fragments) : -1
    for (let index = 0; index <= fragments && !this.#isOver; index += 1) {
      if (index > 0 && index % burst === 0) await this.#sleep(gapMs)
      if (index === errorsAt) this.#sendErrors(errors)
      if (index >= abortAt) return this.#abort()
      if (index === fragments) break
      const sent = this.#send(drawFragment(this.#random, sizes))
      if ((sent !== true || alternates) && !(await sent)) return
    }
    if (ending !== 'passive') await this.#finish(ending)
  }

  /** False when nothing can be sent any more; a promise of that when it has to wait. `payload`: the fragment's own bytes. */
  #send(sent: Sent, payload: Uint8Array = sent.payload): boolean | Promise<boolean> {
    if (this.#isOver) return false
    const copy = this.#plan.copies
    const bytes = copy ? payload.slice() : payload
    try {
      const isBelow = this.#circuit.send(fieldsOf(sent, bytes), copies[copy ? 1 : 0])
      this.#record.outgoing(this.#end).send(sent)
      if (copy) bytes.fill(0xee)
      return isBelow || !this.#plan.waits || this.#ready()
    } catch (error) {
      if (!PlaitError.is(error) || error.code !== 'BUFFER_FULL') return this.#failed(error)
    }
    return this.#ready().then((isReady) => isReady && this.#send(sent, payload))
  }

  async #ready(): Promise<boolean> {
    try {
      await this.#circuit.ready()
      return true
    } catch (error) {
      return this.#failed(error)
    }
  }

  #sendErrors(count: number): void {
    const flow = this.#record.outgoing(this.#end)
    for (let index = 0; index < count && !this.#isOver; index += 1) {
      const number = flow.errorsSent
      try {
        this.#circuit.send({ error: { code: firstErrorCode + number, message: errorText(this.#record.key, number) } })
        flow.sendError()
      } catch (error) {
        if (!PlaitError.is(error) || error.code !== 'BUFFER_FULL') this.#failed(error)
        return
      }
    }
  }

  async #finish(ending: EndPlan['ending']): Promise<void> {
    if (this.#isOver) return
    this.#end.ended = true
    if (ending === 'end') return this.#circuit.end()
    if (ending === 'abort') return this.#abort()
    this.#end.closing = this.#plan.reason
    await this.#circuit.close(this.#plan.reason)
  }

  #abort(): void {
    if (this.#isOver) return
    this.#end.ended = true
    this.#end.aborted = true
    this.#circuit.abort(new Error('changed its mind'))
  }

  async #read(): Promise<void> {
    try {
      if (this.#plan.reading === 'receive') await this.#receive()
      else if (this.#plan.reading === 'read') await this.#readOneByOne()
      else if (this.#plan.reading === 'impatient') await this.#readImpatiently()
      else await this.#iterate()
    } catch (error) {
      this.#failed(error)
      return
    }
    if (this.#end.reason?.error === undefined) this.#record.reachEnd(this.#end)
  }

  async #iterate(): Promise<void> {
    for await (const fragment of this.#circuit) {
      const pause = this.#take(fragment)
      if (pause !== undefined) await pause
      if (this.#readCount < this.#plan.readsAtMost) continue
      // Leaving the loop closes the circuit, unless it has ended with the last fragment.
      if (!this.#isOver) {
        this.#end.ended = true
        this.#end.closing = noReason
      }
      break
    }
  }

  async #readOneByOne(): Promise<void> {
    while (this.#readCount < this.#plan.readsAtMost) {
      const fragment = await this.#circuit.read()
      if (fragment === undefined) return
      const pause = this.#take(fragment)
      if (pause !== undefined) await pause
    }
    await this.#finish('close')
  }

  /** Gives up waiting again and again: no fragment may be lost by that. */
  async #readImpatiently(): Promise<void> {
    let patience = this.#patience()
    while (this.#readCount < this.#plan.readsAtMost) {
      if (patience.aborted) patience = this.#patience()
      try {
        const fragment = await this.#circuit.read({ signal: patience })
        if (fragment === undefined) return
        const pause = this.#take(fragment)
        if (pause !== undefined) await pause
      } catch (error) {
        if (error !== impatience) throw error
      }
    }
    await this.#finish('close')
  }

  /** A signal that fires after a moment. */
  #patience(): AbortSignal {
    const controller = new AbortController()
    void this.#sleep(this.#random.logarithmic(1, 1_000)).then(() => controller.abort(impatience))
    return controller.signal
  }

  async #receive(): Promise<void> {
    this.#circuit.receive((fragment) => {
      this.#deliver(fragment)
      if (this.#readCount === this.#plan.readsAtMost) void this.#finish('close')
    })
    await this.#circuit.closed
  }

  /** A promise when the reader has to wait before it goes on. */
  #take(fragment: Fragment): Promise<unknown> | undefined {
    const sent = this.#deliver(fragment)
    if (sent !== undefined) {
      if (this.#plan.echoes) {
        const echo = this.#send(sent, fragment.payload)
        if (typeof echo !== 'boolean') return echo.then(() => this.#pause())
      } else if (this.#kept.length < keptMax) this.#kept.push({ sent, fragment })
      // What has been read is the reader's: whoever still needed it would show.
      else fragment.payload.fill(0xee)
    }
    return this.#pause()
  }

  #pause(): Promise<void> | undefined {
    const { oversleepsAfter, readGapMs, readBurst } = this.#plan
    const gapMs = readGapMs > 0 && this.#readCount % readBurst === 0 ? readGapMs : 0
    if (this.#readCount === oversleepsAfter) {
      this.#end.overslept = true
      return this.#sleep(oversleepMs + gapMs)
    }
    return gapMs > 0 ? this.#sleep(gapMs) : undefined
  }

  #deliver(fragment: Fragment): Sent | undefined {
    this.#readCount += 1
    this.#delivered()
    return this.#record.deliver(this.#end, fragment)
  }

  async #readErrors(): Promise<void> {
    for await (const fragment of this.#circuit.errors) this.#record.deliverError(this.#end, fragment)
  }

  #failed(error: unknown): false {
    this.#record.fail(this.#end, error)
    return false
  }
}

const copies = [{ copy: false }, { copy: true }] as const

const impatience = new Error('this takes too long')

const noReason: CloseReason = Object.freeze({ code: 0, message: '' })
