import type { Socket } from 'node:net'
import { connect, TLSSocket, type SecureContext } from 'node:tls'
import { PlaitError } from '../../base/error.ts'
import type { Limits } from '../../base/limits.ts'
import type { NodeId } from '../../identity/node-id.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Timer, Timers } from '../../runtime/timers.ts'
import { addressGroup, formatHostPort } from '../address.ts'
import type { LinkAddress } from '../link.ts'
import { applicationProtocol } from './credentials.ts'
import { proveRemote, type RemoteProof } from './remote-proof.ts'
import { handshakeError, type Role } from './socket-error.ts'
import { resetSocket, TlsLink } from './tls-link.ts'
import type { Beginner, Turns } from './turns.ts'

/** The most that may come before this end has said anything: a dialler's hello is less than 1 KiB. */
const earlyBytesMax = 16 * 1024

export interface HandshakeOptions {
  readonly credentials: SecureContext
  readonly limits: Pick<Limits, 'handshakeTimeoutMs' | 'closeTimeoutMs'>
  readonly timers: Timers
  /** Of the links that come of it and of others. */
  readonly turns: Turns
  /** Measures how long it took; without it that counts as no time. */
  readonly clock?: Clock | undefined
  /** The other end. */
  readonly remote: LinkAddress
  /** Reads into buffers that Node makes, one for each read, even where the fixed one is to be had: to compare them. */
  readonly freshReads?: boolean | undefined
  /** Who must answer; only when dialling. */
  readonly remoteId?: NodeId
}

/** One connection on its way to being a link: it becomes one or fails, once, and before its deadline. */
export class Handshake implements Beginner {
  /** Rejects with a `PlaitError`, or what `abort` was given. */
  readonly link: Promise<TlsLink>
  readonly #raw: Socket
  readonly #role: Role
  readonly #options: HandshakeOptions
  readonly #deadline: Timer
  readonly #startedAt: number
  #socket: TLSSocket | undefined
  #settled = false
  #resolve!: (link: TlsLink) => void
  #reject!: (reason: unknown) => void

  /** A dialled socket may still be connecting; the deadline counts from here. */
  constructor(raw: Socket, role: Role, options: HandshakeOptions) {
    this.#raw = raw
    this.#role = role
    this.#options = options
    this.#startedAt = options.clock?.now() ?? 0
    this.link = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    this.#deadline = options.timers.after(options.limits.handshakeTimeoutMs, () => this.abort(this.#tooLate()))
    raw.on('error', (error) => this.#fail(error))
    // What is read before TLS begins leaves it with a small buffer for good, which costs a fifth more with all that is read after.
    if (role === 'accept' && !options.turns.admit()) this.#await()
    else if (raw.connecting) raw.once('connect', () => this.begin())
    else this.begin()
  }

  /** Destroys the connection and rejects with `reason`, unless it is settled. */
  abort(reason: unknown): void {
    if (this.#settled) return
    this.#settle()
    resetSocket(this.#raw)
    this.#reject(reason)
  }

  /** Begins with TLS. Who accepts has been told to, in a turn that has time for it. */
  begin(): void {
    if (this.#settled) return
    const { credentials } = this.#options
    const common = { secureContext: credentials, rejectUnauthorized: false, ALPNProtocols: [applicationProtocol] }
    if (this.#role === 'dial') {
      // An empty server name keeps the host's name out of the clear.
      this.#socket = connect({ ...common, socket: this.#raw, servername: '', checkServerIdentity: () => undefined })
      this.#socket.once('secureConnect', () => this.#prove())
    } else {
      this.#socket = new TLSSocket(this.#raw, { ...common, isServer: true, requestCert: true })
      this.#socket.once('secure', () => this.#prove())
    }
    this.#socket.on('error', (error) => this.#fail(error))
    this.#socket.on('close', () => this.#fail(hungUpEarly()))
  }

  /** Who says nothing costs nothing; whoever has said something waits for a turn of its address. */
  #await(): void {
    const raw = this.#raw
    raw.once('close', () => {
      if (this.#socket === undefined) this.#fail(hungUpEarly())
    })
    raw.once('readable', () => {
      if (this.#settled) return
      if (raw.readableLength === 0) this.#fail(hungUpEarly())
      else if (raw.readableLength > earlyBytesMax) this.#fail(tooMuch(this.#address()))
      else this.#options.turns.queue(this.#group(), this)
    })
  }

  #prove(): void {
    if (this.#settled) return
    let proof: RemoteProof
    try {
      proof = proveRemote(this.#socket!)
      if (this.#role === 'dial' && proof.remoteId !== this.#options.remoteId) throw this.#wrongKey(proof.remoteId)
    } catch (error) {
      const invalidKey = PlaitError.is(error) && error.code === 'INVALID_KEY'
      this.#fail(
        this.#role === 'dial' && invalidKey ? this.#wrongKey(String(error.facts['found'] ?? 'unusable'), error) : error,
      )
      return
    }
    this.#settle()
    this.#resolve(
      new TlsLink({
        raw: this.#raw,
        socket: this.#socket!,
        proof,
        dialled: this.#role === 'dial',
        remoteAddress: this.#address(),
        freshReads: this.#options.freshReads ?? false,
        elapsedMs: (this.#options.clock?.now() ?? 0) - this.#startedAt,
        timers: this.#options.timers,
        clock: this.#options.clock,
        turns: this.#options.turns,
        closeTimeoutMs: this.#options.limits.closeTimeoutMs,
      }),
    )
  }

  #fail(error: unknown): void {
    this.abort(handshakeError(error, this.#role, this.#options.remote))
  }

  #address(): string {
    return formatHostPort(this.#options.remote.host, this.#options.remote.port)
  }

  /** What limits for each address count by. */
  #group(): string {
    return addressGroup(this.#options.remote.host)
  }

  #settle(): void {
    this.#settled = true
    this.#deadline.cancel()
    if (this.#role === 'accept') this.#options.turns.forget(this.#group(), this)
  }

  #tooLate(): PlaitError {
    const { remote, limits } = this.#options
    if (this.#raw.connecting)
      return handshakeError(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' }), 'dial', remote)
    const address = this.#address()
    return new PlaitError(
      'HANDSHAKE_TIMEOUT',
      `${address} did not finish the handshake in ${limits.handshakeTimeoutMs} ms; check that it is a plait node`,
      {
        facts: { address, timeoutMs: limits.handshakeTimeoutMs },
      },
    )
  }

  #wrongKey(found: string, cause?: unknown): PlaitError {
    const address = this.#address()
    return new PlaitError(
      'WRONG_KEY',
      `at ${address} another node answered than the one that was dialled; ask its owner for the present address`,
      {
        cause,
        facts: { address, expected: this.#options.remoteId ?? 'none', found },
      },
    )
  }
}

function tooMuch(address: string): PlaitError {
  const what = `${address} sent more than ${earlyBytesMax} bytes before it was answered; check that it is a plait node`
  return new PlaitError('PROTOCOL', what, { facts: { address, limit: earlyBytesMax } })
}

function hungUpEarly(): Error {
  return Object.assign(new Error('hung up'), { code: 'ECONNRESET' })
}
