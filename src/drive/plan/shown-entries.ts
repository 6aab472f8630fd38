import { compareDots } from '../../crdt/dot.ts'
import type { Dot } from '../../crdt/dot.ts'
import { compareAge } from '../../crdt/names.ts'
import type { MvRegister, Written } from '../../crdt/mv-register.ts'
import type { TreeEntry } from '../../crdt/tree-view.ts'
import type { Version } from '../version.ts'
import { sameContent } from './item.ts'
import type { Claim, Files } from './item.ts'

/** Something that wants a name in a directory. */
export interface Slot {
  readonly name: string
  readonly version: Version
  /** Which of the versions is shown; undefined for a directory of which nothing is said. */
  readonly written: Written<Version> | undefined
  claims: Claim[]
  readonly isCopy: boolean
}

type Entry = TreeEntry<MvRegister<Version>>

/**
 * What wants a name in a directory, which may stand for several entries of the tree: its directories, those of one name as one; its files
 * and links, of those of one name with one content one; and the versions that were written at the same time as another one of the same
 * entry. Who had its name first comes first.
 */
export function slotsIn(view: Files['view'], parents: readonly (Dot | undefined)[], depthMax: number): readonly Slot[] {
  const entries = parents.flatMap((parent) => [...view.children(parent).values()])
  const slots: Slot[] = []
  for (const entry of entries.toSorted(compareEntries)) addSlots(view, entry, slots, depthMax)
  return slots
}

function addSlots(view: Files['view'], entry: Entry, slots: Slot[], depthMax: number): void {
  const { written } = entry.content
  const folder = written.filter(({ value }) => value.kind === 'directory')
  const isDirectory = folder.length > 0 || hasContent(view, entry.id, depthMax)
  const groups = groupsOf(written.filter(({ value }) => value.kind !== 'directory'))
  if (isDirectory) addDirectory(entry, folder, slots)
  groups.forEach((group, index) => addGroup(entry, group, isDirectory || index > 0, slots))
}

function addDirectory(entry: Entry, folder: readonly Written<Version>[], slots: Slot[]): void {
  const name = givenName(entry)
  const claim = { id: entry.id, life: entry.life, versions: dotsOf(folder) }
  const [first] = folder
  const known = slots.find((slot) => slot.version.kind === 'directory' && slot.name === name)
  if (known !== undefined) known.claims.push(claim)
  else slots.push({ name, version: first?.value ?? unknownDirectory, written: first, claims: [claim], isCopy: false })
}

function addGroup(entry: Entry, group: readonly Written<Version>[], isCopy: boolean, slots: Slot[]): void {
  const [first] = group as readonly [Written<Version>]
  const name = givenName(entry)
  const claim = { id: entry.id, life: isCopy ? [] : entry.life, versions: dotsOf(group) }
  const same = slots.find(
    (slot) => !isCopy && !slot.isCopy && slot.name === name && sameContent(slot.version, first.value),
  )
  if (same !== undefined) same.claims.push(claim)
  else slots.push({ name, version: first.value, written: first, claims: [claim], isCopy })
}

/** Versions that hold the same, the latest group first. */
function groupsOf(written: readonly Written<Version>[]): readonly (readonly Written<Version>[])[] {
  const groups: Written<Version>[][] = []
  for (const one of written) {
    const group = groups.find(([first]) => sameContent((first as Written<Version>).value, one.value))
    if (group === undefined) groups.push([one])
    else group.push(one)
  }
  return groups
}

/** Whether something is to be shown below an entry. */
function hasContent(view: Files['view'], id: Dot, depthMax: number): boolean {
  if (depthMax === 0) return false
  for (const { id: below, content } of view.children(id).values())
    if (!content.isEmpty || hasContent(view, below, depthMax - 1)) return true
  return false
}

function givenName({ placement, name }: Entry): string {
  return placement?.name ?? name
}

function compareEntries(left: Entry, right: Entry): number {
  if (left.placement === undefined || right.placement === undefined) return compareDots(left.id, right.id)
  return compareAge(left.placement, right.placement)
}

function dotsOf(written: readonly Written<Version>[]): readonly Dot[] {
  return written.map(({ dot }) => dot).sort(compareDots)
}

/** Removed, or never described, and here for what is in it. */
const unknownDirectory: Version = {
  kind: 'directory',
  mode: 0o755,
  mtimeNs: 0n,
  size: 0,
  root: new Uint8Array(0),
  target: '',
}
