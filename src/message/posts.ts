import { Queue } from '../base/queue.ts'
import type { Circuit } from '../circuit/circuit-api.ts'
import { Context } from './context.ts'
import type { MessageCounters } from './counters.ts'
import { applicationIdMin } from './define-message.ts'
import type { Encoding } from './frame.ts'
import type { Packer } from './packer.ts'
import type { Registry } from './registry.ts'
import { isPromise } from './result.ts'
import { heartbeat } from './system.ts'

export interface PostsParts {
  readonly circuit: Circuit
  readonly counters: MessageCounters
  readonly packer: Packer
  readonly registry: Registry
  /** Handlers of posts that run at once. */
  readonly maxRunning: number
  /** Tells the application what a handler has thrown. */
  report(error: unknown, type: string): void
  /** Whether something at this end waits for the other side: for an answer, or to read what is sent. */
  isAsking(): boolean
  /** Stops reading the circuit, so that its credit holds the other side up; goes on. */
  pause(): void
  resume(): void
}

/** A post that waits for a handler to be through, with its payload copied. */
interface WaitingPost {
  readonly id: number
  readonly content: number
  readonly encoding: Encoding
  readonly payload: Uint8Array
}

/** What the objects of a post cost that waits, or is handled. */
const postBytes = 256

/**
 * The posts that have come, and their handlers. Nobody answers a post, so whoever posts faster than handlers are through would
 * make this end hold more and more. Beyond the limit the circuit is not read: a post counts as read when its handler is through,
 * and the credit of the circuit holds its sender up. While this end itself waits for an answer, or for room, reading goes on,
 * since the handlers may be what waits for it; what comes meanwhile stands in line, up to a window of the circuit.
 */
export class Posts {
  readonly #parts: PostsParts
  readonly #line: Queue<WaitingPost> = new Queue()
  #lineBytes = 0
  #running = 0
  #runningBytes = 0
  #isPaused = false
  #hasEnded = false

  constructor(parts: PostsParts) {
    this.#parts = parts
  }

  /** A post has come; `payload` is lent. */
  receive(id: number, content: number, encoding: Encoding, payload: Uint8Array): void {
    const { counters, registry, circuit } = this.#parts
    counters.postsReceived += 1
    if (id === heartbeat.id) counters.heartbeatsReceived += 1
    if (registry.find(id) === undefined && registry.byDefault === undefined) {
      counters.unhandled += 1
      return
    }
    // Those of the system take no time.
    if (id < applicationIdMin || (this.#line.length === 0 && !this.#isFull)) {
      this.#handle(id, content, encoding, payload)
      return
    }
    this.#line.push({ id, content, encoding, payload: payload.slice() })
    this.#lineBytes += payload.length + postBytes
    circuit.hold(payload.length + postBytes)
    this.#update()
  }

  /** This end has begun to wait for the other side. */
  asks(): void {
    // Not at once: who asks does not expect that handlers run meanwhile.
    if (this.#isPaused) void Promise.resolve().then(() => this.#update())
  }

  /** The circuit has ended. What it has brought in order is still handled; after a failure what waits is dropped. */
  end(hasFailed: boolean): void {
    this.#hasEnded = true
    if (!hasFailed) return
    this.#parts.counters.dropped += this.#line.length
    this.#line.clear()
    this.#lineBytes = 0
  }

  get #isFull(): boolean {
    const { circuit, maxRunning } = this.#parts
    return this.#running >= maxRunning || this.#runningBytes >= circuit.context.limits.windowBytesMax
  }

  #handle(id: number, content: number, encoding: Encoding, payload: Uint8Array): void {
    const { counters, circuit, packer, registry } = this.#parts
    const registration = registry.find(id)
    const name = registration?.type.name ?? `message ${id}`
    const context = new Context(circuit)
    let message: unknown
    try {
      message =
        registration === undefined
          ? packer.inflate(encoding, payload).slice()
          : packer.unpack(registration.type.request, content, encoding, payload)
    } catch (error) {
      counters.invalid += 1
      this.#parts.report(error, name)
      return
    }
    // A small packed message may be a large one. Read now: what the handler does may unpack another one.
    const heldBytes = packer.plainBytes + postBytes
    try {
      const result: unknown =
        registration === undefined
          ? registry.byDefault?.({ id, kind: 'post', content, payload: message as Uint8Array }, context)
          : registration.handler(message, context)
      if (isPromise(result)) this.#wait(result, name, heldBytes)
    } catch (error) {
      this.#parts.report(error, name)
    }
  }

  /** For a handler that takes its time. */
  #wait(result: Promise<unknown>, name: string, bytes: number): void {
    this.#running += 1
    this.#runningBytes += bytes
    this.#parts.circuit.hold(bytes)
    const settled = (): void => this.#settled(bytes)
    // Of what is no promise of this language nobody knows how often it settles.
    Promise.resolve(result)
      .catch((error: unknown) => this.#parts.report(error, name))
      .then(settled, settled)
  }

  #settled(bytes: number): void {
    const { circuit } = this.#parts
    this.#running -= 1
    this.#runningBytes -= bytes
    circuit.release(bytes)
    while (!this.#isFull) {
      const next = this.#line.shift()
      if (next === undefined) break
      const { id, content, encoding, payload } = next
      this.#lineBytes -= payload.length + postBytes
      circuit.release(payload.length + postBytes)
      this.#handle(id, content, encoding, payload)
    }
    this.#update()
  }

  #update(): void {
    const parts = this.#parts
    const { windowBytesMax } = parts.circuit.context.limits
    const isWanted = this.#line.length > 0 && (!parts.isAsking() || this.#lineBytes >= windowBytesMax)
    if (isWanted === this.#isPaused || this.#hasEnded) return
    this.#isPaused = isWanted
    if (isWanted) parts.pause()
    else parts.resume()
  }
}
