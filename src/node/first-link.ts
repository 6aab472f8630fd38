import { PlaitError } from '../base/error.ts'
import type { Link, LinkAddress } from '../link/link.ts'
import type { Timer, Timers } from '../runtime/timers.ts'

/** How long an address may be silent before the next one is tried beside it (RFC 8305, section 5). */
const staggerMs = 250

export interface FirstLinkOptions {
  readonly dial: (address: LinkAddress, signal: AbortSignal) => Promise<Link>
  readonly timers: Timers
  readonly signal: AbortSignal
}

export type FirstLinkResult =
  | { readonly link: Link; readonly address: LinkAddress }
  | { readonly failures: readonly { readonly address: LinkAddress; readonly error: unknown }[] }

/**
 * Tries the addresses in order, one more whenever one has failed or has been silent for a while. The first link wins, and the
 * other attempts are given up. Never rejects: without a link the failures of all addresses, or up to the abort, come back.
 */
export async function firstLink(
  addresses: readonly LinkAddress[],
  options: FirstLinkOptions,
): Promise<FirstLinkResult> {
  const race = new Race(addresses, options)
  const giveUp = (): void => race.giveUp()
  options.signal.addEventListener('abort', giveUp)
  try {
    return await race.result
  } finally {
    options.signal.removeEventListener('abort', giveUp)
  }
}

class Race {
  readonly result: Promise<FirstLinkResult>
  readonly #addresses: readonly LinkAddress[]
  readonly #options: FirstLinkOptions
  readonly #failures: { address: LinkAddress; error: unknown }[] = []
  readonly #attempts = new Set<AbortController>()
  #next = 0
  #timer: Timer | undefined
  #settle: ((result: FirstLinkResult) => void) | undefined

  constructor(addresses: readonly LinkAddress[], options: FirstLinkOptions) {
    this.#addresses = addresses
    this.#options = options
    this.result = new Promise((resolve) => {
      this.#settle = resolve
    })
    if (options.signal.aborted) this.giveUp()
    else this.#tryNext()
  }

  giveUp(): void {
    this.#end({ failures: this.#failures })
  }

  #tryNext(): void {
    this.#timer?.cancel()
    const address = this.#addresses[this.#next]
    if (address === undefined) {
      if (this.#attempts.size === 0) this.giveUp()
      return
    }
    this.#next += 1
    void this.#attempt(address)
    if (this.#next < this.#addresses.length) this.#timer = this.#options.timers.after(staggerMs, () => this.#tryNext())
  }

  async #attempt(address: LinkAddress): Promise<void> {
    const attempt = new AbortController()
    this.#attempts.add(attempt)
    try {
      const link = await this.#options.dial(address, attempt.signal)
      this.#attempts.delete(attempt)
      if (this.#settle === undefined) link.abort()
      else this.#end({ link, address })
    } catch (error) {
      this.#attempts.delete(attempt)
      if (this.#settle === undefined) return
      this.#failures.push({ address, error })
      this.#tryNext()
    }
  }

  #end(result: FirstLinkResult): void {
    const settle = this.#settle
    if (settle === undefined) return
    this.#settle = undefined
    this.#timer?.cancel()
    const reason = new PlaitError('UNREACHABLE', 'given up: another address has answered, or nobody waits any more')
    for (const attempt of this.#attempts) attempt.abort(reason)
    settle(result)
  }
}
