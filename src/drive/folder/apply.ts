import { encodeHex } from '../../base/bytes.ts'
import { PlaitError } from '../../base/error.ts'
import { failureReason, fileError, isNoSpace } from '../disk/file-error.ts'
import type { FilePlacer } from '../disk/fresh-files.ts'
import type { TempFile } from '../disk/temp-file.ts'
import type { Pace } from '../pace.ts'
import type { Action } from '../plan/action.ts'
import { isAside } from '../plan/item.ts'
import type { Agreed } from '../plan/item.ts'
import { isCurrent, settle } from '../plan/settle.ts'
import { Applier, Unexpected } from './applier.ts'
import type { DiskFacts } from './disk-entry.ts'
import { flocksOf } from './flock.ts'
import type { Flock } from './flock.ts'
import type { HistoryReason } from './history.ts'
import type { PlaitFolder } from './plait-folder.ts'
import { partBytesMin, stageFile, stagePart } from './staging.ts'
import type { ContentDoor, PartDoor, SmallContent, SmallDoor } from './staging.ts'

export interface ApplyOptions {
  readonly content: ContentDoor
  /** For large files: what is there of one when it ends stays for the next run. As small ones when absent. */
  readonly assemble?: PartDoor
  /** For many small files where nothing is yet: one after the other when absent. */
  readonly flocks?: { readonly contents: SmallDoor; readonly placer: FilePlacer }
  readonly pace: Pace
  /** Whether files and directories are on the disk before they are agreed on. True by default. */
  readonly isSynced?: boolean
  /** Nothing is begun any more after it; what is written for that is removed. */
  readonly signal?: AbortSignal
  /** Called after each action, and whether it was carried out. */
  readonly onDone?: (action: Action, isDone: boolean) => void
}

export interface Applied {
  /** What could not be done, with `FILE_FAILED`, `NO_SPACE` or what the door of contents says. */
  readonly failures: readonly { readonly path: string; readonly error: PlaitError }[]
  /** Where something else was than expected: it was changed meanwhile, and the next scan sees it. */
  readonly changed: readonly string[]
}

/** Files, and bytes of them, that are written ahead of their turn. */
const aheadFilesMax = 128
const aheadBytesMax = 64 * 1024 * 1024
/** Flocks whose contents are on their way, or wait for their turn: who is killed fetches them again. */
const flocksAheadMax = 2

/**
 * Carries out a plan in its order, and takes down in `agreement` what was done. One failure stops nothing but what relies on it. Resolves
 * when all was tried, or the signal came; what was agreed on by then is on the disk, and can be saved.
 */
export async function applyActions(
  folder: PlaitFolder,
  actions: readonly Action[],
  agreement: Map<string, Agreed>,
  options: ApplyOptions,
): Promise<Applied> {
  const run = new Run(folder, actions, agreement, options)
  try {
    for (let index = 0; index < actions.length && options.signal?.aborted !== true;) index = await run.advance(index)
  } finally {
    await run.finish()
  }
  return { failures: run.failures, changed: run.changed }
}

class Run {
  readonly failures: { readonly path: string; readonly error: PlaitError }[] = []
  readonly changed: string[] = []
  readonly #folder: PlaitFolder
  readonly #actions: readonly Action[]
  readonly #agreement: Map<string, Agreed>
  readonly #options: ApplyOptions
  readonly #applier: Applier
  readonly #staged = new Map<number, Promise<TempFile>>()
  /** Roots of the large files that were begun. */
  readonly #parts = new Set<string>()
  readonly #flocks: readonly Flock[]
  readonly #fetched = new Map<Flock, Promise<readonly SmallContent[]>>()
  #nextFlock = 0
  #flockToStage = 0
  #nextToStage = 0
  #bytesAhead = 0

  constructor(folder: PlaitFolder, actions: readonly Action[], agreement: Map<string, Agreed>, options: ApplyOptions) {
    this.#folder = folder
    this.#actions = actions
    this.#agreement = agreement
    this.#options = options
    this.#applier = new Applier(folder)
    this.#flocks = options.flocks === undefined ? [] : flocksOf(actions)
  }

  /** Does what is to be done at an index, and returns that of what comes next. */
  async advance(index: number): Promise<number> {
    this.#fetchAhead()
    this.#stageAhead(index)
    const flock = this.#flocks[this.#nextFlock]
    if (flock?.start !== index) {
      await this.#step(index)
      return index + 1
    }
    await this.#placeFlock(flock)
    this.#nextFlock += 1
    return flock.end
  }

  async #placeFlock(flock: Flock): Promise<void> {
    const { flocks, isSynced = true, signal } = this.#options
    for (const index of flock.directories) await this.#step(index)
    const contents = await (this.#fetched.get(flock) ?? [])
    this.#fetched.delete(flock)
    const ready: { readonly index: number; readonly bytes: Uint8Array }[] = []
    for (const [at, index] of flock.writes.entries()) {
      const content = contents[at]
      if (content !== undefined && 'bytes' in content && isCurrent(this.#agreement, this.#actions[index] as Action))
        ready.push({ index, bytes: content.bytes })
      else if (signal?.aborted !== true) await this.#step(index, content)
    }
    if (flocks === undefined || signal?.aborted === true) return
    const files = ready.map(({ index, bytes }) => ({ ...(this.#actions[index] as Write), bytes }))
    const placed = await this.#applier.placeAll(files, flocks.placer, isSynced)
    for (const [at, { index, bytes }] of ready.entries()) {
      const facts = placed[at]
      const action = this.#actions[index] as Action
      // By itself it is told why, or made possible.
      if (facts === undefined) await this.#step(index, { bytes })
      else settle(this.#agreement, action, facts)
      if (facts !== undefined) this.#options.onDone?.(action, true)
    }
  }

  /** `content`: of a file that was fetched before, or why it could not be. */
  async #step(index: number, content?: SmallContent): Promise<void> {
    const action = this.#actions[index] as Action
    let isDone = false
    try {
      const temp = await this.#take(index, content)
      const turn = this.#options.pace.pause()
      if (turn !== undefined) await turn
      if (isCurrent(this.#agreement, action)) {
        settle(this.#agreement, action, await this.#carryOut(action, temp))
        isDone = true
      } else {
        this.changed.push(action.path)
        await temp?.discard()
      }
    } catch (error) {
      if (error instanceof Unexpected) this.changed.push(action.path)
      else if (this.#options.signal?.aborted !== true)
        this.failures.push({ path: action.path, error: asFailure(error, action.path) })
    }
    this.#options.onDone?.(action, isDone)
  }

  async finish(): Promise<void> {
    await Promise.all(this.#fetched.values())
    await Promise.all(
      Array.from(this.#staged.values(), (staged) =>
        staged.then(
          (temp) => temp.discard(),
          () => undefined,
        ),
      ),
    )
    this.#applier.finish(this.#options.isSynced ?? true)
  }

  async #carryOut(action: Action, temp: TempFile | undefined): Promise<DiskFacts | undefined> {
    if (action.kind !== 'write') return this.#applier.carryOut(action, this.#whyDeleted(action.path))
    const { path, item, expected } = action
    const agreed = this.#agreement.get(path)
    // A folder that only receives may have something else there than was agreed on.
    const isOwn = agreed !== undefined && expected?.ctimeNs !== 0n && agreed.disk.ctimeNs !== expected?.ctimeNs
    const why = isOwn ? 'unpublished' : 'replaced'
    if (temp === undefined) return this.#applier.placeLink(path, item.version, expected, why)
    try {
      return this.#applier.place(temp, path, item.version, expected, why)
    } catch (error) {
      await temp.discard()
      throw error
    }
  }

  #whyDeleted(path: string): HistoryReason {
    if (this.#agreement.has(path)) return 'deleted'
    return isAside(path) ? 'stray' : 'unpublished'
  }

  async #take(index: number, content: SmallContent | undefined): Promise<TempFile | undefined> {
    const staged = this.#staged.get(index)
    const action = this.#actions[index] as Write
    if (staged === undefined && content !== undefined) return this.#stageKnown(action, content)
    if (staged === undefined) return isFileWrite(action) ? this.#stage(action) : undefined
    try {
      return await staged
    } catch (error) {
      // Others that were written at the same time may have taken the room, and given it back since.
      if (!isNoSpace(error)) throw error
      return await this.#stage(action)
    } finally {
      this.#staged.delete(index)
      this.#bytesAhead -= sizeOf(action)
    }
  }

  async #stageKnown({ item: { version } }: Write, content: SmallContent): Promise<TempFile> {
    if ('error' in content) throw content.error
    const { isSynced = true } = this.#options
    return stageFile(this.#folder, version, (_version, write) => write(content.bytes), { isSynced })
  }

  #stage(action: Write): Promise<TempFile> {
    const { content, assemble, isSynced = true, signal } = this.#options
    const options = { isSynced, ...(signal === undefined ? {} : { signal }) }
    const root = encodeHex(action.item.version.root)
    // A part has one file that it becomes; another one with the same content is written for itself.
    const isPart = assemble !== undefined && action.item.version.size >= partBytesMin && !this.#parts.has(root)
    if (isPart) this.#parts.add(root)
    if (isPart) return stagePart(this.#folder, action.item.version, assemble, options)
    return stageFile(this.#folder, action.item.version, content, options)
  }

  #fetchAhead(): void {
    const { flocks, signal } = this.#options
    if (flocks === undefined) return
    for (const flock of this.#flocks.slice(this.#nextFlock, this.#nextFlock + flocksAheadMax)) {
      if (this.#fetched.has(flock)) continue
      const versions = flock.writes.map((index) => (this.#actions[index] as Write).item.version)
      this.#fetched.set(flock, flocks.contents(versions, signal === undefined ? {} : { signal }))
    }
  }

  #isInFlock(index: number): boolean {
    while ((this.#flocks[this.#flockToStage]?.end ?? Infinity) <= index) this.#flockToStage += 1
    return (this.#flocks[this.#flockToStage]?.start ?? Infinity) <= index
  }

  #stageAhead(index: number): void {
    this.#nextToStage = Math.max(this.#nextToStage, index)
    for (; this.#nextToStage < this.#actions.length; this.#nextToStage += 1) {
      if (this.#isInFlock(this.#nextToStage)) continue
      const action = this.#actions[this.#nextToStage] as Action
      if (!isFileWrite(action)) continue
      const isFull = this.#staged.size >= aheadFilesMax || this.#bytesAhead + sizeOf(action) > aheadBytesMax
      if (isFull && this.#nextToStage > index) return
      this.#bytesAhead += sizeOf(action)
      const staged = this.#stage(action)
      // It is looked at in its turn.
      staged.catch(() => undefined)
      this.#staged.set(this.#nextToStage, staged)
    }
  }
}

type Write = Action & { readonly kind: 'write' }

function isFileWrite(action: Action): action is Write {
  return action.kind === 'write' && action.item.version.kind === 'file'
}

function sizeOf(action: Action): number {
  return action.kind === 'write' ? action.item.version.size : 0
}

function asFailure(error: unknown, path: string): PlaitError {
  if (PlaitError.is(error)) return error
  return error instanceof Error && 'code' in error
    ? fileError(error, path)
    : new PlaitError('FILE_FAILED', `${path} ${failureReason(error)}`, { cause: error, facts: { path } })
}
