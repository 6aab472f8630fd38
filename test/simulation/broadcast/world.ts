import { createHash } from 'node:crypto'
import { PlaitError } from '../../../src/base/error.ts'
import { postsOf, type Batch } from '../../../src/broadcast/batch.ts'
import { broadcastOps } from '../../../src/broadcast/messages.ts'
import { keyOf } from '../../../src/broadcast/spread/archive.ts'
import type { SpreadReport } from '../../../src/broadcast/spread/task.ts'
import { identityFromPrivateKey, privateKeyFromSeed, type Identity } from '../../../src/identity/identity.ts'
import type { NodeId } from '../../../src/identity/node-id.ts'
import { verify } from '../../../src/identity/signature.ts'
import { CountingProbe } from '../../../src/runtime/simulated/probe.ts'
import { SeededRandom } from '../../../src/runtime/simulated/random.ts'
import { Trace } from '../../../src/testing/trace.ts'
import { Network, type Observer, type Site, type SiteOptions } from '../../broadcast/network.ts'
import { Ledger, type Entry } from './ledger.ts'
import { drawProfile, type Profile } from './profile.ts'
import { broadcastWorldMarks, type BroadcastWorldMark } from './world-marks.ts'

/** Members on a network, what has become of them, and all that must never happen and has. */
export class BroadcastWorld implements Observer {
  readonly profile: Profile
  readonly random: SeededRandom
  readonly net: Network
  readonly ledger: Ledger
  readonly trace: Trace
  readonly violations: string[] = []
  readonly probe: CountingProbe = new CountingProbe()
  readonly marks: Map<BroadcastWorldMark, number> = new Map(broadcastWorldMarks.map((mark) => [mark, 0]))
  /** Every process that there was. */
  readonly sites: Site[] = []
  /** Whose word nobody has to take. */
  villain: Site | undefined
  /** What it hears. */
  overhear: ((from: NodeId, op: number, payload: Uint8Array) => void) | undefined
  deliveries = 0
  faults = 0
  readonly #numbersById = new Map<NodeId, number>()
  readonly #garbage = new Set<string>()

  constructor(seed: number, print?: (line: string) => void) {
    this.random = new SeededRandom(`broadcast ${seed}`)
    this.profile = drawProfile(seed, this.random.fork('profile'))
    this.ledger = new Ledger(this.profile.settings.viewMembersMax !== undefined)
    this.trace = new Trace(print)
    const { latencyMs, loss, settings, hasRealSignatures } = this.profile
    this.net = new Network({
      ...{ seed, latencyMs, loss, settings, probe: this.probe, observer: this },
      ...(hasRealSignatures ? { signatures: { identity: realIdentity, verify } } : {}),
    })
  }

  get now(): number {
    return this.net.now
  }

  /** Processes that run and have not left. */
  get live(): readonly Site[] {
    return [...this.net.sitesById.values()].filter(({ state }) => state === 'up')
  }

  get honest(): readonly Site[] {
    return this.live.filter((site) => site !== this.villain && site.manner === 'honest')
  }

  /** Those who may be the author of something that has to arrive. */
  get authors(): readonly Site[] {
    return this.live.filter((site) => site !== this.villain)
  }

  start(identity: Identity, options: SiteOptions): Site {
    const site = this.net.add(identity, options)
    this.sites.push(site)
    this.ledger.joinedAtBySite.set(site, this.now)
    this.trace.record(this.now, this.#numberOf(site.id), 'start', options.epoch ?? 0)
    return site
  }

  mark(label: BroadcastWorldMark): void {
    this.marks.set(label, (this.marks.get(label) ?? 0) + 1)
  }

  fault(what: string, id: NodeId): void {
    this.faults += 1
    this.trace.record(this.now, this.#numberOf(id), 'fault', this.faults)
    this.trace.text(what)
  }

  violate(what: string): void {
    this.violations.push(`${this.now.toFixed(3)} ms: ${what}`)
  }

  /** Its author is told what has become of what it has published. */
  reported(entry: Entry, report: SpreadReport): void {
    entry.report = report
    if (report.missing > 0) this.mark('report with somebody unreached')
    const { reachedIds, id, text } = entry
    const isBelievable = this.villain === undefined && this.sites.every(({ manner }) => manner === 'honest')
    if (isBelievable && report.reached > reachedIds.size)
      this.violate(
        `${this.nameOf(id.author)} hears that ${report.reached} have message ${parseInt(text, 10)}, and ${reachedIds.size} have`,
      )
  }

  /** Something that is nobody's batch is sent under an id that may come to be one. */
  noteGarbage(key: string): void {
    if (!this.ledger.entriesByKey.has(key)) this.#garbage.add(key)
  }

  /** By which a member is called in what is printed. */
  nameOf(id: NodeId): string {
    return `member ${this.#numberOf(id)}`
  }

  sent(from: Site, to: NodeId, op: number, payload: Uint8Array): void {
    this.trace.record(this.now, this.#numberOf(from.id), 'write', (op << 16) | this.#numberOf(to))
    this.trace.bytes(payload)
  }

  arrived(to: Site, from: NodeId, op: number, payload: Uint8Array): void {
    this.trace.record(this.now, this.#numberOf(to.id), 'data', (op << 16) | this.#numberOf(from))
    this.trace.bytes(payload)
    if (op === broadcastOps.relay && to.manner === 'idle') this.mark('taken and not handed on')
    if (op === broadcastOps.relay && to.manner === 'stalling') this.mark('stalled')
    if (to === this.villain) this.overhear?.(from, op, payload)
  }

  thrown(site: Site, error: unknown, from: NodeId | undefined): void {
    const isTyped = PlaitError.is(error) && (error.code === 'PROTOCOL' || error.code === 'LIMIT')
    if (!isTyped || from === undefined || from !== this.villain?.id) {
      const text = error instanceof Error ? `${error.message} ${error.stack ?? ''}` : String(error)
      this.violate(`${this.nameOf(site.id)} has thrown ${text}`)
      return
    }
    this.mark('hostile bytes refused')
    // The circuit is cut.
    const { villain } = this
    this.net.scheduler.at(this.now, () => site.failed(from))
    this.net.scheduler.at(this.now, () => villain?.failed(site.id))
  }

  delivered(site: Site, batch: Batch): void {
    const key = keyOf(batch)
    const name = this.nameOf(site.id)
    this.trace.record(this.now, this.#numberOf(site.id), 'note', batch.counter)
    const times = site.deliveriesByKey.get(key)?.length ?? 0
    if (times !== 1) this.violate(`${name} got ${this.#describe(batch)} ${times} times`)
    if (batch.author === this.villain?.id) return
    this.deliveries += 1
    const entry = this.ledger.entriesByKey.get(key)
    if (entry === undefined) {
      this.violate(`${name} got ${this.#describe(batch)}, which was never published`)
      return
    }
    entry.reachedIds.add(site.id)
    const text = postsOf(batch)
      .map(({ payload }) => new TextDecoder().decode(payload))
      .join()
    if (text !== entry.text) this.violate(`${name} got ${this.#describe(batch)} as something else`)
    if (entry.to !== undefined && !entry.to.includes(site.id))
      this.violate(`${name} got ${this.#describe(batch)}, which was for others`)
    if (this.#garbage.has(key)) this.mark('garbage came before what it pretended to be')
  }

  #describe({ author, epoch, counter }: Batch): string {
    return `${counter} of ${this.nameOf(author)} in epoch ${epoch}`
  }

  #numberOf(id: NodeId): number {
    const number = this.#numbersById.get(id) ?? this.#numbersById.size + 1
    this.#numbersById.set(id, number)
    return number
  }
}

function realIdentity(seed: string): Identity {
  return identityFromPrivateKey(privateKeyFromSeed(createHash('sha256').update(seed).digest()))
}
