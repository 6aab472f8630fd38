import { PlaitError } from '../base/error.ts'
import type { ErrorCode } from '../base/error.ts'
import type { NodeId } from '../identity/node-id.ts'
import type { Link, LinkAddress } from '../link/link.ts'
import type { Random } from '../runtime/random.ts'
import type { Timers } from '../runtime/timers.ts'
import { Backoff } from './backoff.ts'
import { firstLink } from './first-link.ts'
import type { KnownAddresses } from './known-addresses.ts'
import { sameAddress } from './known-addresses.ts'
import { formatAddress } from './url.ts'
import { pause, Waiter } from './waiter.ts'

/** After these another attempt would end the same way. Everything else is tried again until those who wait give up. */
const finalCodes: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'WRONG_KEY',
  'WRONG_NETWORK',
  'VERSION_MISMATCH',
  'SELF_DIAL',
  'TOO_MANY_SESSIONS',
  'PROTOCOL',
  'INVALID_KEY',
  'INVALID_ARGUMENT',
  'NODE_CLOSED',
])

export interface DialOptions<Connected> {
  readonly remoteId: NodeId
  readonly link: (address: LinkAddress, signal: AbortSignal) => Promise<Link>
  /** Says hello over a fresh link; resolves when both sides are ready. */
  readonly greet: (link: Link, address: LinkAddress) => Promise<Connected>
  readonly known: KnownAddresses
  readonly timers: Timers
  readonly random: Random
  /** Called once when it is over. */
  readonly ended: () => void
}

/** The one attempt to reach a node, shared by all who want to: goes on, with growing pauses, for as long as somebody waits. */
export class Dial<Connected> {
  readonly #options: DialOptions<Connected>
  readonly #addresses: LinkAddress[] = []
  readonly #finalErrorByAddress = new Map<string, PlaitError>()
  readonly #waiters = new Set<Waiter<Connected>>()
  readonly #controller = new AbortController()
  #lastError: PlaitError | undefined
  #over = false

  constructor(options: DialOptions<Connected>) {
    this.#options = options
  }

  /** Where the node may be found; what is new is tried after what is known. */
  add(addresses: readonly LinkAddress[]): void {
    for (const address of addresses) {
      if (!this.#addresses.some((other) => sameAddress(other, address))) this.#addresses.push(address)
    }
  }

  /** Resolves when the node is reached; rejects with a final error, `UNREACHABLE` after `timeoutMs`, or the signal's reason. */
  wait(timeoutMs: number, signal: AbortSignal | undefined): Promise<Connected> {
    const idle = this.#waiters.size === 0
    const { timers } = this.#options
    const waiter = new Waiter<Connected>({
      timers,
      signal,
      timeoutMs,
      timeout: () => this.#unreachable(timeoutMs),
      ended: () => this.#left(waiter),
    })
    this.#waiters.add(waiter)
    if (idle) void this.#run()
    return waiter.promise
  }

  /** The node has been reached, by this dial or by its own. */
  succeed(connected: Connected): void {
    this.#finish((waiter) => waiter.resolve(connected))
  }

  fail(error: PlaitError): void {
    this.#finish((waiter) => waiter.reject(error))
  }

  async #run(): Promise<void> {
    const { timers, random } = this.#options
    const backoff = new Backoff(random)
    for (;;) {
      const error = await this.#attempt()
      if (this.#over || error === undefined) return
      this.#lastError = error
      if (finalCodes.has(error.code)) {
        this.fail(error)
        return
      }
      await pause(backoff.next(), timers, this.#controller.signal).catch(() => {})
      if (this.#over) return
    }
  }

  /** One round over all addresses; undefined when it has led to a session. */
  async #attempt(): Promise<PlaitError | undefined> {
    const { remoteId, known, link: dial, timers, greet } = this.#options
    const open = this.#addresses.filter((address) => !this.#finalErrorByAddress.has(formatAddress(address)))
    const result = await firstLink(known.order(remoteId, open), { dial, timers, signal: this.#controller.signal })
    if ('failures' in result) return this.#failure(result.failures)
    try {
      await greet(result.link, result.address)
      return undefined
    } catch (error) {
      return PlaitError.from(error, 'PROTOCOL')
    }
  }

  /** What to make of a round without a link: final only when every address is. */
  #failure(failures: readonly { readonly address: LinkAddress; readonly error: unknown }[]): PlaitError {
    let again: PlaitError | undefined
    for (const { address, error } of failures) {
      const typed = PlaitError.from(error, 'UNREACHABLE')
      if (finalCodes.has(typed.code)) this.#finalErrorByAddress.set(formatAddress(address), typed)
      else again = typed
    }
    if (again !== undefined) return again
    const [final] = this.#finalErrorByAddress.values()
    return final ?? new PlaitError('UNREACHABLE', `no address of ${this.#options.remoteId} is known`)
  }

  #unreachable(timeoutMs: number): PlaitError {
    const where = this.#addresses.map(formatAddress).join(', ')
    const why = this.#lastError === undefined ? 'no answer' : this.#lastError.message
    const message = `${this.#options.remoteId} could not be reached at ${where} within ${Math.round(timeoutMs)} ms (${why}): check the address, and that it is running`
    return new PlaitError('UNREACHABLE', message, { cause: this.#lastError, facts: { timeoutMs } })
  }

  #left(waiter: Waiter<Connected>): void {
    this.#waiters.delete(waiter)
    if (this.#waiters.size === 0) this.#finish(() => {})
  }

  #finish(settle: (waiter: Waiter<Connected>) => void): void {
    if (this.#over) return
    this.#over = true
    this.#controller.abort(new PlaitError('UNREACHABLE', 'nobody waits for this node any more'))
    for (const waiter of [...this.#waiters]) settle(waiter)
    this.#options.ended()
  }
}
