import { encodeHex } from '../../base/bytes.ts'
import { compareDots } from '../../crdt/dot.ts'
import type { Dot } from '../../crdt/dot.ts'
import { compareAge } from '../../crdt/names.ts'
import type { MvRegister, Written } from '../../crdt/mv-register.ts'
import type { TreeEntry } from '../../crdt/tree-view.ts'
import type { Version } from '../version.ts'
import { sameContent } from './item.ts'
import type { Claim, Files } from './item.ts'
import { endsStep } from './steps.ts'
import type { Steps } from './steps.ts'

/** Something that wants a name in a directory. */
export interface Slot {
  readonly name: string
  readonly version: Version
  /** Which of the versions is shown; undefined for a directory of which nothing is said. */
  readonly written: Written<Version> | undefined
  readonly claims: Claim[]
  readonly isCopy: boolean
}

/** What wants a name in a directory, and whether any two want the same. */
export interface Slots {
  readonly list: readonly Slot[]
  readonly areDistinct: boolean
}

type Entry = TreeEntry<MvRegister<Version>>

/**
 * What wants a name in a directory, which may stand for several entries of the tree: its directories, those of one name as one; its files
 * and links, of those of one name with one content one; and the versions that were written at the same time as another one of the same
 * entry. Who had its name first comes first.
 */
export function* slotsIn(view: Files['view'], parents: readonly (Dot | undefined)[], depthMax: number): Steps<Slots> {
  const entries = parents.flatMap((parent) => view.listing(parent)).sort(compareEntries)
  const directory = new SharedDirectory(view, depthMax)
  let count = 0
  for (const entry of entries) {
    directory.add(entry)
    count += 1
    if (endsStep(count)) yield
  }
  return directory
}

class SharedDirectory implements Slots {
  readonly list: Slot[] = []
  areDistinct = true
  readonly #view: Files['view']
  readonly #depthMax: number
  readonly #directories = new Map<string, Slot>()
  readonly #files = new Map<string, Slot>()
  /** Files that want a name which another one had first, by name and content. */
  readonly #otherFiles = new Map<string, Slot>()

  constructor(view: Files['view'], depthMax: number) {
    this.#view = view
    this.#depthMax = depthMax
  }

  add(entry: Entry): void {
    const { written } = entry.content
    const [only] = written
    if (only !== undefined && written.length === 1) {
      // Nearly always, and quick.
      const isFolder = only.value.kind === 'directory'
      const isBoth = !isFolder && this.#hasContent(entry.id)
      if (isFolder) this.#addDirectory(entry, written)
      else if (isBoth) this.#addDirectory(entry, [])
      if (!isFolder) this.#addGroup(entry, written, isBoth)
      return
    }
    const folder = written.filter(({ value }) => value.kind === 'directory')
    const isDirectory = folder.length > 0 || this.#hasContent(entry.id)
    const groups = groupsOf(written.filter(({ value }) => value.kind !== 'directory'))
    if (isDirectory) this.#addDirectory(entry, folder)
    groups.forEach((group, index) => this.#addGroup(entry, group, isDirectory || index > 0))
  }

  #addDirectory(entry: Entry, folder: readonly Written<Version>[]): void {
    const name = givenName(entry)
    const claim = { id: entry.id, life: entry.life, versions: dotsOf(folder) }
    const known = this.#directories.get(name)
    if (known !== undefined) return void known.claims.push(claim)
    const [first] = folder
    const version = first?.value ?? unknownDirectory
    this.#directories.set(name, this.#push({ name, version, written: first, claims: [claim], isCopy: false }))
  }

  #addGroup(entry: Entry, group: readonly Written<Version>[], isCopy: boolean): void {
    const [first] = group as readonly [Written<Version>]
    const name = givenName(entry)
    const version = first.value
    const claim = { id: entry.id, life: isCopy ? [] : entry.life, versions: dotsOf(group) }
    const same = isCopy ? undefined : this.#fileLike(name, version)
    if (same !== undefined) return void same.claims.push(claim)
    const slot = this.#push({ name, version, written: first, claims: [claim], isCopy })
    if (isCopy) return
    if (!this.#files.has(name)) this.#files.set(name, slot)
    else this.#otherFiles.set(contentKey(name, version), slot)
  }

  #push(slot: Slot): Slot {
    if (slot.isCopy || this.#directories.has(slot.name) || this.#files.has(slot.name)) this.areDistinct = false
    this.list.push(slot)
    return slot
  }

  #fileLike(name: string, version: Version): Slot | undefined {
    const first = this.#files.get(name)
    if (first === undefined) return undefined
    return sameContent(first.version, version) ? first : this.#otherFiles.get(contentKey(name, version))
  }

  /** Whether something is to be shown below an entry. */
  #hasContent(id: Dot, depthMax = this.#depthMax): boolean {
    if (depthMax === 0 || !this.#view.hasChildren(id)) return false
    for (const { id: below, content } of this.#view.listing(id))
      if (!content.isEmpty || this.#hasContent(below, depthMax - 1)) return true
    return false
  }
}

function contentKey(name: string, { kind, size, root, target }: Version): string {
  return `${kind} ${size} ${encodeHex(root)} ${target.length} ${target}${name}`
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

function givenName({ placement, name }: Entry): string {
  return placement?.name ?? name
}

function compareEntries(left: Entry, right: Entry): number {
  if (left.placement === undefined || right.placement === undefined) return compareDots(left.id, right.id)
  return compareAge(left.placement, right.placement)
}

function dotsOf(written: readonly Written<Version>[]): readonly Dot[] {
  const dots = written.map(({ dot }) => dot)
  return dots.length > 1 ? dots.sort(compareDots) : dots
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
