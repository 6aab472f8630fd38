import { includesDot } from '../../crdt/dot-list.ts'
import { DotMap } from '../../crdt/dot-map.ts'
import type { Dot, Writer } from '../../crdt/dot.ts'
import type { Written } from '../../crdt/mv-register.ts'
import type { KnownEntry } from '../folder/disk-entry.ts'
import { baseName, parentPath } from '../tree-path.ts'
import type { Version } from '../version.ts'
import { deepestFirst } from './deepest-first.ts'
import { Forgotten } from './forgotten.ts'
import { deletionsHold, folderHold } from './guard.ts'
import type { Hold } from './guard.ts'
import { asideFolder, entryDots, isAside, isToRestate, nearTime, sameContent, versionDots } from './item.ts'
import type { Agreed, Agreement, Claim, Files, Item } from './item.ts'
import type { Layout } from './layout.ts'
import { matchDisk } from './match.ts'
import type { Disk, Match } from './match.ts'
import { allAtOnce, endsStep } from './steps.ts'
import type { Steps } from './steps.ts'

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
  return allAtOnce(changesSteps(input))
}

/** The same in steps. What they are given must not change between them. */
export function* changesSteps(input: ChangesInput): Steps<Changes> {
  const { agreement, disk, isMarked, allowDeletions = false } = input
  const stop = allowDeletions && isMarked ? undefined : folderHold(agreement, disk, isMarked)
  if (stop !== undefined) return { list: [], kept: [...agreement.values()], hold: stop }
  const match = yield* matchDisk(agreement, disk)
  const comparison = new Comparison(input, match)
  yield* comparison.lookAtAll()
  const files = match.gone.filter(({ version }) => version.kind === 'file')
  const hold = allowDeletions ? undefined : deletionsHold(agreement, files.length, input.recentDeletions)
  // What is not published stays agreed on: it is asked about again each time.
  const gone = new Set(hold === undefined ? match.gone : [])
  if (match.count + gone.size < agreement.size) yield* comparison.keepOthers(gone)
  yield* comparison.deleteAll(yield* deepestFirst(gone))
  return { list: comparison.list, kept: comparison.kept, hold }
}

interface AgreedDots {
  /** Versions that were agreed on, wherever: the others have never been in the folder, or it has been forgotten. */
  readonly versions: DotMap<true>
  /** Names of the things that are in the folder, wherever. */
  readonly present: DotMap<true>
}

class Comparison {
  readonly list: Change[] = []
  readonly kept: Agreed[] = []
  readonly #strays = new Set<string>()
  /** What was agreed on by this comparison: entries, and versions beside others. */
  readonly #adopted = new DotMap<true>()
  readonly #input: ChangesInput
  readonly #match: Match
  readonly #forgotten: Forgotten
  #count = 0
  /** Of what was agreed on: made when it is asked for, which is seldom. */
  #dots: AgreedDots | undefined
  /** The directory that was looked at last, and whether it is another one than was agreed on. */
  #parent = { path: '', isMoved: false }

  constructor(input: ChangesInput, match: Match) {
    this.#input = input
    this.#match = match
    this.#forgotten = new Forgotten(input.view, input.writer)
  }

  *lookAtAll(): Steps<void> {
    for (const found of this.#input.disk.entries.values()) {
      if (this.#dots === undefined && this.#asksForDots(found)) this.#dots = yield* this.#collectDots()
      this.#look(found)
      if (this.#endsStep()) yield
    }
  }

  /** What is neither in the folder nor gone: it was not looked at. */
  *keepOthers(gone: ReadonlySet<Agreed>): Steps<void> {
    for (const agreed of this.#input.agreement.values()) {
      if (!this.#match.has(agreed) && !gone.has(agreed)) this.kept.push(agreed)
      if (this.#endsStep()) yield
    }
  }

  /**
   * But not what was found elsewhere as the tree has it: an earlier run has said that it was moved, and could not write that down. Nor what
   * has been moved to where it is left out here: an earlier run may have taken it away for that.
   */
  *deleteAll(all: readonly Agreed[]): Steps<void> {
    for (const one of all) {
      const agreed = this.#withoutAdopted(one)
      if (agreed === undefined || agreed.claims.some(({ id }) => this.#isLeftOut(id))) continue
      if (this.#dots === undefined && !agreed.isCopy && this.#forgotten.has(agreed))
        this.#dots = yield* this.#collectDots()
      this.list.push({
        kind: 'delete',
        agreed: this.#dots === undefined ? agreed : this.#forgotten.withAll(agreed, this.#dots.versions),
      })
      if (this.#endsStep()) yield
    }
  }

  #asksForDots(found: KnownEntry): boolean {
    const agreed = this.#match.agreedOf(found)
    if (agreed === undefined) return this.#input.layout.items.has(found.path)
    const [{ id, versions }] = agreed.claims as readonly [Claim]
    const written = this.#input.view.content(id)?.written ?? []
    return !agreed.isCopy && written.some(({ dot }) => !includesDot(versions, dot))
  }

  *#collectDots(): Steps<AgreedDots> {
    const dots: AgreedDots = { versions: new DotMap(), present: new DotMap() }
    for (const agreed of this.#input.agreement.values()) {
      const isPresent = this.#match.has(agreed)
      for (const dot of versionDots(agreed)) {
        dots.versions.set(dot, true)
        if (isPresent) dots.present.set(dot, true)
      }
      if (isPresent) for (const dot of entryDots(agreed)) dots.present.set(dot, true)
      if (this.#endsStep()) yield
    }
    return dots
  }

  #endsStep(): boolean {
    this.#count += 1
    return endsStep(this.#count)
  }

  #look(found: KnownEntry): void {
    const agreed = this.#match.agreedOf(found)
    if (agreed === undefined) this.#lookAtFresh(found)
    else this.#lookAtKnown(agreed, found)
  }

  #lookAtFresh(found: KnownEntry): void {
    if (parentPath(found.path) === asideFolder || this.#isBelowStray(found.path)) this.#strays.add(found.path)
    else {
      const item = this.#input.layout.items.get(found.path)
      if (item !== undefined && this.#isSame(item, found)) this.#adopt(item, found)
      else this.list.push({ kind: 'create', found })
    }
  }

  #adopt(item: Item, found: KnownEntry): void {
    this.kept.push(agreedOn(item, found))
    for (const dot of item.isCopy ? versionDots(item) : entryDots(item)) this.#adopted.set(dot, true)
  }

  #withoutAdopted(agreed: Agreed): Agreed | undefined {
    if (this.#adopted.isEmpty) return agreed
    const claims = agreed.claims.filter(
      ({ id, versions }) => !(agreed.isCopy ? versions : [id]).some((dot) => this.#adopted.has(dot)),
    )
    return claims.length === 0 ? undefined : claims.length === agreed.claims.length ? agreed : { ...agreed, claims }
  }

  /** Put there by an earlier run that could not say so any more, or by somebody who has done the same. */
  #isSame(item: Item, found: KnownEntry): boolean {
    if (item.version.kind !== found.kind || !(found.kind === 'directory' || sameContent(item.version, found)))
      return false
    return ![...versionDots(item), ...entryDots(item)].some((dot) => this.#dots?.present.has(dot))
  }

  #isBelowStray(path: string): boolean {
    return isAside(path) && this.#strays.has(parentPath(path))
  }

  #lookAtKnown(agreed: Agreed, found: KnownEntry): void {
    const name = this.#movedTo(agreed, found)
    const isOther = found.kind !== 'directory' && !sameContent(found, agreed.version)
    if (agreed.isCopy && (name !== undefined || isOther)) return this.#detach(agreed, found)
    if (name !== undefined) this.list.push({ kind: 'move', agreed, found, name })
    const seen = this.#forgotten.withVersions(agreed, this.#dots?.versions)
    const isChanged = isOther || seen !== agreed || factsChanged(agreed, found)
    const version = isChanged ? versionOf(found, agreed) : undefined
    const known = version === undefined ? undefined : this.#knownAs(agreed, version)
    if (known !== undefined || (isChanged && agreed.isCopy))
      this.kept.push({ ...agreedOn({ ...agreed, ...known }, found), path: found.path })
    else if (version !== undefined) this.list.push({ kind: 'edit', agreed: seen, found, version })
    else {
      this.#restate(agreed)
      if (name === undefined) this.kept.push(keptAs(agreed, found))
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
    const now = parentPath(found.path)
    if (agreed.path !== found.path) return this.#isOtherDirectory(parentPath(agreed.path), now)
    // What is in a directory comes together.
    if (this.#parent.path !== now) this.#parent = { path: now, isMoved: this.#isOtherDirectory(now, now) }
    return this.#parent.isMoved
  }

  #isOtherDirectory(before: string, now: string): boolean {
    if (before === '' && now === '') return false
    const directory = this.#input.disk.entries.get(now)
    if (before === '' || now === '' || directory === undefined) return true
    return this.#match.agreedOf(directory) !== this.#input.agreement.get(before)
  }

  #isLeftOut(id: Dot): boolean {
    const names: string[] = []
    for (let at = this.#input.view.entry(id); at !== undefined;) {
      names.push(at.placement?.name ?? at.name)
      at = at.parent === undefined ? undefined : this.#input.view.entry(at.parent)
    }
    return names.length > 0 && this.#input.disk.isLeftOut(names.reverse().join('/'))
  }

  /** What the tree says already that the folder has come to be. */
  #knownAs(agreed: Agreed, version: Version): Pick<Agreed, 'claims' | 'version'> | undefined {
    const [claim] = agreed.claims as readonly [Claim]
    const entry = this.#input.view.entry(claim.id)
    // Not what stands elsewhere in the folder, beside another version: what becomes of that there is not to take it from here.
    const isElsewhere = (dot: Dot): boolean =>
      this.#dots?.versions.has(dot) === true && !includesDot(claim.versions, dot)
    const same = (entry?.content.written ?? []).filter(
      ({ dot, value }) => sameContent(value, version) && !isElsewhere(dot),
    )
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

/** What is in the folder as it was is the same as before: so nobody writes it down again. */
function keptAs(agreed: Agreed, found: KnownEntry): Agreed {
  const { disk, path } = agreed
  const isSame =
    path === found.path &&
    disk.inode === found.inode &&
    disk.mtimeNs === found.mtimeNs &&
    disk.ctimeNs === found.ctimeNs &&
    disk.mode === found.mode &&
    disk.size === found.size
  return isSame ? agreed : { ...agreed, path: found.path, disk: found }
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
