import { PlaitError } from '../base/error.ts'
import { Waiters } from '../base/waiters.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { Timer } from '../runtime/timers.ts'
import { isConflict } from './conflict-choice.ts'
import type { DrivePhase, DriveProblem, DriveReport } from './drive-api.ts'
import type { ContentCounts } from './contents.ts'
import type { Action } from './plan/action.ts'
import type { Hold } from './plan/guard.ts'
import { isAside } from './plan/item.ts'
import { Interruption } from './interruption.ts'
import { startProgress } from './progress.ts'
import type { Progress } from './progress.ts'
import type { Applied, Planned, Published, Reconciler } from './reconciler.ts'
import type { Scan } from './folder/scan.ts'

export interface DriveLoopOptions {
  readonly reconciler: Reconciler
  readonly runtime: Pick<Runtime, 'clock' | 'timers'>
  /** Resolves when this node is known to be a member, and the tree is what is here of it. */
  readonly ready: (signal: AbortSignal) => Promise<void>
  readonly mayWrite: () => boolean
  /** Whether all that changes in the folder is told. */
  readonly isWatched: () => boolean
  readonly counts: () => ContentCounts
  readonly host: DriveLoopHost
}

export interface DriveLoopHost {
  /** Something about it is different. */
  changed(): void
  problem(problem: DriveProblem): void
  conflict(path: string): void
  hold(hold: Hold): void
  settled(report: DriveReport): void
}

/** What is deleted within so long is judged together. */
const recentMs = 60_000
/** Operations that come one after the other are carried out together; one that comes alone hardly waits. */
const gatherMs = 30
const aloneMs = 5
/** Of more than so many the end is waited for, for a while: directories get their times when all is in them. */
const crowd = 50
const crowdQuietMs = 150
const crowdWaitMs = 5_000
/** What could not be had, and what is being written to, is looked at again. */
const retryMs = 3_000
const againMs = 100

/** Looks, says what has changed here, and does what has changed elsewhere, whenever there is a reason to. */
export class DriveLoop {
  readonly progress: Progress = startProgress()
  phase: DrivePhase = 'joining'
  hold: Hold | undefined
  problems: readonly DriveProblem[] = []
  readonly #options: DriveLoopOptions
  readonly #ending = new AbortController()
  readonly #changes = new Waiters()
  readonly #toldProblems = new Set<string>()
  readonly #toldConflicts = new Set<string>()
  #toldHold: string | undefined
  /** Something was done, and not said to be settled yet. */
  #isUntold = false
  #deletions: { readonly at: number; readonly count: number }[] = []
  #isDirty = true
  /** Whether the last turn said nothing of what has changed here. */
  #wasPostponed = false
  #allowsDeletions = false
  /** How often somebody has asked for a look; how many of these have been looked and published, and how many are answered. */
  #asked = 0
  #published = 0
  #answered = 0
  /** Operations since the last turn began, and when the last one came. */
  #operations = 0
  #operationAt = -Infinity
  /** Since when deletions wait for others. */
  #youngSince: number | undefined
  /** Those that this turn answers. */
  #asking = 0
  #failure: PlaitError | undefined
  #nextLook: Timer | undefined
  #rescanMs: number | undefined
  #interrupt: (() => void) | undefined
  /** Counts what has come of files that are not whole yet. */
  #measure: (() => void) | undefined
  #running: Promise<void> | undefined
  /** Until what is done in the folder is over. */
  #lock: Promise<unknown> = Promise.resolve()

  constructor(options: DriveLoopOptions) {
    this.#options = options
  }

  get isStarted(): boolean {
    return this.#running !== undefined
  }

  start(): void {
    this.#running ??= this.#run().catch(() => undefined)
  }

  /** The tree has changed. */
  wakeByTree(): void {
    this.#operations += 1
    this.#operationAt = this.#options.runtime.clock.now()
    this.#wake()
  }

  /** Something has changed in the folder: at these paths, or anywhere. */
  wakeByFolder(paths: ReadonlySet<string> | undefined): void {
    this.#options.reconciler.note(paths)
    this.#wake()
  }

  /** Something may have changed, anywhere. */
  wake(): void {
    this.#options.reconciler.note(undefined)
    this.#wake()
  }

  #wake(): void {
    this.#isDirty = true
    this.#interrupt?.()
    this.#changes.wake()
  }

  /** The folder is looked at so often though nobody says that something has changed. */
  rescanEvery(periodMs: number): void {
    this.#rescanMs = Math.min(periodMs, this.#rescanMs ?? Infinity)
    this.wake()
  }

  allowDeletions(): void {
    this.#allowsDeletions = true
    this.wake()
  }

  /** How far it is just now. */
  measure(): Readonly<Progress> {
    this.#measure?.()
    return this.progress
  }

  /** Does something while nothing else is done in the folder; its signal fires with the one that is given, and when the drive is closed. */
  alone<Result>(work: (signal: AbortSignal) => Promise<Result>, signal?: AbortSignal): Promise<Result> {
    const done = this.#lock.then(() => this.#unlessClosed(work, signal))
    this.#lock = done.catch(() => undefined)
    return done
  }

  /** Resolves when there was a look from now on after which nothing was left to do. */
  async sync(signal: AbortSignal | undefined): Promise<DriveReport> {
    await this.#until(() => this.#answered, signal)
    if (this.#failure !== undefined) throw this.#failure
    return this.#report()
  }

  /** Resolves when there was a look since the beginning after which nothing was left to do, and nothing was heard of since. */
  async rest(signal: AbortSignal | undefined): Promise<DriveReport> {
    while (this.phase !== 'idle' || this.#isDirty) {
      if (this.#ending.signal.aborted) throw closed()
      await this.#changes.wait(signal)
    }
    if (this.#failure !== undefined) throw this.#failure
    return this.#report()
  }

  /** Resolves when there was a look from now on, and what has changed here is published, or cannot be. */
  look(): Promise<void> {
    return this.#until(() => this.#published, undefined)
  }

  async #until(count: () => number, signal: AbortSignal | undefined): Promise<void> {
    const asked = (this.#asked += 1)
    this.wake()
    while (count() < asked) {
      if (this.#ending.signal.aborted) throw closed()
      await this.#changes.wait(signal)
    }
  }

  /** What is being done ends in order. */
  async close(): Promise<void> {
    this.#ending.abort(closed())
    this.#nextLook?.cancel()
    this.#interrupt?.()
    this.#changes.wake()
    await this.#running
    await this.#lock
    this.phase = 'closed'
  }

  async #unlessClosed<Result>(work: (signal: AbortSignal) => Promise<Result>, signal?: AbortSignal): Promise<Result> {
    const ending = new AbortController()
    const sources = signal === undefined ? [this.#ending.signal] : [this.#ending.signal, signal]
    const abort = (): void => ending.abort(sources.find(({ aborted }) => aborted)?.reason)
    for (const source of sources) source.addEventListener('abort', abort)
    try {
      if (sources.some(({ aborted }) => aborted)) abort()
      ending.signal.throwIfAborted()
      return await work(ending.signal)
    } finally {
      for (const source of sources) source.removeEventListener('abort', abort)
    }
  }

  async #run(): Promise<void> {
    const { signal } = this.#ending
    await this.#options.ready(signal)
    while (!signal.aborted) {
      if (!this.#isDirty) {
        await this.#changes.wait(signal)
        continue
      }
      try {
        await this.alone(() => this.#turn())
      } catch (error) {
        if (signal.aborted) return
        this.#fail(error)
        this.#answer(this.#asking)
      }
    }
  }

  /** One look, and what follows from it. */
  async #turn(): Promise<void> {
    const { reconciler, ready, mayWrite } = this.#options
    const { signal } = this.#ending
    this.#nextLook?.cancel()
    this.#enter('looking')
    await this.#gather()
    this.#isDirty = false
    const allowDeletions = this.#allowsDeletions
    const asked = (this.#asking = this.#asked)
    const disk = await reconciler.look(signal, { isWhole: !this.#options.isWatched() })
    const waiting = { signal, ready: () => ready(signal) }
    await ready(signal)
    this.#enter('publishing')
    const judged = { allowDeletions, recentDeletions: this.#recentDeletions() }
    // Who only hears of something carries it out first, and looks afterwards at what follows from it for others.
    const isPostponed = !this.#wasPostponed && !allowDeletions && reconciler.isCompared(disk)
    this.#wasPostponed = isPostponed
    const published = isPostponed
      ? nothingPublished
      : await reconciler.publish(disk, { mayWrite: mayWrite(), ...judged }, waiting)
    if (published === undefined) return void (this.#isDirty = true)
    this.#published = asked
    this.progress.published += published.changes
    this.#changes.wake()
    if (!allowDeletions) this.#noteDeletions(published.deletions)
    // Another moment, in which the tree is known to be whole again.
    const plan = await reconciler.plan(disk, { mayWrite: mayWrite(), ...judged }, waiting)
    this.hold = published.hold ?? plan.hold
    const isStopped = published.hold !== undefined && published.hold.reason !== 'many-deletions'
    const actions = isStopped ? [] : plan.list
    const youngMs = allowDeletions ? 0 : this.#youngForMs(actions)
    if (youngMs > 0) return this.#again(youngMs)
    if (allowDeletions) this.#allowsDeletions = false
    if (allowDeletions) this.#deletions = []
    this.#enter('applying')
    const applied = await this.#apply(actions, allowDeletions)
    signal.throwIfAborted()
    this.#conclude(disk, applied, plan)
    if (applied.isOutdated) this.#lookAgain(againMs)
    else if (applied.problems.some(({ error }) => error?.code === 'UNREACHABLE') || isUnsettled(disk))
      this.#lookAgain(retryMs)
    else if (this.#rescanMs !== undefined) this.#lookAgain(this.#rescanMs)
    // What was done in a turn that others follow is told at the end of the last one.
    this.#isUntold ||= actions.length > 0 || published.changes > 0
    if (isPostponed) this.#wake()
    if (this.#isDirty) return
    this.#enter('idle')
    this.#failure = undefined
    if (this.#isUntold || this.#answered < asked) this.#options.host.settled(this.#report())
    this.#isUntold = false
    this.#answer(asked)
  }

  /** Deletions come one by one, and are judged together: none is carried out as long as more of them may be on their way. */
  #youngForMs(actions: readonly Action[]): number {
    const now = this.#options.runtime.clock.now()
    const youngMs = Math.max(0, crowdQuietMs - (now - this.#operationAt))
    const isYoung = youngMs > 0 && now - (this.#youngSince ?? now) < crowdWaitMs && actions.some(isDeletion)
    this.#youngSince = isYoung ? (this.#youngSince ?? now) : undefined
    return isYoung ? youngMs : 0
  }

  /** Another turn, a moment later; nobody is told meanwhile that nothing is left to do. */
  async #again(delayMs: number): Promise<void> {
    this.#isDirty = true
    await new Promise<void>((resolve) => void this.#options.runtime.timers.after(delayMs, resolve))
  }

  async #gather(): Promise<void> {
    const { clock, timers } = this.#options.runtime
    const begunAt = clock.now()
    const wait = (delayMs: number): Promise<void> => new Promise((resolve) => void timers.after(delayMs, resolve))
    await wait(aloneMs)
    if (this.#operations > 1) await wait(gatherMs - aloneMs)
    while (
      this.#operations > crowd &&
      clock.now() - this.#operationAt < crowdQuietMs &&
      clock.now() - begunAt < crowdWaitMs &&
      !this.#ending.signal.aborted
    )
      await wait(gatherMs)
    this.#operations = 0
  }

  async #apply(actions: readonly Action[], allowDeletions: boolean): Promise<Applied> {
    const { reconciler, runtime, counts } = this.#options
    const { progress } = this
    const writes = actions.flatMap((action) => (isFile(action) ? action.item.version.size : []))
    const bytesBefore = progress.bytesDone
    const countsBefore = sumOf(counts())
    let bytesPlaced = 0
    progress.listed = true
    progress.filesTotal = progress.filesDone + writes.length
    progress.bytesTotal = progress.bytesDone + writes.reduce((sum, size) => sum + size, 0)
    if (actions.length === 0) return { problems: [], isOutdated: false }
    let tried = 0
    const interruption = new Interruption(runtime, () => tried + sumOf(counts()))
    this.#interrupt = () => {
      if (this.#ending.signal.aborted) interruption.abort(closed())
      else interruption.overtake()
    }
    if (this.#isDirty) this.#interrupt()
    progress.path = actions[0]?.path ?? ''
    this.#measure = () => {
      progress.bytesDone = Math.min(progress.bytesTotal, bytesBefore + sumOf(counts()) - countsBefore)
    }
    try {
      return await reconciler.apply(actions, {
        signal: interruption.signal,
        onDone: (action, isDone) => {
          if (isDone && action.kind === 'delete' && action.expected.kind === 'file' && !allowDeletions)
            this.#noteDeletions(1)
          tried += 1
          progress.path = actions[tried]?.path ?? ''
          if (isDone && isFile(action)) {
            progress.filesDone += 1
            bytesPlaced += action.item.version.size
          }
          this.#options.host.changed()
        },
      })
    } finally {
      interruption.close()
      this.#interrupt = undefined
      this.#measure = undefined
      progress.path = ''
      progress.bytesDone = bytesBefore + bytesPlaced
      if (interruption.signal.aborted) this.#isDirty = true
    }
  }

  #recentDeletions(): number {
    const since = this.#options.runtime.clock.now() - recentMs
    this.#deletions = this.#deletions.filter(({ at }) => at > since)
    return this.#deletions.reduce((sum, { count }) => sum + count, 0)
  }

  #noteDeletions(count: number): void {
    if (count > 0) this.#deletions.push({ at: this.#options.runtime.clock.now(), count })
  }

  #conclude(disk: Scan, applied: Applied, { obstacles, layout: { items, refused } }: Planned): void {
    const { reconciler, host } = this.#options
    // A bit of a mode that is left out keeps nothing from being there.
    const skipped = disk.skipped.filter(({ isWhole }) => isWhole)
    this.problems = [...skipped, ...refused, ...obstacles, ...applied.problems]
    this.progress.entries = items.size
    this.progress.failed = this.problems.length
    this.progress.unchanged = Math.max(0, countFiles(reconciler) - this.progress.filesDone)
    const present = new Set<string>()
    for (const problem of this.problems) {
      const key = `${problem.path} ${problem.reason}`
      present.add(key)
      if (!this.#toldProblems.has(key)) host.problem(problem)
    }
    this.#toldProblems.clear()
    for (const key of present) this.#toldProblems.add(key)
    for (const item of items.values()) {
      if (!isConflict(item) || this.#toldConflicts.has(item.path)) continue
      this.#toldConflicts.add(item.path)
      host.conflict(item.path)
    }
    const hold = this.hold === undefined ? undefined : JSON.stringify(this.hold)
    if (this.hold !== undefined && hold !== this.#toldHold) host.hold(this.hold)
    this.#toldHold = hold
  }

  /** The folder cannot be used, or the disk is full. */
  #fail(error: unknown): void {
    const known = PlaitError.from(error, 'FILE_FAILED')
    this.#failure = known
    this.problems = [{ path: '', reason: known.message, error: known }]
    this.#options.host.problem(this.problems[0] as DriveProblem)
    this.#enter('idle')
    this.#lookAgain(retryMs)
  }

  #lookAgain(delayMs: number): void {
    this.#nextLook?.cancel()
    this.#nextLook = this.#options.runtime.timers.after(delayMs, () => this.wake())
  }

  #answer(asked: number): void {
    this.#published = asked
    this.#answered = asked
    this.#changes.wake()
  }

  #enter(phase: DrivePhase): void {
    this.phase = phase
    if (phase === 'idle') this.#changes.wake()
    this.#options.host.changed()
  }

  #report(): DriveReport {
    return { problems: this.problems, hold: this.hold }
  }
}

const nothingPublished: Published = { changes: 0, deletions: 0, hold: undefined }

function isDeletion(action: Action): boolean {
  return action.kind === 'delete' && !isAside(action.path)
}

function isFile(action: Action): action is Action & { readonly kind: 'write' } {
  return action.kind === 'write' && action.item.version.kind === 'file'
}

function isUnsettled({ skipped }: Scan): boolean {
  return skipped.some(({ reason }) => reason.startsWith('is being written to'))
}

function sumOf({ resumedBytes, localBytes, remoteBytes }: ContentCounts): number {
  return resumedBytes + localBytes + remoteBytes
}

function countFiles({ agreement }: Reconciler): number {
  let files = 0
  for (const { version } of agreement.values()) if (version.kind === 'file') files += 1
  return files
}

function closed(): PlaitError {
  return new PlaitError('STORE_CLOSED', 'the drive was closed here')
}
