import { PlaitError } from '../base/error.ts'
import type { DialOptions, Link, LinkAddress } from '../link/link.ts'
import type { SeededRandom } from '../runtime/simulated/random.ts'
import type { Scheduler } from '../runtime/simulated/scheduler.ts'
import { drawConditions, Path, type PathConditions } from './path.ts'
import type { PipeParts } from './pipe.ts'
import type { Host, Process } from './process.ts'
import { SimulatedLink } from './simulated-link.ts'
import type { Trace } from './trace.ts'

export interface NetworkParts {
  readonly scheduler: Scheduler
  readonly random: SeededRandom
  readonly trace: Trace
  readonly violation: (text: string) => void
  /** Fixed conditions for every way instead of drawn ones. */
  readonly conditions?: Partial<PathConditions>
}

/** After so long without an answer a dial gives up by itself. */
const dialTimeoutMs = 20_000

/** A packet to a machine that is off is sent again after this. */
const retransmitMs = 1_000

/** What is lent in one call at most, as when Node reads a socket. */
const slabBytes = 64 * 1024

/** One connection attempt. */
interface Dial {
  readonly from: Process
  readonly address: LinkAddress
  readonly options: DialOptions
  readonly resolve: (link: Link) => void
  readonly reject: (error: unknown) => void
  isSettled: boolean
}

/** All hosts, the ways between them, and the links that are open. */
export class Network {
  readonly hosts: Host[] = []
  readonly links: Set<readonly [SimulatedLink, SimulatedLink]> = new Set()
  readonly #parts: NetworkParts
  readonly #pathsByPair = new Map<number, Path>()
  readonly #slab = new Uint8Array(slabBytes)
  #linkCount = 0

  constructor(parts: NetworkParts) {
    this.#parts = parts
  }

  /** The way between two hosts, drawn when it is first asked for. */
  path(one: Host, other: Host): Path {
    const pair = Math.min(one.number, other.number) * 65_536 + Math.max(one.number, other.number)
    let path = this.#pathsByPair.get(pair)
    if (path === undefined) {
      const random = this.#parts.random.fork(`path ${pair}`)
      const conditions = { ...drawConditions(random), ...this.#parts.conditions }
      path = new Path(this.#parts.scheduler, random, conditions)
      this.#pathsByPair.set(pair, path)
    }
    return path
  }

  /** Links between two hosts that are open at both ends. */
  between(one: Host, other: Host): (readonly [SimulatedLink, SimulatedLink])[] {
    return [...this.links].filter(([dialler, listener]) => {
      const ends = [dialler.process.host, listener.process.host]
      return ends.includes(one) && ends.includes(other) && !dialler.isClosed && !listener.isClosed
    })
  }

  dial(from: Process, address: LinkAddress, options: DialOptions): Promise<Link> {
    return new Promise((resolve, reject) => {
      const { signal } = options
      const onAbort = (): void => settle(() => reject(signal?.reason))
      const dial: Dial = {
        from,
        address,
        options,
        isSettled: false,
        resolve: (link) => settle(() => resolve(link)),
        reject: (error) => settle(() => reject(error)),
      }
      const settle = (outcome: () => void): void => {
        if (dial.isSettled) return
        dial.isSettled = true
        signal?.removeEventListener('abort', onAbort)
        timeout.cancel()
        if (!from.scope.ended) outcome()
      }
      const timeout = this.#parts.scheduler.at(
        this.#parts.scheduler.now + dialTimeoutMs,
        () => dial.reject(unreachable(address, 'nothing answers')),
        from.scope,
      )
      if (signal?.aborted === true) return onAbort()
      signal?.addEventListener('abort', onAbort)
      this.#record(from, 'dial')
      this.#knock(dial)
    })
  }

  /** A process is gone. `tells`: its operating system resets its links. */
  drop(process: Process, tells: boolean): void {
    for (const link of process.links) link.drop(tells)
    process.acceptsByPort.clear()
  }

  /** The first packet, and the answer of the other machine. */
  #knock(dial: Dial): void {
    const target = this.hosts.find(({ address }) => address === dial.address.host)
    if (target === undefined || target === dial.from.host) {
      const why = target === undefined ? 'there is no such host' : 'a host cannot reach itself here'
      this.#parts.scheduler.at(this.#parts.scheduler.now, () => dial.reject(unreachable(dial.address, why)))
      return
    }
    const path = this.path(dial.from.host, target)
    path.carry(() => {
      if (dial.isSettled || dial.from.scope.ended) return
      const { process } = target
      if (!target.isPowered) this.#parts.scheduler.at(this.#parts.scheduler.now + retransmitMs, () => this.#knock(dial))
      else if (process?.acceptsByPort.has(dial.address.port) !== true) this.#refuse(path, dial)
      else path.carry(() => this.#greet(path, dial, process))
    })
  }

  /** The handshake: the dialler has learnt who it talks to. */
  #greet(path: Path, dial: Dial, target: Process): void {
    if (dial.isSettled || dial.from.scope.ended) return
    if (target.host.identity.id !== dial.options.remoteId) {
      dial.reject(
        new PlaitError(
          'WRONG_KEY',
          `${formatAddress(dial.address)} is ${target.host.identity.id}, not ${dial.options.remoteId}`,
        ),
      )
      return
    }
    path.carry(() => {
      if (dial.isSettled || dial.from.scope.ended) return
      const accept = target.acceptsByPort.get(dial.address.port)
      if (accept === undefined || target.scope.ended) return this.#refuse(path, dial)
      const [near, far] = this.#connect(path, dial, target)
      this.#record(target, 'accepted', far.number)
      accept(far)
      path.carry(() => {
        if (dial.isSettled) return near.abort()
        this.#record(dial.from, 'dialled', near.number)
        dial.resolve(near)
      })
    })
  }

  #refuse(path: Path, dial: Dial): void {
    path.carry(() => dial.reject(unreachable(dial.address, 'the connection was refused')))
  }

  #connect(path: Path, dial: Dial, target: Process): readonly [SimulatedLink, SimulatedLink] {
    const link = (this.#linkCount += 1)
    const random = this.#parts.random.fork(`link ${link}`)
    const binding = random.bytes(32)
    const pipe = (source: Process): PipeParts => {
      const { scheduler, trace, violation } = this.#parts
      return { scheduler, trace, violation, random, path, slab: this.#slab, link, source: source.host.number }
    }
    const { from, address } = dial
    const nearEnd = {
      process: from,
      remoteId: target.host.identity.id,
      remoteAddress: formatAddress(address),
      dialled: true,
    }
    const farAddress = `${from.host.address}:${40_000 + (link % 20_000)}`
    const farEnd = { process: target, remoteId: from.host.identity.id, remoteAddress: farAddress, dialled: false }
    const ends = [
      new SimulatedLink(pipe(from), { ...nearEnd, binding: binding.slice() }),
      new SimulatedLink(pipe(target), { ...farEnd, binding: binding.slice() }),
    ] as const
    SimulatedLink.join(...ends)
    this.#sweep()
    this.links.add(ends)
    for (const end of ends) end.process.links.add(end)
    return ends
  }

  /** Forgets links that are closed at both ends. */
  #sweep(): void {
    for (const ends of this.links) {
      if (!ends.every((end) => end.isClosed)) continue
      this.links.delete(ends)
      for (const end of ends) end.process.links.delete(end)
    }
  }

  #record(process: Process, kind: 'dial' | 'dialled' | 'accepted', link = 0): void {
    this.#parts.trace.record(this.#parts.scheduler.now, process.host.number, kind, link)
  }
}

function unreachable(address: LinkAddress, why: string): PlaitError {
  return new PlaitError('UNREACHABLE', `cannot reach ${formatAddress(address)}: ${why}`)
}

function formatAddress(address: LinkAddress): string {
  return `${address.host}:${address.port}`
}
