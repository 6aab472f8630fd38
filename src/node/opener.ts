import { PlaitError } from '../base/error.ts'
import type { Circuit } from '../circuit/circuit-api.ts'
import type { ChannelCircuit } from '../circuit/circuit.ts'
import { openKinds } from '../circuit/open.ts'
import type { NodeId } from '../identity/node-id.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { FragmentFields } from '../wire/fragment.ts'
import type { Connection } from './connection.ts'
import type { Connections } from './connections.ts'
import type { OpenOptions } from './node-api.ts'
import { Seat } from './seat.ts'
import type { SeatPeer } from './seat.ts'
import { parseUrl } from './url.ts'
import type { PeerUrl } from './url.ts'
import { Waiter } from './waiter.ts'

/** The peer from which a circuit is opened. */
export interface Source extends SeatPeer {
  readonly name: string
  readonly id: string
  /** Fires when the peer is closed: nothing is opened from it any more. */
  readonly signal: AbortSignal
  /** The request is on its way. */
  opening(circuit: Circuit, remoteId: NodeId): void
  /** The other side has accepted. */
  opened(circuit: Circuit): void
}

export interface OpenerOptions {
  readonly connections: Connections
  readonly runtime: Runtime
  readonly dialTimeoutMs: number
}

/** Opens circuits to peers of other nodes. */
export class Opener {
  readonly #options: OpenerOptions
  #last: { readonly text: string; readonly target: PeerUrl } | undefined

  constructor(options: OpenerOptions) {
    this.#options = options
  }

  /** Opens a circuit from `source`; resolves when it is accepted. */
  open(source: Source, url: string, first: FragmentFields | undefined, options: OpenOptions): Promise<Circuit> {
    return this.#request(source, url, undefined, first, options)
  }

  /** Starts an instance of a service; resolves to its URL. */
  async start(address: string, service: string, options: OpenOptions): Promise<string> {
    const circuit = await this.#request(undefined, address, service, undefined, options)
    void circuit.close()
    return circuit.remote
  }

  /** Asks for a circuit from `source` to what `url` names, or for an instance of `started` at the node that it names. */
  async #request(
    source: Source | undefined,
    url: string,
    started: string | undefined,
    first: FragmentFields | undefined,
    options: OpenOptions,
  ): Promise<Circuit> {
    const { signal, timeoutMs, version } = options
    checkOptions(timeoutMs, version)
    if (source?.signal.aborted === true) throw source.signal.reason
    signal?.throwIfAborted()
    const target = this.#parse(url)
    const service = started === undefined ? target.service : started
    if (service === undefined) throw new PlaitError('INVALID_ADDRESS', `${url} names no service: add /SERVICE`)
    if (started !== undefined && target.service !== undefined) throw alreadyNamed(url)
    const startedAt = this.#options.runtime.clock.now()
    const connection =
      this.#options.connections.session(target.nodeId) ?? (await this.#connect(target, startedAt, options))
    const circuit = connection.open(
      new Seat(connection, source),
      {
        kind: started === undefined ? openKinds.circuit : openKinds.start,
        service,
        peerId: target.peerId ?? '',
        version: version ?? 0,
        sourceService: source === undefined ? '' : source.name,
        sourcePeerId: source === undefined ? '' : source.id,
      },
      first,
    )
    source?.opening(circuit, connection.remoteId)
    if (signal === undefined && timeoutMs === undefined) await circuit.opened()
    else await this.#accepted(circuit, startedAt, timeoutMs, signal)
    source?.opened(circuit)
    return circuit
  }

  /** Who opens many circuits opens them to the same peer: reading its URL costs as much as all the rest. */
  #parse(url: string): PeerUrl {
    if (this.#last?.text !== url) this.#last = { text: url, target: parseUrl(url) }
    return this.#last.target
  }

  /** A session that can be used now. Those who wait for a dial are called some microtasks later, and much may have happened. */
  async #connect(target: PeerUrl, startedAt: number, options: OpenOptions): Promise<Connection> {
    const { connections, runtime, dialTimeoutMs } = this.#options
    const endAt = startedAt + (options.timeoutMs ?? dialTimeoutMs)
    for (;;) {
      const remainingMs = Math.max(0, endAt - runtime.clock.now())
      const connection = await connections.connect(target, remainingMs, options.signal)
      options.signal?.throwIfAborted()
      if (connection.live) return connection
    }
  }

  /** Waits for the answer; a circuit that nobody waits for any more is ended at both sides. */
  async #accepted(
    circuit: ChannelCircuit,
    startedAt: number,
    timeoutMs: number | undefined,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { clock, timers } = this.#options.runtime
    const waiter = new Waiter<void>({
      timers,
      signal,
      timeoutMs: timeoutMs === undefined ? undefined : Math.max(0, startedAt + timeoutMs - clock.now()),
      timeout: () =>
        new PlaitError('TIMEOUT', `${circuit.remote} has not accepted the circuit within ${timeoutMs} ms`, {
          facts: { timeoutMs: timeoutMs ?? 0 },
        }),
    })
    circuit.opened().then(
      () => waiter.resolve(),
      (error: unknown) => waiter.reject(error),
    )
    try {
      await waiter.promise
    } catch (error) {
      circuit.abort(error)
      throw error
    }
  }
}

function checkOptions(timeoutMs: number | undefined, version: number | undefined): void {
  if (timeoutMs !== undefined && !(timeoutMs >= 0 && timeoutMs <= 2 ** 31 - 1)) {
    throw new PlaitError('INVALID_ARGUMENT', `timeoutMs is ${timeoutMs}; it must be from 0 to 2147483647`)
  }
  if (version !== undefined && !(Number.isSafeInteger(version) && version > 0)) {
    throw new PlaitError('INVALID_ARGUMENT', `version is ${version}; it must be a whole number above 0`)
  }
}

function alreadyNamed(address: string): PlaitError {
  return new PlaitError(
    'INVALID_ADDRESS',
    `${address} names a service already: give the address of the node, plait://NODEID@HOST:PORT`,
  )
}
