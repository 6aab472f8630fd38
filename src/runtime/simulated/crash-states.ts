import type { Change, Survival } from './disk-contents.ts'
import type { NameChange, Unsynced } from './disk-directory.ts'
import { SimulatedDisk } from './disk.ts'
import type { Recorded } from './recording-disk.ts'

export interface CrashState<Note> {
  /** What was noted before the power cut. */
  readonly notes: readonly Note[]
  /** The last call before it, and what it has left of the unsynced changes. */
  readonly description: string
  readonly disk: SimulatedDisk
}

export interface CrashOptions {
  /** What the disk held when the recording began; nothing when absent. */
  readonly base?: SimulatedDisk
  /** What a disk writes as a whole or not at all. 512 when absent. */
  readonly sectorBytes?: number
  /** Writes are also torn after every so many bytes; at sectors only when absent. */
  readonly tearBytes?: number
  /** A point with more selections than that is tried with one change after the other. 200 when absent. */
  readonly selectionsMax?: number
  /** At each point one state only: nothing is left of what was not synced. */
  readonly isStrict?: boolean
}

type AnyChange = Change | NameChange
type Selection = ReadonlyMap<AnyChange, Survival>

/**
 * Every state in which a power cut may leave a disk after each of the recorded calls: each unsynced write lost, whole, torn at a
 * sector or byte with its beginning or its end missing, or nothing of it but its length; each unsynced name lost or not; all of these
 * with one another, so that the disk may have put them in any order.
 */
export async function* crashStates<Note>(
  recorded: readonly Recorded<Note>[],
  options: CrashOptions = {},
): AsyncIterableIterator<CrashState<Note>> {
  const replay = { disk: options.base?.afterCrash() ?? new SimulatedDisk(), files: new Map() }
  const notes: Note[] = []
  let last = 'nothing'
  for (const [index, event] of recorded.entries()) {
    if (event.kind === 'note') notes.push(event.note)
    else {
      await event.repeat(replay)
      last = event.name
    }
    // Notes that follow each other without a call between them are one moment.
    if (recorded[index + 1]?.kind === 'note') continue
    const unsynced = replay.disk.unsynced()
    for (const selection of selections(unsynced, options)) {
      const disk = replay.disk.afterCrash((change) => selection.get(change) ?? false)
      const description = `after ${index}, ${last}: ${describe(unsynced, selection)}`
      yield { notes: [...notes], description, disk }
    }
  }
}

function* selections(unsynced: readonly Unsynced[], options: CrashOptions): IterableIterator<Selection> {
  if (options.isStrict === true) return yield new Map()
  const choices = unsynced.map(({ change }) => [change, survivals(change, options)] as const)
  const product = choices.reduce((count, [, { length }]) => count * length, 1)
  if (product <= (options.selectionsMax ?? 200) || choices.length <= 1) return yield* combinations(choices)
  // One change in every way, the others in four: what was before it left or lost, what came after it left or lost.
  for (const [at, [change, ways]] of choices.entries()) {
    for (const others of [0, 1, 2, 3]) {
      const rest = choices.map(([other], index) => [other, (others & (index < at ? 1 : 2)) !== 0] as const)
      for (const survival of ways) yield new Map<AnyChange, Survival>([...rest, [change, survival]])
    }
  }
  return undefined
}

function* combinations(
  choices: readonly (readonly [AnyChange, readonly Survival[]])[],
): IterableIterator<Map<AnyChange, Survival>> {
  const [first, ...rest] = choices
  if (first === undefined) return yield new Map()
  for (const selection of combinations(rest)) {
    for (const survival of first[1]) yield new Map([...selection, [first[0], survival]])
  }
  return undefined
}

function survivals(change: AnyChange, { sectorBytes = 512, tearBytes }: CrashOptions): Survival[] {
  const ways: Survival[] = [false, true]
  if (change.kind !== 'write') return ways
  const { length } = change.bytes
  ways.push('length')
  // Sectors are counted from the beginning of the file, not of the write.
  for (let at = sectorBytes - (change.offset % sectorBytes); at < length; at += sectorBytes) {
    ways.push({ from: 0, to: at }, { from: at, to: length })
    if (at + sectorBytes < length) ways.push({ from: at, to: at + sectorBytes })
  }
  if (tearBytes === undefined) return ways
  for (let at = tearBytes; at < length; at += tearBytes) ways.push({ from: 0, to: at }, { from: at, to: length })
  return ways
}

function describe(unsynced: readonly Unsynced[], selection: Selection): string {
  const parts = unsynced.map(({ path, change }) => {
    const survival = selection.get(change) ?? false
    const what = change.kind === 'write' ? `write at ${change.offset} of ${change.bytes.length}` : change.kind
    const left = typeof survival === 'object' ? `${survival.from}..${survival.to}` : String(survival)
    return `${path} ${what} ${left}`
  })
  return parts.length === 0 ? 'nothing unsynced' : parts.join(', ')
}
