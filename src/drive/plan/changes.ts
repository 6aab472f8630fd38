import { includesDot, withDot } from '../../crdt/dot-list.ts'
import { DotMap } from '../../crdt/dot-map.ts'
import type { Writer } from '../../crdt/dot.ts'
import type { Written } from '../../crdt/mv-register.ts'
import type { KnownEntry } from '../folder/disk-entry.ts'
import { baseName, compareTreePaths, parentPath } from '../tree-path.ts'
import type { Version } from '../version.ts'
import { deletionsHold, folderHold } from './guard.ts'
import type { Hold } from './guard.ts'
import { asideFolder, entryDots, isAside, isToRestate, nearTime, sameContent, versionDots } from './item.ts'
import type { Agreed, Agreement, Claim, Files, Item } from './item.ts'
import type { Layout } from './layout.ts'
import { matchDisk } from './match.ts'
import type { Disk, Match } from './match.ts'

/** Something that the folder has and the tree does not say yet. */
export type Change =
  | { readonly kind: 'create'; readonly found: KnownEntry }
  /** The same entry elsewhere, or under another name: one operation, whatever is in it. */
  | { readonly kind: 'move'; readonly agreed: Agreed; readonly found: KnownEntry; readonly name: string }
  /** Another content, mode or time. */
  | { readonly kind: 'edit'; readonly agreed: Agreed; readonly found: KnownEntry; readonly version: Version }
  /** A version beside another one was edited or moved: it becomes an entry of its own. */
  | { readonly kind: 'detach'; readonly agreed: Agreed; readonly found: KnownEntry }
  | { readonly kind: 'delete'; readonly agreed: Agreed }
  /** It was moved while somebody who had not seen that deleted it: it stays, and what it holds is said once more. */
  | { readonly kind: 'restate'; readonly agreed: Agreed; readonly claim: Claim }

export interface ChangesInput {
  readonly agreement: Agreement
  readonly disk: Disk
  readonly view: Files['view']
  readonly layout: Layout
  /** Whether the folder's marker is where it was. */
  readonly isMarked: boolean
  /**
   * Who writes here. What they have written and is not agreed on was published by a process that ended before it could say so: the folder
   * has been looked at then, and whatever it has now came later.
   */
  readonly writer: Writer
  /** Somebody has said that everything that is gone is to be deleted. */
  readonly allowDeletions?: boolean
  /** Deletions of files that were published a short while ago. */
  readonly recentDeletions?: number
}

export interface Changes {
  /** In the order in which they can be published. */
  readonly list: readonly Change[]
  /** What the folder and the tree say alike already, with its place in the folder and what it is in the tree. */
  readonly kept: readonly Agreed[]
  readonly hold: Hold | undefined
}

/**
 * Compares the folder with what was agreed on: what is to be published. Edits and deletions name what was seen here, so that they are
 * concurrent to what others have published meanwhile, even where that is known.
 */
export function changesOf(input: ChangesInput): Changes {
  const { agreement, disk, isMarked, allowDeletions = false } = input
  const stop = allowDeletions && isMarked ? undefined : folderHold(agreement, disk, isMarked)
  if (stop !== undefined) return { list: [], kept: [...agreement.values()], hold: stop }
  const match = matchDisk(agreement, disk)
  const comparison = new Comparison(input, match)
  for (const found of disk.entries.values()) comparison.look(found)
  const files = match.gone.filter(({ version }) => version.kind === 'file')
  const hold = allowDeletions ? undefined : deletionsHold(agreement, files.length, input.recentDeletions)
  // What is not published stays agreed on: it is asked about again each time.
  const gone = new Set(hold === undefined ? match.gone : [])
  const unlooked = [...agreement.values()].filter((agreed) => !match.foundByAgreed.has(agreed) && !gone.has(agreed))
  const deleted = hold === undefined ? match.gone.toSorted((one, other) => compareTreePaths(other.path, one.path)) : []
  return {
    list: [...comparison.list, ...deleted.map((agreed): Change => ({ kind: 'delete', agreed }))],
    kept: [...comparison.kept, ...unlooked],
    hold,
  }
}

class Comparison {
  readonly list: Change[] = []
  readonly kept: Agreed[] = []
  readonly #strays = new Set<string>()
  readonly #input: ChangesInput
  readonly #match: Match
  /** Versions that were agreed on, wherever: the others have never been in the folder, or it has been forgotten. */
  readonly #agreedVersions = new DotMap<true>()
  /** Names of the things that are in the folder, wherever. */
  readonly #present = new DotMap<true>()

  constructor(input: ChangesInput, match: Match) {
    this.#input = input
    this.#match = match
    for (const agreed of input.agreement.values())
      for (const dot of versionDots(agreed)) this.#agreedVersions.set(dot, true)
    for (const agreed of match.foundByAgreed.keys())
      for (const dot of [...versionDots(agreed), ...entryDots(agreed)]) this.#present.set(dot, true)
  }

  look(found: KnownEntry): void {
    const agreed = this.#match.agreedByFound.get(found)
    if (agreed === undefined) this.#lookAtFresh(found)
    else this.#lookAtKnown(agreed, found)
  }

  #lookAtFresh(found: KnownEntry): void {
    if (parentPath(found.path) === asideFolder || this.#isBelowStray(found.path)) this.#strays.add(found.path)
    else {
      const item = this.#input.layout.items.get(found.path)
      if (item !== undefined && this.#isSame(item, found)) this.kept.push(agreedOn(item, found))
      else this.list.push({ kind: 'create', found })
    }
  }

  /** Put there by an earlier run that could not say so any more, or by somebody who has done the same. */
  #isSame(item: Item, found: KnownEntry): boolean {
    if (item.version.kind !== found.kind || !(found.kind === 'directory' || sameContent(item.version, found)))
      return false
    return ![...versionDots(item), ...entryDots(item)].some((dot) => this.#present.has(dot))
  }

  #isBelowStray(path: string): boolean {
    return isAside(path) && this.#strays.has(parentPath(path))
  }

  #lookAtKnown(agreed: Agreed, found: KnownEntry): void {
    const name = this.#movedTo(agreed, found)
    const isOther = found.kind !== 'directory' && !sameContent(found, agreed.version)
    if (agreed.isCopy && (name !== undefined || isOther)) return this.#detach(agreed, found)
    if (name !== undefined) this.list.push({ kind: 'move', agreed, found, name })
    const seen = this.#withForgotten(agreed)
    const isChanged = isOther || seen !== agreed || factsChanged(agreed, found)
    const version = isChanged ? versionOf(found, agreed) : undefined
    const known = version === undefined ? undefined : this.#knownAs(agreed, version)
    if (known !== undefined || (isChanged && agreed.isCopy))
      this.kept.push({ ...agreedOn({ ...agreed, ...known }, found), path: found.path })
    else if (version !== undefined) this.list.push({ kind: 'edit', agreed: seen, found, version })
    else {
      this.#restate(agreed)
      if (name === undefined) this.kept.push({ ...agreed, path: found.path, disk: found })
    }
  }

  #detach(agreed: Agreed, found: KnownEntry): void {
    const item = this.#input.layout.items.get(found.path)
    if (item === undefined || item.isCopy || !sameContent(item.version, found))
      return void this.list.push({ kind: 'detach', agreed, found })
    // An earlier run has made it an entry, and could not finish.
    this.kept.push(agreedOn(item, found))
    this.list.push({ kind: 'delete', agreed })
  }

  /** The name of the entry in the tree, if it is to be put elsewhere or called otherwise there. */
  #movedTo(agreed: Agreed, found: KnownEntry): string | undefined {
    if (agreed.path === found.path && !this.#isParentMoved(agreed, found)) return undefined
    if (parentPath(found.path) === asideFolder) return undefined
    const isRenamed = isAside(agreed.path)
      ? parentPath(agreed.path) === asideFolder
      : baseName(agreed.path) !== baseName(found.path)
    if (!isRenamed && !this.#isParentMoved(agreed, found)) return undefined
    const item = this.#input.layout.items.get(found.path)
    const dotsIn = agreed.isCopy ? versionDots : entryDots
    const theirs = item === undefined ? [] : dotsIn(item)
    if (dotsIn(agreed).some((dot) => includesDot(theirs, dot))) return undefined
    return isRenamed ? baseName(found.path) : agreed.name
  }

  /** Whether it is in another directory than it was, wherever that is now. */
  #isParentMoved(agreed: Agreed, found: KnownEntry): boolean {
    const [before, now] = [parentPath(agreed.path), parentPath(found.path)]
    if (before === '' && now === '') return false
    const directory = this.#input.disk.entries.get(now)
    if (before === '' || now === '' || directory === undefined) return true
    return this.#match.agreedByFound.get(directory) !== this.#input.agreement.get(before)
  }

  /** With the versions that were written here and forgotten. */
  #withForgotten(agreed: Agreed): Agreed {
    const [claim, ...others] = agreed.claims as readonly [Claim, ...Claim[]]
    if (agreed.isCopy) return agreed
    let { versions } = claim
    for (const { dot } of this.#input.view.content(claim.id)?.written ?? []) {
      if (dot.writer !== this.#input.writer || this.#agreedVersions.has(dot)) continue
      versions = withDot(versions, dot)
    }
    return versions === claim.versions ? agreed : { ...agreed, claims: [{ ...claim, versions }, ...others] }
  }

  /** What the tree says already that the folder has come to be. */
  #knownAs(agreed: Agreed, version: Version): Pick<Agreed, 'claims' | 'version'> | undefined {
    const [claim] = agreed.claims as readonly [Claim]
    const entry = this.#input.view.entry(claim.id)
    const same = (entry?.content.written ?? []).filter(({ value }) => sameContent(value, version))
    const [first] = same
    if (first === undefined) return undefined
    const isEdit = !sameContent(version, agreed.version)
    if (!isEdit && !same.some(({ value }) => sameFacts(value, version))) return undefined
    return { claims: [{ ...claim, versions: dotsOf(same) }], version: first.value }
  }

  #restate(agreed: Agreed): void {
    if (agreed.isCopy) return
    for (const claim of agreed.claims) {
      if (isToRestate(this.#input.view, claim)) this.list.push({ kind: 'restate', agreed, claim })
    }
  }
}

function dotsOf(written: readonly Written<Version>[]): Claim['versions'] {
  return written.map(({ dot }) => dot)
}

/** An item that is in the folder: with the mode and time that it has there. */
export function agreedOn(item: Item, found: KnownEntry): Agreed {
  const { mode, mtimeNs } = found
  return { ...item, version: { ...item.version, mode, mtimeNs }, disk: found }
}

/** What the system could not keep of mode and time is not taken for a change. */
export function versionOf(found: KnownEntry, agreed?: Agreed): Version {
  const { kind, mode, mtimeNs, size, root, target } = found
  const known = agreed === undefined ? undefined : agreed.version
  return {
    kind,
    mode: known !== undefined && agreed?.disk.mode === mode ? known.mode : mode,
    mtimeNs: known !== undefined && agreed?.disk.mtimeNs === mtimeNs ? known.mtimeNs : mtimeNs,
    size,
    root,
    target,
  }
}

/** The time of a directory changes with what is in it, and says nothing; that of a link cannot be set without making another one. */
function factsChanged({ disk }: Agreed, found: KnownEntry): boolean {
  if (found.kind === 'link') return false
  if (found.mode !== disk.mode) return true
  return found.kind === 'file' && found.mtimeNs !== disk.mtimeNs
}

function sameFacts(left: Version, right: Version): boolean {
  return left.mode === right.mode && (left.kind !== 'file' || nearTime(left.mtimeNs, right.mtimeNs))
}
