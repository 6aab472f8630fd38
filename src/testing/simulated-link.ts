import { assert } from '../base/assert.ts'
import { PlaitError } from '../base/error.ts'
import type { NodeId } from '../identity/node-id.ts'
import type { Link, LinkHandlers } from '../link/link.ts'
import type { Timer } from '../runtime/timers.ts'
import { Pipe, type PipeParts } from './pipe.ts'
import type { Process } from './process.ts'
import type { TraceKind } from './trace.ts'

/** How long a graceful end waits for the other side's, as in `link/tcp`. */
const lingerMs = 30_000

export interface EndParts {
  readonly process: Process
  readonly remoteId: NodeId
  readonly remoteAddress: string
  readonly binding: Uint8Array
  readonly dialled: boolean
}

/** One end of a link between two hosts of a world. */
export class SimulatedLink implements Link {
  readonly remoteId: NodeId
  readonly remoteAddress: string
  readonly binding: Uint8Array
  readonly dialled: boolean
  readonly process: Process
  readonly #parts: PipeParts
  readonly #outgoing: Pipe
  #other: SimulatedLink | undefined
  #handlers: LinkHandlers | undefined
  #state: 'open' | 'closing' | 'closed' = 'open'
  #linger: Timer | undefined
  #error: PlaitError | undefined

  constructor(pipe: PipeParts, end: EndParts) {
    this.#parts = pipe
    this.process = end.process
    this.remoteId = end.remoteId
    this.remoteAddress = end.remoteAddress
    this.binding = end.binding
    this.dialled = end.dialled
    this.#outgoing = new Pipe(pipe, {
      isReading: () => this.#peer.#isReading,
      data: (bytes) => this.#peer.#receive(bytes),
      finished: () => this.#peer.#remoteFinished(),
      taken: () => this.#taken(),
    })
  }

  /** Makes two ends into one link. */
  static join(first: SimulatedLink, second: SimulatedLink): void {
    first.#other = second
    second.#other = first
  }

  get number(): number {
    return this.#parts.link
  }

  get isClosed(): boolean {
    return this.#state === 'closed'
  }

  /** What is written here never arrives. */
  get isMute(): boolean {
    return this.#outgoing.vanishes
  }

  /** Written here and not yet read at the other end. */
  get undeliveredBytes(): number {
    return this.#outgoing.undeliveredBytes
  }

  get pendingBytes(): number {
    return this.#outgoing.pendingBytes
  }

  attach(handlers: LinkHandlers): void {
    assert(this.#handlers === undefined, 'a link is attached once')
    this.#handlers = handlers
    if (this.#state === 'closed') this.#report()
    else this.#peer.#outgoing.resume()
  }

  write(chunks: readonly Uint8Array[]): void {
    if (this.#state === 'open' && !this.process.scope.ended) this.#outgoing.write(chunks)
  }

  close(): void {
    if (this.#state !== 'open' || this.process.scope.ended) return
    this.#record('finish')
    this.#state = 'closing'
    this.#outgoing.finish()
    this.#linger = this.#parts.scheduler.at(
      this.#parts.scheduler.now + lingerMs,
      () => this.abort(new PlaitError('LINK_LOST', 'the other side did not end the link in time')),
      this.process.scope,
    )
  }

  abort(reason?: PlaitError): void {
    if (this.#state === 'closed' || this.process.scope.ended) return
    this.#record('abort')
    this.fail(reason ?? new PlaitError('LINK_LOST', 'the link was aborted here'))
    this.#reset()
  }

  /** The end comes from outside: the network, or the other side. Does nothing on a closed link or in an ended process. */
  fail(error: PlaitError): void {
    if (this.#state === 'closed') return
    this.#outgoing.stop()
    this.#finish(error)
  }

  /** Given up at this end only: what is on its way still arrives, and the other end is not told. */
  lose(error: PlaitError): void {
    if (this.#state === 'closed') return
    this.#outgoing.own()
    this.#outgoing.vanishes = true
    this.#finish(error)
  }

  /** What is written here from now on never arrives, and nobody is told. */
  vanish(): void {
    this.#outgoing.vanishes = true
  }

  /** The process is gone; with `tells` its operating system says so to the other side. */
  drop(tells: boolean): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#outgoing.stop()
    if (tells) this.#reset()
  }

  get #peer(): SimulatedLink {
    assert(this.#other !== undefined, 'an end of a link is joined before it is used')
    return this.#other
  }

  /** A closed end reads too: what comes then is answered with a reset. */
  get #isReading(): boolean {
    return this.#handlers !== undefined || this.#state === 'closed'
  }

  #receive(bytes: Uint8Array): void {
    if (this.#state === 'closed') {
      if (this.process.host.isPowered) this.#reset()
      return
    }
    this.#record('data')
    this.#parts.trace.bytes(bytes)
    this.#handlers?.data(bytes)
  }

  /** The operating system answers in kind when the other side ends: what was written still goes out. */
  #remoteFinished(): void {
    if (this.#state === 'closed') return
    this.#outgoing.finish()
    this.#outgoing.own()
    this.#finish(undefined)
  }

  #taken(): void {
    if (this.#state === 'open' && !this.process.scope.ended) this.#handlers?.drain()
  }

  /** Tells the other end, which may have ended by itself meanwhile. */
  #reset(): void {
    if (this.#outgoing.vanishes) return
    const other = this.#peer
    this.#parts.path.carry(() => other.fail(new PlaitError('LINK_LOST', 'the link was reset by the other side')))
  }

  #finish(error: PlaitError | undefined): void {
    this.#state = 'closed'
    this.#error = error
    this.#linger?.cancel()
    if (this.#handlers !== undefined) this.#report()
  }

  /** Never inside a call of the owner's, so that it may end a link in the midst of its work. */
  #report(): void {
    const { scheduler } = this.#parts
    scheduler.at(
      scheduler.now,
      () => {
        this.#record(this.#error === undefined ? 'end' : 'fail')
        this.#handlers?.close(this.#error)
      },
      this.process.scope,
    )
  }

  #record(kind: TraceKind): void {
    this.#parts.trace.record(this.#parts.scheduler.now, this.process.host.number, kind, this.#parts.link)
  }
}
