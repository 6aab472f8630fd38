import { PlaitError } from '../base/error.ts'
import type { Group, InviteOptions } from '../causal/group-api.ts'
import type { PreparedField, Replica } from '../causal/replica.ts'
import type { Role } from '../causal/members/roster-operation.ts'
import { allows } from '../causal/members/roster-operation.ts'
import type { WaitOptions } from '../circuit/circuit-api.ts'
import type { Feed, Feeds } from '../feed/feed-api.ts'
import { sha256 } from '../feed/node/sha256.ts'
import type { Timer } from '../runtime/timers.ts'
import type { View } from '../store/view.ts'
import type { ContentDigester } from './content/node/content-digester.ts'
import { carryOutChoice, conflictChoice, isConflict } from './conflict-choice.ts'
import type { Contents } from './contents.ts'
import type { FilePlacer } from './disk/fresh-files.ts'
import type {
  Drive,
  DriveEntry,
  DriveEventDetails,
  DriveEventName,
  DriveEvents,
  DriveRepair,
  DriveReport,
  DriveStatus,
  ReadFileOptions,
  ResolveOptions,
  SyncOptions,
  VerifyOptions,
} from './drive-api.ts'
import { driveLinkOf, groupLinkOf } from './drive-link.ts'
import { DriveLoop } from './drive-loop.ts'
import type { HistoryEntry } from './folder/history.ts'
import { readFolderMarker } from './folder/folder-marker.ts'
import type { PathRules } from './folder/path-rules.ts'
import type { PlaitFolder } from './folder/plait-folder.ts'
import { restoreFile } from './folder/restore.ts'
import { walkFolder } from './folder/walk.ts'
import type { FolderWatch } from './folder/watch.ts'
import { sameContent } from './plan/item.ts'
import type { Files, FilesOperation } from './plan/item.ts'
import { Looks } from './looks.ts'
import { preview } from './preview.ts'
import type { DrivePreview } from './preview.ts'
import type { Reconciler } from './reconciler.ts'
import { Verification } from './verification.ts'
import type { DriveVerification } from './verification.ts'
import { WholeCopies } from './whole-copies.ts'

export interface OpenDriveParts {
  readonly folderPath: string
  readonly feeds: Feeds
  readonly group: Group
  readonly replica: Replica
  /** On which chunks are exchanged. */
  readonly feed: Feed
  readonly folder: PlaitFolder
  readonly view: View
  readonly field: PreparedField<Files, FilesOperation>
  readonly rules: PathRules
  readonly digester: ContentDigester
  readonly placer: FilePlacer
  readonly contents: Contents
  readonly reconciler: Reconciler
  readonly isReadOnly: boolean
  readonly isPassive: boolean
}

const DriveEventTarget = EventTarget as unknown as new () => DriveEvents

/** Progress is told so often at most. */
const progressMs = 100
/** Nothing new for so long: what others have is here. */
const quietMs = 100
/** A folder is looked at so often anyhow, and one of which not everything can be watched. */
const watchedMs = 10 * 60_000
const unwatchedMs = 30_000
/** Nothing at all for so long: what is missing is not waited for. */
const silentMs = 10_000
const lookMs = 20

/** A drive that is open. */
export class OpenDrive extends DriveEventTarget implements Drive {
  readonly group: Group
  readonly folder: string
  readonly #parts: OpenDriveParts
  readonly #loop: DriveLoop
  readonly #looks: Looks
  readonly #copies: WholeCopies
  #isPassive: boolean
  #isWatched = false
  #watch: FolderWatch | undefined
  #progressTimer: Timer | undefined
  #closing: Promise<void> | undefined

  constructor(parts: OpenDriveParts) {
    super()
    const { group, replica, contents, reconciler, feeds, folderPath } = parts
    this.#parts = parts
    this.group = group
    this.folder = folderPath
    this.#loop = new DriveLoop({
      reconciler,
      runtime: feeds.store.runtime,
      ready: (signal) => this.#ready(signal),
      mayWrite: () => this.#mayWrite(),
      isWatched: () => this.#isWatched,
      counts: () => contents.counts,
      host: {
        changed: () => this.#tellProgress(),
        problem: (problem) => this.#emit('problem', problem),
        conflict: (path) => this.#emit('conflict', { path }),
        hold: (hold) => this.#emit('hold', hold),
        settled: (report) => {
          this.#copies.tell()
          this.#emit('settled', report)
        },
      },
    })
    this.#isPassive = parts.isPassive
    this.#looks = new Looks({
      feed: parts.feed,
      runtime: feeds.store.runtime,
      look: async () => this.#isPassive || this.#loop.look(),
      isLooking: () => this.#loop.phase !== 'joining',
    })
    this.#copies = new WholeCopies(parts.feed, {
      digest: (bytes) => sha256.digest(bytes),
      layout: () => reconciler.layout(),
      isWhole: () => this.#isWhole(),
    })
    replica.subscribe(() => this.#loop.wakeByTree())
    group.addEventListener('overturned', () => this.#loop.wakeByTree())
    group.addEventListener('members', () => this.#loop.wake())
    group.addEventListener('failed', ({ detail }) => this.#emit('failed', detail))
    // Whoever has come may have what nobody had.
    parts.feed.addEventListener('peer', () => {
      if (this.#loop.problems.some(({ error }) => error?.code === 'UNREACHABLE')) this.#loop.wake()
    })
  }

  get id(): string {
    return this.group.id
  }

  get role(): Role | undefined {
    return this.group.role
  }

  /** `watch`: begins to watch the folder, and tells of what is to be looked at, and of what it cannot watch. */
  start(
    watch: ((changed: (paths?: ReadonlySet<string>) => void, failed: () => void) => FolderWatch) | undefined,
  ): void {
    this.#isWatched = watch !== undefined
    this.#watch = watch?.(
      (paths) => this.#loop.wakeByFolder(paths),
      () => {
        this.#isWatched = false
        this.#loop.rescanEvery(unwatchedMs)
      },
    )
    if (this.#watch === undefined) {
      if (!this.#isPassive) this.#loop.start()
      return
    }
    // The scan is the truth: a watcher may miss something, and does before it is ready.
    if (!this.#isPassive) this.#loop.rescanEvery(watchedMs)
    void this.#watch.ready.then(() => {
      if (this.#closing !== undefined) return
      if (this.#loop.isStarted) this.#loop.wake()
      else if (!this.#isPassive) this.#loop.start()
    })
  }

  /** Something in the folder is not what it was. */
  wake(): void {
    this.#loop.wake()
  }

  status(): DriveStatus {
    const { phase, hold, problems } = this.#loop
    const { contents, feed } = this.#parts
    return {
      ...{ id: this.id, folder: this.folder, role: this.role, phase, hold, problems },
      progress: { ...this.#loop.measure() },
      counts: contents.counts,
      connected: this.#closing === undefined ? feed.status().peers.length : 0,
    }
  }

  async sync({ signal, isLooking = true }: SyncOptions = {}): Promise<DriveReport> {
    this.#check()
    this.#isPassive = false
    this.#loop.start()
    return isLooking ? this.#loop.sync(signal) : this.#loop.rest(signal)
  }

  async caughtUp({ signal }: WaitOptions = {}): Promise<void> {
    this.#check()
    await this.#newsIsHere(0, signal)
    await this.#looks.ask((isDone) => this.#until(isDone, signal))
    await this.#newsIsHere(quietMs, signal)
  }

  async ready({ signal }: WaitOptions = {}): Promise<void> {
    this.#check()
    await this.#ready(signal ?? new AbortController().signal)
  }

  copied({ signal }: WaitOptions = {}): Promise<string> {
    return this.#copies.ask((isDone) => this.#until(isDone, signal))
  }

  preview({ signal }: WaitOptions = {}): Promise<DrivePreview> {
    this.#check()
    const { reconciler, field, folder } = this.#parts
    return this.#loop.alone(async (ending) => {
      await this.#ready(ending)
      const disk = await reconciler.look(ending)
      await this.#ready(ending)
      const isMarked = readFolderMarker(folder.root)?.drive === this.id
      const { agreement } = reconciler
      const { state: files, writer } = field
      const layout = reconciler.layout()
      return preview({ agreement, disk, layout, files, writer, isMarked, mayWrite: this.#mayWrite() })
    }, signal)
  }

  verify(options: VerifyOptions = {}): Promise<DriveVerification> {
    this.#check()
    return this.#loop.alone((signal) => this.#verify({ ...options, signal }), options.signal)
  }

  repair(options: VerifyOptions = {}): Promise<DriveRepair> {
    this.#check()
    return this.#loop.alone(async (signal) => {
      const verification = await this.#verify({ ...options, signal })
      const actions = verification.repairs()
      const { problems } = await this.#parts.reconciler.apply(actions, { signal, onDone: () => undefined })
      signal.throwIfAborted()
      const { files, bytes, damaged, edited, absent } = verification
      const unreadable = damaged.filter(({ damage }) => damage === 'unreadable')
      return { files, bytes, damaged, edited, absent, problems: [...unreadable, ...problems] }
    }, options.signal)
  }

  async resolve(path: string, { keep = 'this', ...waiting }: ResolveOptions = {}): Promise<DriveReport> {
    this.#check()
    const { reconciler, folder } = this.#parts
    await this.sync(waiting)
    if (!this.#mayWrite())
      throw new PlaitError('FORBIDDEN', 'this copy only reads: somebody who may write has to choose')
    await this.#loop.alone(async () =>
      carryOutChoice(folder, conflictChoice(reconciler.agreement, reconciler.layout().items, path, keep)),
    )
    return this.sync(waiting)
  }

  allowDeletions(): void {
    this.#loop.allowDeletions()
  }

  entries(): readonly DriveEntry[] {
    const { reconciler } = this.#parts
    const { agreement } = reconciler
    return Array.from(reconciler.layout().items.values(), (item) => {
      const { path, version } = item
      const agreed = agreement.get(path)
      return {
        path,
        version,
        isConflict: isConflict(item),
        isHere: agreed !== undefined && sameContent(agreed.version, version),
      }
    })
  }

  async *read(path: string, options: ReadFileOptions = {}): AsyncGenerator<Uint8Array, void> {
    this.#check()
    const { contents, reconciler } = this.#parts
    const version = reconciler.layout().items.get(path)?.version
    if (version?.kind !== 'file')
      throw new PlaitError('FILE_FAILED', `${path} is no file of this drive; see \`plait ls\``, { facts: { path } })
    const start = Math.min(version.size, Math.max(0, options.start ?? 0))
    const end = Math.max(start, Math.min(version.size, options.end ?? version.size))
    yield* contents.read(version, { start, end }, options.signal)
  }

  history(): readonly HistoryEntry[] {
    this.#check()
    return this.#parts.folder.history.list()
  }

  restore(id: string, path: string): void {
    this.#check()
    restoreFile(this.#parts.folder, id, path)
    this.#loop.wake()
  }

  async invite(options: InviteOptions = {}): Promise<string> {
    return driveLinkOf(await this.group.invite({ role: 'read', ...options }))
  }

  revoke(link: string): Promise<void> {
    return this.group.revoke(groupLinkOf(link))
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #close(): Promise<void> {
    const { contents, digester, placer, folder, view, group } = this.#parts
    await this.#watch?.close()
    await this.#loop.close()
    this.#progressTimer?.cancel()
    contents.close()
    await digester.close()
    await placer.close()
    await group.close()
    folder.close()
    await view.close()
  }

  #mayWrite(): boolean {
    const { role } = this.group
    return !this.#parts.isReadOnly && role !== undefined && allows(role, 'write')
  }

  #isWhole(): boolean {
    const { phase, problems, hold } = this.#loop
    return phase === 'idle' && problems.length === 0 && hold === undefined
  }

  async #verify({ signal, progress }: VerifyOptions & { readonly signal: AbortSignal }): Promise<Verification> {
    const { folder, reconciler, digester, rules } = this.#parts
    await this.#ready(signal)
    // The patterns of the folder stand in its directories.
    for (const _step of walkFolder(folder.root, rules));
    const isSeen = (path: string): boolean => !rules.leavesOut(path, false) && !rules.leavesOut(path, true)
    const parts = { folder, agreement: reconciler.agreement, layout: reconciler.layout(), digester, isSeen }
    return Verification.of(parts, { signal, ...(progress !== undefined && { progress }) })
  }

  #check(): void {
    if (this.#closing !== undefined) throw new PlaitError('STORE_CLOSED', 'the drive was closed here')
  }

  /** This node is known to be a member, and all that is here of the tree is in it. */
  async #ready(signal: AbortSignal): Promise<void> {
    while (this.group.role === undefined) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          this.group.removeEventListener('members', done)
          signal.removeEventListener('abort', done)
          resolve()
        }
        this.group.addEventListener('members', done)
        signal.addEventListener('abort', done)
      })
      signal.throwIfAborted()
    }
    await this.#parts.replica.settled()
    signal.throwIfAborted()
  }

  async #until(isSo: () => boolean, signal: AbortSignal | undefined): Promise<void> {
    const { timers } = this.#parts.feeds.store.runtime
    for (;;) {
      signal?.throwIfAborted()
      this.#check()
      if (isSo()) return
      await new Promise<void>((resolve) => void timers.after(lookMs, resolve))
    }
  }

  /**
   * Somebody is connected, and what is known to be written is here, and nothing new has been written for so long; or nothing at all has
   * come of what is missing, for long.
   */
  async #newsIsHere(forMs: number, signal: AbortSignal | undefined): Promise<void> {
    const { clock } = this.#parts.feeds.store.runtime
    let [seen, sinceMs] = ['', clock.now()]
    await this.#until(() => {
      const { text, isLevel } = this.#news()
      if (text !== seen) sinceMs = clock.now()
      seen = text
      return text !== '' && clock.now() - sinceMs >= (isLevel ? forMs : silentMs)
    }, signal)
  }

  /** What is known of the members' feeds, as a text, empty as long as nobody is connected; and whether that is here. */
  #news(): { readonly text: string; readonly isLevel: boolean } {
    const { feeds, group } = this.#parts
    const { clock, feeds: ordered, members } = group.snapshot()
    if (group.role === undefined || !members.some((member) => member.isConnected)) return { text: '', isLevel: false }
    const lengths = new Map(feeds.list().map(({ id, length }) => [id.slice(id.indexOf(':') + 1), length]))
    const known = ordered.map(({ writer, received }) => [received, lengths.get(writer) ?? 0] as const)
    const isLevel = known.every(([received, length]) => received >= length)
    return { text: JSON.stringify([clock, members.length, known]), isLevel }
  }

  #tellProgress(): void {
    this.#progressTimer ??= this.#parts.feeds.store.runtime.timers.after(progressMs, () => {
      this.#progressTimer = undefined
      this.#emit('progress', this.status())
    })
  }

  #emit<Name extends DriveEventName>(name: Name, detail: DriveEventDetails[Name]): void {
    this.dispatchEvent(new CustomEvent(name, { detail }))
  }
}
