import type { NodeId } from '../../identity/node-id.ts'
import type { Random } from '../../runtime/random.ts'

/** One member that is asked whether it is there. */
interface Ping {
  readonly id: NodeId
  /** For whom; itself when absent. */
  readonly asker: { readonly id: NodeId; readonly number: number } | undefined
  /** When others are asked to ask it. */
  helpAt: number
  endsAt: number
}

export interface ProbesOptions {
  readonly random: Random
  readonly periodMs: number
  readonly pingMs: number
  /** Whether a way leads to a member already; else one has to be made before anything arrives there. */
  readonly hasWay: (id: NodeId) => boolean
  /** Asks a member. */
  readonly ping: (id: NodeId, number: number) => void
  /** Asks others to ask it. */
  readonly help: (id: NodeId, number: number) => void
  /** It has answered neither. */
  readonly silent: (id: NodeId) => void
  /** It has answered one that was asked for somebody else. */
  readonly vouch: (asker: NodeId, number: number) => void
}

const waitingMax = 1_024
/** Up to here for others as well. */
const helpedMax = 512
/** What it may take to make a way: where it leads nowhere that is told. */
const wayMs = 3_000

/** Asks one member after the other, each once in a round, in an order of its own (SWIM, 2002, sections 3.1 and 4.3). */
export class Probes {
  readonly #options: ProbesOptions
  readonly #pingsByNumber = new Map<number, Ping>()
  readonly #numberById = new Map<NodeId, number>()
  #round: NodeId[] = []
  #nextAt = 0
  #lastNumber: number

  constructor(options: ProbesOptions) {
    this.#options = options
    this.#lastNumber = options.random.uint32()
  }

  get size(): number {
    return this.#pingsByNumber.size
  }

  get deadline(): number {
    let deadline = this.#nextAt
    for (const { helpAt, endsAt } of this.#pingsByNumber.values()) deadline = Math.min(deadline, helpAt, endsAt)
    return deadline
  }

  /** Asks it now, unless it is asked already. */
  ask(id: NodeId, now: number, asker?: Ping['asker']): void {
    const { pingMs, periodMs, hasWay, ping } = this.#options
    if (asker === undefined && this.#numberById.has(id)) return
    if (this.#pingsByNumber.size >= (asker === undefined ? waitingMax : helpedMax)) return
    this.#lastNumber = (this.#lastNumber + 1) >>> 0
    const number = this.#lastNumber
    const sentAt = hasWay(id) ? now : now + wayMs
    const helpAt = asker === undefined ? sentAt + pingMs : Infinity
    this.#pingsByNumber.set(number, { id, asker, helpAt, endsAt: sentAt + periodMs })
    if (asker === undefined) this.#numberById.set(id, number)
    ping(id, number)
  }

  /** An answer to a number has come: from the member itself, or from who has asked it. */
  answered(number: number): void {
    const ping = this.#pingsByNumber.get(number)
    if (ping === undefined) return
    this.#end(number, ping)
    if (ping.asker !== undefined) this.#options.vouch(ping.asker.id, ping.asker.number)
  }

  /** Whether a member is asked for somebody else, and not for this one. */
  isHelping(id: NodeId): boolean {
    if (this.#numberById.has(id)) return false
    for (const ping of this.#pingsByNumber.values()) if (ping.id === id) return true
    return false
  }

  /** Nothing leads to it: others may know a way. */
  failed(id: NodeId, now: number): void {
    const number = this.#numberById.get(id)
    const ping = number === undefined ? undefined : this.#pingsByNumber.get(number)
    if (ping === undefined) return
    if (ping.helpAt !== Infinity) ping.helpAt = now
    ping.endsAt = Math.min(ping.endsAt, now + this.#options.periodMs)
  }

  tick(now: number, candidates: ReadonlySet<NodeId>): void {
    for (const [number, ping] of this.#pingsByNumber) {
      if (ping.helpAt <= now) {
        ping.helpAt = Infinity
        this.#options.help(ping.id, number)
      }
      if (ping.endsAt > now) continue
      this.#end(number, ping)
      if (ping.asker === undefined) this.#options.silent(ping.id)
    }
    if (this.#nextAt > now) return
    this.#nextAt = now + this.#options.periodMs
    const id = this.#next(candidates)
    if (id !== undefined) this.ask(id, now)
  }

  #end(number: number, ping: Ping): void {
    this.#pingsByNumber.delete(number)
    if (this.#numberById.get(ping.id) === number) this.#numberById.delete(ping.id)
  }

  #next(candidates: ReadonlySet<NodeId>): NodeId | undefined {
    for (let turn = 0; turn < 2; turn += 1) {
      for (let id = this.#round.pop(); id !== undefined; id = this.#round.pop()) if (candidates.has(id)) return id
      this.#round = shuffled([...candidates], this.#options.random)
    }
    return undefined
  }
}

/** Fisher and Yates. */
export function shuffled<Item>(items: Item[], random: Random): Item[] {
  for (let index = items.length - 1; index > 0; index -= 1) {
    const other = random.uint32() % (index + 1)
    const item = items[index] as Item
    items[index] = items[other] as Item
    items[other] = item
  }
  return items
}
