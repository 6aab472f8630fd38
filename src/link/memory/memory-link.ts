import { assert } from '../../base/assert.ts'
import { PlaitError } from '../../base/error.ts'
import { Queue } from '../../base/queue.ts'
import type { NodeId } from '../../identity/node-id.ts'
import type { Random } from '../../runtime/random.ts'
import type { Timers } from '../../runtime/timers.ts'
import type { Link, LinkHandlers } from '../link.ts'

export interface MemoryRuntime {
  readonly timers: Timers
  readonly random: Random
}

/** Two joined links: the first has dialled. What is written in one turn arrives at its end; nothing is copied. */
export function memoryLinks(
  runtime: MemoryRuntime,
  dialler: NodeId,
  listener: NodeId,
  address = 'memory:0',
): [Link, Link] {
  const binding = runtime.random.bytes(32)
  const near = new MemoryLink(runtime.timers, { remoteId: listener, binding, dialled: true, remoteAddress: address })
  const far = new MemoryLink(runtime.timers, {
    remoteId: dialler,
    binding: binding.slice(),
    dialled: false,
    remoteAddress: address,
  })
  near.join(far)
  far.join(near)
  return [near, far]
}

class MemoryLink implements Link {
  readonly remoteId: NodeId
  readonly binding: Uint8Array
  readonly dialled: boolean
  readonly remoteAddress: string
  readonly #timers: Timers
  readonly #written = new Queue<Uint8Array>()
  #pendingBytes = 0
  #far: MemoryLink | undefined
  #handlers: LinkHandlers | undefined
  #scheduled = false
  /** Until `close`, `abort` or the far end's end. */
  #writable = true
  #endDelivered = false
  #closed = false
  #closeError: PlaitError | undefined

  constructor(timers: Timers, facts: Pick<Link, 'remoteId' | 'binding' | 'dialled' | 'remoteAddress'>) {
    this.#timers = timers
    this.remoteId = facts.remoteId
    this.binding = facts.binding
    this.dialled = facts.dialled
    this.remoteAddress = facts.remoteAddress
  }

  join(far: MemoryLink): void {
    this.#far = far
  }

  get pendingBytes(): number {
    return this.#pendingBytes
  }

  attach(handlers: LinkHandlers): void {
    assert(this.#handlers === undefined, 'a link has handlers already')
    this.#handlers = handlers
    if (this.#closed) this.#tellClosed(handlers)
    this.#schedule()
    if (this.#far !== undefined) this.#far.#schedule()
  }

  write(chunks: readonly Uint8Array[]): void {
    if (!this.#writable) return
    for (const chunk of chunks) {
      if (chunk.length === 0) continue
      this.#written.push(chunk)
      this.#pendingBytes += chunk.length
    }
    this.#schedule()
  }

  close(): void {
    if (!this.#writable) return
    this.#writable = false
    this.#schedule()
  }

  abort(reason?: PlaitError): void {
    if (this.#closed) return
    const far = this.#far
    this.#finish(reason ?? new PlaitError('ABORTED', 'this end has aborted the link'))
    if (far === undefined) return
    far.#finish(
      new PlaitError('LINK_LOST', `the connection to ${this.remoteAddress} was lost`, {
        facts: { address: this.remoteAddress },
      }),
    )
  }

  #schedule(): void {
    if (this.#scheduled || this.#closed) return
    this.#scheduled = true
    this.#timers.endOfTurn(() => {
      this.#scheduled = false
      this.#deliver()
    })
  }

  /** To a far end that has no handlers yet nothing is delivered; its `attach` comes back to it. */
  #deliver(): void {
    const far = this.#far
    if (far === undefined || this.#closed) return
    const handlers = far.#handlers
    if (handlers === undefined) return
    const present = this.#written.length
    let delivered = 0
    for (; delivered < present && !this.#closed; delivered += 1) {
      const chunk = this.#written.shift()!
      this.#pendingBytes -= chunk.length
      handlers.data(chunk)
    }
    if (delivered > 0 && !this.#closed) this.#handlers?.drain()
    if (!this.#closed && !this.#writable && this.#written.length === 0) this.#deliverEnd(far)
  }

  #deliverEnd(far: MemoryLink): void {
    if (this.#endDelivered) return
    this.#endDelivered = true
    far.close()
    if (!far.#endDelivered) return far.#schedule()
    this.#finish()
    far.#finish()
  }

  /** Dropped at once; told at the end of the turn, as a socket would. */
  #finish(error?: PlaitError): void {
    if (this.#closed) return
    this.#closed = true
    this.#writable = false
    this.#far = undefined
    this.#written.clear()
    this.#pendingBytes = 0
    this.#closeError = error
    if (this.#handlers !== undefined) this.#tellClosed(this.#handlers)
  }

  #tellClosed(handlers: LinkHandlers): void {
    this.#timers.endOfTurn(() => handlers.close(this.#closeError))
  }
}
