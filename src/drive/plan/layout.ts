import { compareDots } from '../../crdt/dot.ts'
import type { Dot, Writer } from '../../crdt/dot.ts'
import { defaultLimits } from '../../base/limits.ts'
import { childPath, linkTargetProblem, pathProblem } from '../tree-path.ts'
import { conflictName, spellingName } from './conflict-name.ts'
import type { Files, Item } from './item.ts'
import { slotsIn } from './shown-entries.ts'
import type { Slot } from './shown-entries.ts'

export interface LayoutOptions {
  /** How a writer is called in the name of a conflict: the same everywhere. By default the first characters of its key. */
  readonly peerName?: (writer: Writer) => string
  /** The same for names that the folder's file system takes for one. By default all names differ that are not equal. */
  readonly fold?: (name: string) => string
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
  const peerName = options.peerName ?? ((writer) => writer.slice(0, 8))
  const fold = options.fold ?? ((name) => name)
  const items = new Map<string, Item>()
  const refused: { path: string; reason: string }[] = []
  const fill = (directory: string, ids: readonly (Dot | undefined)[], depth: number): void => {
    const slots = slotsIn(view, ids, defaultLimits.pathDepth - depth)
    for (const [name, slot] of namesFor(slots, peerName, fold)) {
      const path = childPath(directory, name)
      const { version, claims, isCopy } = slot
      const reason =
        pathProblem(path) ?? (version.kind === 'link' ? linkTargetProblem(path, version.target) : undefined)
      if (reason !== undefined) {
        refused.push({ path, reason })
        continue
      }
      items.set(path, { path, name: slot.name, version, claims, isCopy })
      if (version.kind !== 'directory') continue
      fill(
        path,
        claims.map(({ id }) => id),
        depth + 1,
      )
    }
  }
  fill('', [undefined], 0)
  return { items, refused }
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
  const give = (slot: Slot, nameOf: (count: number) => string): void => {
    let count = 1
    while (taken.has(fold(nameOf(count)))) count += 1
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
