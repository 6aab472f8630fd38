import type { PreparedField } from '../causal/replica.ts'
import type { Dot } from '../crdt/dot.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { View } from '../store/view.ts'
import type { Contents } from './contents.ts'
import type { DriveProblem } from './drive-api.ts'
import type { FilePlacer } from './disk/fresh-files.ts'
import { AgreementStore } from './folder/agreement-store.ts'
import { applyActions } from './folder/apply.ts'
import type { DiskIndex } from './folder/disk-index.ts'
import { readFolderMarker } from './folder/folder-marker.ts'
import { keepPatterns, patternsBefore, withoutLeftOut } from './folder/left-out.ts'
import type { PathRules } from './folder/path-rules.ts'
import type { PlaitFolder } from './folder/plait-folder.ts'
import { FolderScanner } from './folder/scanner.ts'
import type { Scan } from './folder/scan.ts'
import { Pace } from './pace.ts'
import type { Action } from './plan/action.ts'
import { actionsSteps } from './plan/actions.ts'
import type { Actions } from './plan/actions.ts'
import { changesSteps } from './plan/changes.ts'
import type { Hold } from './plan/guard.ts'
import { isAside, nearTime } from './plan/item.ts'
import type { Agreed, Agreement, Files, FilesOperation } from './plan/item.ts'
import { foldCase, layoutSteps } from './plan/layout.ts'
import type { Layout } from './plan/layout.ts'
import { keptSteps, publication, unpublished } from './plan/publication.ts'
import { allAtOnce, inTurns, paced } from './plan/steps.ts'
import type { Steps, TurnsOptions } from './plan/steps.ts'

export interface ReconcilerOptions {
  readonly drive: string
  readonly folder: PlaitFolder
  readonly view: View
  readonly index: DiskIndex
  readonly field: PreparedField<Files, FilesOperation>
  readonly contents: Contents
  readonly rules: PathRules
  readonly runtime: Pick<Runtime, 'clock' | 'timers'>
  /** Whether files are on the disk before they get their names. */
  readonly isSynced: boolean
  readonly placer: FilePlacer
}

export interface Published {
  readonly changes: number
  /** Of files, among them. */
  readonly deletions: number
  readonly hold: Hold | undefined
}

export interface Applied {
  readonly problems: readonly DriveProblem[]
  /** Something was changed meanwhile: it is to be looked at again. */
  readonly isOutdated: boolean
}

/** What is judged by somebody else than the folder and the tree. */
export interface Judged {
  readonly mayWrite: boolean
  readonly allowDeletions: boolean
  readonly recentDeletions: number
}

/** When the tree is whole, and when to end. */
export type Waiting = Required<Pick<TurnsOptions, 'ready' | 'signal'>>

export interface Planned extends Actions {
  /** What the folder is to look like then. */
  readonly layout: Layout
}

/** A state of the tree; another one after each change of it. */
interface Revision {
  readonly files: Files
  readonly number: number
}

/** Operations that are on their way to the disk at once. */
const unwrittenMax = 4_096
/** After so much of a plan what was agreed on is written down. */
const batchActions = 2_000
const batchBytes = 512 * 1024 * 1024
/** What was changed so short before that another change may have the same time is read again. */
const unsettledMs = 2_100

/** Compares a folder with the tree of its drive, and makes the one say what the other does, step by step as it is told. */
export class Reconciler {
  readonly #options: ReconcilerOptions
  readonly #index: DiskIndex
  readonly #store: AgreementStore
  readonly #scanner: FolderScanner
  readonly #pace: Pace
  readonly #fold: ((name: string) => string) | undefined
  #agreement: Agreement
  /** What was compared last, and found to be published. */
  #compared: { readonly disk: Scan; readonly agreement: Agreement } | undefined
  #revision: Revision
  #layout: { readonly revision: Revision; readonly layout: Layout } | undefined

  private constructor(options: ReconcilerOptions, store: AgreementStore) {
    this.#options = options
    this.#index = options.index
    this.#store = store
    this.#pace = new Pace(options.runtime)
    const { folder, index, rules, contents, runtime } = options
    const scanning = { index, rules, pace: this.#pace, clock: runtime.clock, rootOf: contents.rootOf }
    this.#scanner = new FolderScanner(folder.root, scanning)
    this.#fold = options.folder.foldsNames ? foldCase : undefined
    this.#agreement = store.agreement
    this.#revision = revisionOf(options.field.state)
    options.index.onMoved = (from, to) => void options.contents.moved(from, to)
  }

  static async open(options: ReconcilerOptions): Promise<Reconciler> {
    const { view, rules, folder } = options
    const reconciler = new Reconciler(options, await AgreementStore.open(view))
    const before = await patternsBefore(view)
    if (JSON.stringify(before) === JSON.stringify(rules.given)) return reconciler
    // What was left out until now was not looked at.
    reconciler.#agreement = withoutLeftOut(reconciler.#agreement, rules.having(before), folder.root)
    await reconciler.#store.save(reconciler.#agreement)
    await keepPatterns(view, rules.given)
    return reconciler
  }

  /** What folder and tree were last known to say alike. */
  get agreement(): Agreement {
    return this.#agreement
  }

  /** The folder that the tree describes now: made in this turn when the tree has changed since it was made last. */
  layout(): Layout {
    return allAtOnce(this.#layoutSteps())
  }

  /** Something in the folder may be another: at these paths, or anywhere. */
  note(paths: Iterable<string> | undefined): void {
    this.#scanner.note(paths)
  }

  /**
   * What is in the folder; what others can ask for from now on. Unless it is to be the `isWhole` folder, only what was noted is looked at,
   * if it has been looked at before.
   */
  async look(signal: AbortSignal, { isWhole = true }: { readonly isWhole?: boolean } = {}): Promise<Scan> {
    const { folder, contents, rules } = this.#options
    contents.settle()
    try {
      const disk = await this.#scanner.look(isWhole, signal)
      this.#agreement = withoutLeftOut(this.#agreement, rules, folder.root, (path) => disk.entries.has(path))
      return disk
    } finally {
      await contents.flush()
      for (const path of this.#index.takeForgotten()) await contents.forget(path)
      await this.#index.save(this.#pace)
    }
  }

  /** Whether nothing has changed in the folder since it was last said what has. */
  isCompared(disk: Scan): boolean {
    return this.#compared?.disk === disk && this.#compared.agreement === this.#agreement
  }

  /** Says what has changed in the folder, unless only others may; undefined when the tree was made anew meanwhile. */
  async publish(disk: Scan, { mayWrite, ...asked }: Judged, waiting: Waiting): Promise<Published | undefined> {
    const { field, folder, drive } = this.#options
    const isMarked = folder.isInPlace && readFolderMarker(folder.root)?.drive === drive
    const { changes, files } = await this.#inTurns(waiting, function* (reconciler) {
      const { writer, state: files } = field
      const layout = yield* reconciler.#layoutSteps()
      const input = { agreement: reconciler.#agreement, disk, view: files.view, layout, isMarked, writer, ...asked }
      return { changes: yield* changesSteps(input), files }
    })
    const kept = await paced(keptSteps(changes), this.#pace)
    const next = mayWrite ? await this.#write(publication(changes, files, kept), files) : unpublished(changes, kept)
    if (next === undefined) return undefined
    this.#agreement = next
    await this.#store.save(next, this.#pace)
    this.#compared = mayWrite && changes.hold === undefined ? { disk, agreement: next } : undefined
    const list = mayWrite ? changes.list : []
    const deletions = list.filter((change) => change.kind === 'delete' && change.agreed.version.kind === 'file')
    return { changes: list.length, deletions: deletions.length, hold: changes.hold }
  }

  /** What is to be done in the folder, of a moment in which the tree is known to be whole. */
  plan(disk: Scan, { mayWrite, ...asked }: Judged, waiting: Waiting): Promise<Planned> {
    const fold = this.#fold === undefined ? {} : { fold: this.#fold }
    return this.#inTurns(waiting, function* (reconciler) {
      const { view } = reconciler.#options.field.state
      const layout = yield* reconciler.#layoutSteps()
      const input = { agreement: reconciler.#agreement, disk, layout, view, isReceiver: !mayWrite, ...fold, ...asked }
      return { ...(yield* actionsSteps(input)), layout }
    })
  }

  /** Carries out a plan, or the part of it until the signal comes. */
  async apply(
    actions: readonly Action[],
    { signal, onDone }: { readonly signal: AbortSignal; readonly onDone: (action: Action, isDone: boolean) => void },
  ): Promise<Applied> {
    const { folder, contents, placer, isSynced } = this.#options
    const agreement = new Map(this.#agreement)
    const problems: DriveProblem[] = []
    let isOutdated = false
    if (noteTimesToSet(actions, agreement)) await this.#save(agreement)
    for (const batch of batchesOf(actions)) {
      if (signal.aborted) break
      const { failures, changed } = await applyActions(folder, batch, agreement, {
        ...{ content: contents.door, assemble: contents.assemble, pace: this.#pace, isSynced, signal },
        flocks: { contents: contents.small, placer },
        onDone: (action, isDone) => {
          this.note(action.kind === 'move' ? [action.path, action.from] : [action.path])
          if (isDone) this.#take(action, agreement)
          onDone(action, isDone)
        },
      })
      for (const { path, error } of failures) problems.push({ path, reason: reasonOf(error.message, path), error })
      isOutdated ||= changed.length > 0
      if (isOutdated) this.note(undefined)
      await this.#save(agreement)
    }
    if (problems.length === 0 && !signal.aborted) folder.pruneParts(() => false)
    return { problems, isOutdated }
  }

  #inTurns<Result>(waiting: Waiting, begin: (reconciler: this) => Steps<Result>): Promise<Result> {
    const turns = { pace: this.#pace, revision: () => this.#currentRevision(), ...waiting }
    return inTurns(() => begin(this), turns)
  }

  #currentRevision(): Revision {
    const { state } = this.#options.field
    if (this.#revision.files !== state || this.#revision.number !== state.revision) this.#revision = revisionOf(state)
    return this.#revision
  }

  /** What has not changed since the last time is not made again. */
  *#layoutSteps(): Steps<Layout> {
    const revision = this.#currentRevision()
    const known = this.#layout
    if (known?.revision === revision) return known.layout
    const previous = known?.revision.files === revision.files ? known.layout : undefined
    const fold = this.#fold === undefined ? {} : { fold: this.#fold }
    const layout = yield* layoutSteps(revision.files.view, { previous, ...fold })
    // Steps that were overtaken by a change are not gone on with: see `inTurns`.
    this.#layout = { revision, layout }
    return layout
  }

  async #save(agreement: Agreement): Promise<void> {
    this.#agreement = agreement
    await this.#options.contents.flush()
    await this.#index.save(this.#pace)
    await this.#store.save(agreement, this.#pace)
  }

  /** What was put there need not be read to know what it is. */
  #take(action: Action, agreement: ReadonlyMap<string, Agreed>): void {
    const { contents } = this.#options
    const agreed = agreement.get(action.path)
    if (agreed === undefined) return
    if (action.kind === 'write' && agreed.version.kind === 'file') contents.placed(action.path, agreed.version)
    if (action.kind !== 'move') return this.#note(agreed)
    void contents.moved(action.from, action.path)
    this.#note(agreed)
    if (agreed.version.kind !== 'directory') return
    const prefix = `${action.path}/`
    for (const [path, below] of agreement) {
      if (!path.startsWith(prefix)) continue
      void contents.moved(`${action.from}/${path.slice(prefix.length)}`, path)
      this.#note(below)
    }
  }

  #note({ path, version, disk }: Agreed): void {
    if (version.kind !== 'file' || isAside(path)) return
    const { inode, size, mtimeNs, ctimeNs } = disk
    const ageMs = this.#options.runtime.clock.wallMs() - Number(mtimeNs / 1_000_000n)
    const isSettled = ageMs > unsettledMs
    this.#index.set(path, { inode, size, mtimeNs, ctimeNs, root: version.root, isSettled })
  }

  async #write(steps: Publication, files: Files): Promise<Agreement | undefined> {
    const { field } = this.#options
    if (field.state !== files) return undefined
    let unwritten: Promise<unknown>[] = []
    let step = steps.next()
    while (step.done !== true) {
      const { dot, durable }: { readonly dot: Dot; readonly durable: Promise<unknown> } = field.publish(step.value)
      // It is looked at below.
      durable.catch(() => undefined)
      unwritten.push(durable)
      if (unwritten.length >= unwrittenMax) {
        await Promise.all(unwritten)
        unwritten = []
      }
      const turn = this.#pace.pause()
      if (turn !== undefined) await turn
      if (field.state !== files) return undefined
      step = steps.next(dot)
    }
    await Promise.all(unwritten)
    return step.value
  }
}

function revisionOf(files: Files): Revision {
  return { files, number: files.revision }
}

type Publication = ReturnType<typeof publication>

/** Should this process be killed on the way, the next one is to know that these directories are yet to get their times. */
function noteTimesToSet(actions: readonly Action[], agreement: Map<string, Agreed>): boolean {
  let isAny = false
  for (const action of actions) {
    const agreed = action.kind === 'facts' ? agreement.get(action.path) : undefined
    if (agreed?.disk.kind !== 'directory' || action.kind !== 'facts') continue
    const { mtimeNs } = action.item.version
    if (!nearTime(agreed.version.mtimeNs, mtimeNs)) continue
    agreement.set(action.path, { ...agreed, version: { ...agreed.version, mtimeNs: mtimeNs + otherTimeNs } })
    isAny = true
  }
  return isAny
}

/** Enough to be another time. */
const otherTimeNs = 1_000_000n

function* batchesOf(actions: readonly Action[]): Generator<readonly Action[]> {
  let batch: Action[] = []
  let bytes = 0
  for (const action of actions) {
    batch.push(action)
    if (action.kind === 'write') bytes += action.item.version.size
    if (batch.length < batchActions && bytes < batchBytes) continue
    yield batch
    batch = []
    bytes = 0
  }
  if (batch.length > 0) yield batch
}

/** The message of a failed call begins with the path; what follows is the end of the sentence. */
function reasonOf(message: string, path: string): string {
  return message.startsWith(`${path} `) ? message.slice(path.length + 1) : message
}
