import { compareDots } from '../../crdt/dot.ts'
import type { Dot, Writer } from '../../crdt/dot.ts'
import { defaultLimits } from '../../base/limits.ts'
import { childPath, childPathProblem, linkTargetProblem, parentPath } from '../tree-path.ts'
import { conflictName, spellingName } from './conflict-name.ts'
import { sameClaims } from './item.ts'
import type { Files, Item } from './item.ts'
import { slotsIn } from './shown-entries.ts'
import type { Slot, Slots } from './shown-entries.ts'
import { allAtOnce, endsStep } from './steps.ts'
import type { Steps } from './steps.ts'

export interface LayoutOptions {
  /** How a writer is called in the name of a conflict: the same everywhere. By default the first characters of its key. */
  readonly peerName?: (writer: Writer) => string
  /** The same for names that the folder's file system takes for one. By default all names differ that are not equal. */
  readonly fold?: (name: string) => string
  /** An earlier one of the same tree, with the same options: what is as it was is not made again. */
  readonly previous?: Layout | undefined
}

/** What the folder is to look like. */
export interface Layout {
  /** By path, each directory before what is in it. */
  readonly items: ReadonlyMap<string, Item>
  /** What cannot stand in a folder, with what is below it, and why: the end of a sentence that begins with the path. */
  readonly refused: readonly { readonly path: string; readonly reason: string }[]
}

/** For file systems that take letters of either case, and either way to write an accent, for the same. */
export function foldCase(name: string): string {
  return name.normalize('NFC').toLowerCase().normalize('NFC')
}

/**
 * The folder that a tree describes. It follows from the tree alone, so that it is the same everywhere; only where a file system takes
 * different names for the same (`fold`) some have others on that disk. Names that no file can have are refused here, where they come in.
 */
export function layoutOf(view: Files['view'], options: LayoutOptions = {}): Layout {
  return allAtOnce(layoutSteps(view, options))
}

/** The same in steps. The tree must not change between them. */
export function* layoutSteps(view: Files['view'], options: LayoutOptions = {}): Steps<Layout> {
  const walk = new Walk(view, options)
  yield* walk.fill('', [undefined], 0)
  return walk
}

class Walk implements Layout {
  readonly items = new Map<string, Item>()
  readonly refused: { path: string; reason: string }[] = []
  readonly #view: Files['view']
  readonly #peerName: (writer: Writer) => string
  readonly #fold: ((name: string) => string) | undefined
  readonly #previous: ReadonlyMap<string, Item> | undefined
  #count = 0

  constructor(view: Files['view'], { peerName = (writer) => writer.slice(0, 8), fold, previous }: LayoutOptions) {
    this.#view = view
    this.#peerName = peerName
    this.#fold = fold
    this.#previous = previous?.items
  }

  *fill(directory: string, ids: readonly (Dot | undefined)[], depth: number): Steps<void> {
    const slots = yield* slotsIn(this.#view, ids, defaultLimits.pathDepth - depth)
    for (const [name, slot] of this.#named(slots)) {
      const path = childPath(directory, name)
      if (this.#put(path, name, slot, depth + 1) && slot.version.kind === 'directory')
        yield* this.fill(
          path,
          slot.claims.map(({ id }) => id),
          depth + 1,
        )
      this.#count += 1
      if (endsStep(this.#count)) yield
    }
  }

  /** False: it cannot stand in a folder. */
  #put(path: string, name: string, slot: Slot, depth: number): boolean {
    const { name: given, version, claims, isCopy } = slot
    const reason =
      childPathProblem(path, name, depth) ??
      // A name that no file can have is refused whatever it would be called here.
      (given === name ? undefined : childPathProblem(childPath(parentPath(path), given), given, depth)) ??
      (version.kind === 'link' ? linkTargetProblem(path, version.target) : undefined)
    if (reason !== undefined) this.refused.push({ path, reason })
    else {
      const known = this.#previous?.get(path)
      const isKnown = known !== undefined && isSame(known, slot)
      const item = isKnown ? known : { path, name: given, version, claims, isCopy }
      this.items.set(item.path, item)
    }
    return reason === undefined
  }

  #named({ list, areDistinct }: Slots): Iterable<readonly [string, Slot]> {
    // Nearly always.
    if (areDistinct && this.#fold === undefined) return named(list)
    return namesFor(list, this.#peerName, this.#fold ?? ((name) => name))
  }
}

function isSame(item: Item, { name, version, claims, isCopy }: Slot): boolean {
  return item.version === version && item.name === name && item.isCopy === isCopy && sameClaims(item.claims, claims)
}

function* named(slots: readonly Slot[]): Generator<readonly [string, Slot]> {
  for (const slot of slots) if (slot.version.kind === 'directory') yield [slot.name, slot]
  for (const slot of slots) if (slot.version.kind !== 'directory') yield [slot.name, slot]
}

/**
 * Gives each its name. Of several that want one the directory has it, since all that is in it has it in its path, or else who had it
 * first; the others stand beside it under one that says whose they are.
 */
function namesFor(
  slots: readonly Slot[],
  peerName: (writer: Writer) => string,
  fold: (name: string) => string,
): ReadonlyMap<string, Slot> {
  const slotsByName = new Map<string, Slot>()
  const taken = new Set<string>()
  // How many have got a name that is made of this one: nobody can have so many written that to count them takes long.
  const counts = new Map<string, number>()
  const give = (slot: Slot, nameOf: (count: number) => string): void => {
    const first = nameOf(1)
    let count = counts.get(first) ?? 1
    while (taken.has(fold(nameOf(count)))) count += 1
    counts.set(first, count + 1)
    taken.add(fold(nameOf(count)))
    slotsByName.set(nameOf(count), slot)
  }
  const losers: Slot[] = []
  const folded: Slot[] = []
  const first = new Map<string, Slot>()
  for (const slot of slots.toSorted(compareClaims)) {
    if (slot.isCopy || first.has(slot.name)) losers.push(slot)
    else first.set(slot.name, slot)
  }
  for (const slot of first.values()) {
    if (taken.has(fold(slot.name))) folded.push(slot)
    else give(slot, () => slot.name)
  }
  for (const slot of folded) give(slot, (count) => spellingName(slot.name, count))
  for (const slot of losers.sort(compareWritten))
    give(slot, (count) =>
      conflictName(slot.name, peerName(slot.written?.dot.writer ?? ''), slot.version.mtimeNs, count),
    )
  return slotsByName
}

/** Directories first. The sort is stable: otherwise the order is that of age. */
function compareClaims(left: Slot, right: Slot): number {
  return Number(right.version.kind === 'directory') - Number(left.version.kind === 'directory')
}

function compareWritten(left: Slot, right: Slot): number {
  if (left.written === undefined || right.written === undefined) return 0
  return compareDots(left.written.dot, right.written.dot)
}
