import { Queue } from '../../base/queue.ts'
import type { NodeId } from '../../identity/node-id.ts'
import type { Probe } from '../../runtime/probe.ts'
import type { Random } from '../../runtime/random.ts'
import type { BatchId } from '../batch.ts'
import { offersMax, runsMax, type Offer } from '../messages.ts'
import type { Archive, Held } from './archive.ts'
import { keyOf } from './archive.ts'
import type { Authors } from './authors.ts'
import type { Members, SpreadPort } from './spread-port.ts'

export interface RepairOptions {
  readonly archive: Archive
  readonly authors: Authors
  readonly members: Members
  readonly port: SpreadPort
  readonly random: Random
  readonly probe: Probe
  /** Ages at which a batch is offered, in ms, ascending. */
  readonly offersMs: readonly number[]
  /** Whether a member may have it from here: its author has signed it, or has offered it to that one. */
  readonly mayHave: (to: NodeId, held: Held) => boolean
}

/** So many others are offered what is new, beside the two neighbours. */
const strangers = 2
/** Ids of one message that are looked at. */
const idsMax = 8_192
/** Batches of one answer, in number and in bytes. */
const servedMax = 256
const servedBytesMax = 1024 * 1024
const askedMax = 4_096
const askAgainMs = 600
/** What is due within so long is offered together: of a stream of batches each would be a message of its own to each of the others. */
const togetherMs = 100

/**
 * Finds what the tree has missed: whoever has a batch offers it, a few times, to its neighbours on the ring and to some others, who ask for
 * what they have not got and offer it in turn. So a member that takes a part and does nothing costs time and no message: the neighbours
 * alone reach everybody in the end, the others make it quick.
 */
export class Repair {
  /** Bodies that have left from here. */
  bodiesSent = 0
  readonly #options: RepairOptions
  /** By the number of offers that were made of them, in the order in which they were taken. */
  readonly #stages: readonly Queue<Held>[]
  readonly #askedUntilByKey = new Map<string, number>()

  constructor(options: RepairOptions) {
    this.#options = options
    this.#stages = options.offersMs.map(() => new Queue<Held>())
  }

  get deadline(): number | undefined {
    let deadline = Infinity
    for (let stage = 0; stage < this.#stages.length; stage += 1) {
      const held = (this.#stages[stage] as Queue<Held>).peek()
      if (held !== undefined) deadline = Math.min(deadline, this.#dueAt(held, stage))
    }
    return deadline === Infinity ? undefined : deadline
  }

  /** It was taken here. */
  add(held: Held): void {
    if (held.batch.isDirect) return
    this.#stages[0]?.push(held)
    // What had to make room in the archive is not kept by being offered.
    for (const queue of this.#stages) while (queue.peek()?.isKept === false) queue.shift()
  }

  tick(now: number): void {
    const due: Held[] = []
    for (let stage = this.#stages.length - 1; stage >= 0; stage -= 1) {
      const queue = this.#stages[stage] as Queue<Held>
      for (let held = queue.peek(); held !== undefined && this.#dueAt(held, stage) <= now; held = queue.peek()) {
        queue.shift()
        due.push(held)
        this.#stages[stage + 1]?.push(held)
      }
    }
    if (due.length === 0) return
    const targets = this.#targets()
    for (const offers of messagesOf(due)) for (const id of targets) this.#options.port.send(id, 'have', { offers })
  }

  /** A member is back that was thought to be gone: its neighbours offer it what it may have missed meanwhile. */
  greet(id: NodeId): void {
    const { archive, members, port } = this.#options
    const rank = members.ring.rank(members.self)
    if (members.ring.at(rank + 1) !== id && members.ring.at(rank - 1) !== id) return
    const held = [...archive.values()].filter(({ batch }) => !batch.isDirect)
    for (const offers of messagesOf(held)) port.send(id, 'have', { offers })
  }

  receiveHave(from: NodeId, offers: readonly Offer[], now: number): void {
    const { authors, members } = this.#options
    const wanted: BatchId[] = []
    for (const id of idsOf(offers)) {
      if (id.author === members.self || authors.look(id) !== 'new' || authors.isComing(id, now)) continue
      if (this.#ask(keyOf(id), now)) wanted.push(id)
    }
    if (wanted.length === 0) return
    this.#options.probe.sometimes('batch asked for that was missed')
    for (const missing of messagesOfIds(wanted)) this.#options.port.send(from, 'want', { offers: missing })
  }

  receiveWant(from: NodeId, offers: readonly Offer[]): void {
    const { archive, port, mayHave } = this.#options
    let [served, bytes] = [0, 0]
    for (const id of idsOf(offers)) {
      const held = archive.find(id)
      if (held === undefined || !mayHave(from, held)) continue
      served += 1
      bytes += held.batch.bytes.length
      this.bodiesSent += 1
      const hasRoom = port.send(from, 'batch', { batch: held.batch.bytes })
      if (!hasRoom || served >= servedMax || bytes >= servedBytesMax) return
    }
  }

  #dueAt(held: Held, stage: number): number {
    return Math.ceil((held.takenAt + (this.#options.offersMs[stage] ?? Infinity)) / togetherMs) * togetherMs
  }

  /** The same is not asked for twice while the first one may still answer. */
  #ask(key: string, now: number): boolean {
    const until = this.#askedUntilByKey.get(key)
    if (until !== undefined && until > now) return false
    this.#askedUntilByKey.delete(key)
    this.#askedUntilByKey.set(key, now + askAgainMs)
    for (const [oldest, at] of this.#askedUntilByKey) {
      if (at > now && this.#askedUntilByKey.size <= askedMax) break
      this.#askedUntilByKey.delete(oldest)
    }
    return true
  }

  #targets(): ReadonlySet<NodeId> {
    const { members, random } = this.#options
    const { ring, self } = members
    const targets = new Set<NodeId>()
    if (ring.size === 0) return targets
    const rank = ring.rank(self)
    targets.add(ring.at(rank + 1)).add(ring.at(rank - 1))
    for (let count = 0; count < strangers; count += 1) targets.add(ring.at(random.uint32()))
    targets.delete(self)
    return targets
  }
}

/** What is looked at of what somebody claims. */
function* idsOf(offers: readonly Offer[]): Generator<BatchId> {
  let looked = 0
  for (const { author, epoch, runs } of offers)
    for (const { first, count } of runs) {
      const last = Math.min(first + count - 1, Number.MAX_SAFE_INTEGER)
      for (let counter = first; counter <= last; counter += 1) {
        if ((looked += 1) > idsMax) return
        yield { author, epoch, counter }
      }
    }
}

function* messagesOf(due: readonly Held[]): Generator<readonly Offer[]> {
  yield* messagesOfIds(due.map(({ batch }) => batch))
}

/** Ids as runs, in as many messages as it takes. */
function* messagesOfIds(ids: readonly BatchId[]): Generator<readonly Offer[]> {
  const countersByEpoch = new Map<string, { author: NodeId; epoch: number; counters: number[] }>()
  for (const { author, epoch, counter } of ids) {
    const key = `${author}/${epoch}`
    const one = countersByEpoch.get(key) ?? { author, epoch, counters: [] }
    countersByEpoch.set(key, one)
    one.counters.push(counter)
  }
  let offers: Offer[] = []
  for (const { author, epoch, counters } of countersByEpoch.values()) {
    const runs = runsOf(counters)
    for (let start = 0; start < runs.length; start += runsMax) {
      offers.push({ author, epoch, runs: runs.slice(start, start + runsMax) })
      if (offers.length < offersMax) continue
      yield offers
      offers = []
    }
  }
  if (offers.length > 0) yield offers
}

function runsOf(counters: number[]): Offer['runs'] {
  const runs: { first: number; count: number }[] = []
  for (const counter of counters.sort((one, other) => one - other)) {
    const last = runs.at(-1)
    if (last !== undefined && last.first + last.count === counter && last.count < 4_096) last.count += 1
    else if (last === undefined || last.first + last.count < counter) runs.push({ first: counter, count: 1 })
  }
  return runs
}
