import type { NodeId } from '../identity/node-id.ts'
import type { Timer, Timers } from '../runtime/timers.ts'
import type { Consumer } from './consumer.ts'
import type { GroupMachine } from './group-machine.ts'
import { stateOf } from './group-state.ts'
import type { GroupView } from './group-view.ts'
import type { OrderedFeed } from './order/causal-order.ts'
import type { Outbox } from './outbox.ts'
import { Progress } from './progress.ts'
import type { Step } from './progress.ts'
import type { Snapshots } from './snapshots.ts'

/** What was carried out goes into the view after so long, or when it is so many entries. */
const commitMs = 50
const commitEntries = 4_096
/** The machine's state is written down after so many entries: what came after it is gone through again at the next opening. */
const stateEntriesMax = 16_384

export interface CommitterOptions {
  readonly view: GroupView
  readonly timers: Timers
  readonly snapshots: Snapshots
  readonly snapshotEntries: number
  readonly self: NodeId | undefined
  readonly host: CommitterHost
}

/** What there is at the time. */
export interface Committed {
  readonly machine: GroupMachine
  readonly consumer: Consumer | undefined
  readonly outbox: Outbox | undefined
  readonly ownPlace: number | undefined
}

export interface CommitterHost {
  now(): Committed
  /** Nothing new is to be delivered, nor to be written, until `resume`. */
  pause(): void
  resume(): void
  fail(error: unknown): void
}

/** Brings what was delivered and carried out into the view, and the machine's state from time to time. */
export class Committer {
  progress: Progress = new Progress([])
  isPaused = false
  readonly #options: CommitterOptions
  /** Entries since the state was written down. */
  #sinceState = 0
  #timer: Timer | undefined
  #isSuspended = false

  constructor(options: CommitterOptions) {
    this.#options = options
  }

  /** An entry has its turn; undefined when the view has it. */
  enter({ place }: OrderedFeed, number: number): Step | undefined {
    this.#sinceState += 1
    if (this.#options.host.now().consumer === undefined || this.progress.has(place, number)) return undefined
    const step = this.progress.add(place, number)
    this.stir()
    return step
  }

  /** Something was done. */
  stir(): void {
    if (this.progress.waiting >= commitEntries) this.commit()
    else this.#timer ??= this.#options.timers.after(commitMs, () => this.commit(), { background: true })
  }

  /** Everything is going to be delivered again: what was carried out until now belongs to what the view is rid of. */
  suspend(): void {
    this.stop()
    this.progress = new Progress([])
    this.#isSuspended = true
  }

  /** The view is as it is to be, and everything is delivered from now on. */
  restart(): void {
    this.progress = new Progress([])
    this.#sinceState = 0
    this.#isSuspended = false
    this.isPaused = false
  }

  /** `isLast`: nothing will follow. */
  commit(isLast = false): void {
    this.stop()
    if (this.#isSuspended) return
    const { view, host, snapshots, self } = this.#options
    const { machine, consumer, outbox, ownPlace } = host.now()
    if (consumer === undefined) return
    const durable = outbox?.durable ?? 0
    const taken = this.progress.take(({ place, number }) => place !== ownPlace || number <= durable)
    const isSettled = this.progress.waiting === 0 && outbox?.isEmpty !== false
    this.#considerPause(isSettled, consumer)
    const isStateDue = isSettled && this.#sinceState > 0 && (isLast || this.#sinceState >= this.#stateEntries)
    const pruned = isSettled && consumer.isPrunable === true ? (consumer.prune?.(machine.stableClock()) ?? []) : []
    if (taken === undefined && !isStateDue && pruned.length === 0) return
    if (isStateDue) {
      this.#sinceState = 0
      machine.order.forget(machine.stable())
    }
    const state = isStateDue ? stateOf(machine) : undefined
    const { places } = machine.order
    const clock = (taken?.numbers ?? []).map(([place, number]) => [places.at(place), number] as const)
    const committed = consumer.committing()
    const changes = taken === undefined ? pruned : pruned.length === 0 ? taken.changes : [...taken.changes, ...pruned]
    view.write(changes, clock, state).then(committed, (error: unknown) => host.fail(error))
    if (state !== undefined && self !== undefined && consumer.isRestorable && !isLast)
      snapshots.consider(machine, state, consumer.tables, self)
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }

  /**
   * Where something is always under way there is no moment to write the state down: then nothing new is taken for a moment. Not where
   * the application may publish while it carries out, or take its time.
   */
  #considerPause(isSettled: boolean, consumer: Consumer): void {
    const isPaused = !isSettled && consumer.isImmediate && this.#sinceState >= 2 * this.#stateEntries
    if (isPaused === this.isPaused) return
    this.isPaused = isPaused
    if (isPaused) this.#options.host.pause()
    else this.#options.host.resume()
  }

  get #stateEntries(): number {
    return Math.min(stateEntriesMax, this.#options.snapshotEntries)
  }
}
