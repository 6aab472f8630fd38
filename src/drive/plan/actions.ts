import type { DiskFacts, KnownEntry } from '../folder/disk-entry.ts'
import { parentPath } from '../tree-path.ts'
import type { Action, Obstacle } from './action.ts'
import { deepestFirst } from './deepest-first.ts'
import { deletionsHold } from './guard.ts'
import type { Hold } from './guard.ts'
import { asideFolder, isAside, isToRestate, nearTime, sameClaims, sameContent } from './item.ts'
import type { Agreed, Agreement, Files, Item } from './item.ts'
import type { Layout } from './layout.ts'
import type { Disk } from './match.ts'
import { pairItems } from './pairing.ts'
import type { Pairing } from './pairing.ts'
import { Places } from './places.ts'
import type { Place } from './places.ts'
import { allAtOnce, endsStep } from './steps.ts'
import type { Steps } from './steps.ts'

export interface ActionsInput {
  /** After what has changed here was published. */
  readonly agreement: Agreement
  readonly disk: Disk
  /** Of the tree as it is then. */
  readonly layout: Layout
  readonly view: Files['view']
  /** Somebody has said that all that was deleted elsewhere is to be deleted here. */
  readonly allowDeletions?: boolean
  /** Files that were deleted here a short while ago because they were elsewhere. */
  readonly recentDeletions?: number
  /** What is here and was never published is moved to history where it is in the way: for folders that only receive. */
  readonly isReceiver?: boolean
  /** As in `LayoutOptions`: where the file system takes different names for one, what has the one is in the way of the other. */
  readonly fold?: (name: string) => string
}

export interface Actions {
  /** In their order: each relies on those before it. */
  readonly list: readonly Action[]
  readonly obstacles: readonly Obstacle[]
  readonly hold: Hold | undefined
}

/**
 * What is to be done in the folder so that it looks as the tree says. Directories come before what is in them. What is in the way of
 * something goes aside until its turn comes, so that names can be swapped and directories turned inside out. Deletions come last, from
 * the leaves; then the modes of directories, which might forbid what comes before.
 */
export function actionsOf(input: ActionsInput): Actions {
  return allAtOnce(actionsSteps(input))
}

/** The same in steps. What they are given must not change between them. */
export function* actionsSteps(input: ActionsInput): Steps<Actions> {
  return yield* new Planner(input, yield* pairItems(input.agreement, input.layout, input.disk)).plan()
}

/** Something in the folder: agreed on, or not. */
interface Occupant {
  readonly path: string
  readonly agreed: Agreed | undefined
  readonly found: DiskFacts
}

type Deletion = Action & { readonly kind: 'delete' }

class Planner {
  readonly #input: ActionsInput
  readonly #places: Places<Occupant>
  /** How what is on the disk is spelled, by its folded path; undefined where that makes no difference. */
  readonly #spelledByFolded: Map<string, string> | undefined
  readonly #pairing: Pairing
  /** Agreed on, and nothing in the tree any more. */
  readonly #leaving: Set<Agreed>
  /** Directories with something in them that is here only, by their paths on the disk. */
  readonly #holding = new Set<string>()
  /** Those in which something waits that cannot be put in its place. */
  readonly #waitedIn = new Set<string>()
  readonly #list: Action[] = []
  readonly #lastFacts: Action[] = []
  readonly #obstacles: Obstacle[] = []
  #asides = 0
  #count = 0
  /** Whether anything is elsewhere than it was found. */
  #isRearranged = false

  constructor(input: ActionsInput, pairing: Pairing) {
    this.#input = input
    this.#pairing = pairing
    this.#leaving = pairing.unpaired
    this.#spelledByFolded = input.fold === undefined ? undefined : new Map()
    this.#places = new Places((path) => this.#occupantAt(this.#spelledByFolded?.get(path) ?? path), input.fold)
    this.#places.assume(asideFolder)
  }

  *plan(): Steps<Actions> {
    // Until it is said once more what they hold: whoever has it says so when they look at their folder the next time, if they may.
    for (const agreed of this.#leaving) {
      const { isCopy, claims } = agreed
      if (this.#input.isReceiver !== true && !isCopy && claims.some((claim) => isToRestate(this.#input.view, claim)))
        this.#leaving.delete(agreed)
      if (this.#endsStep()) yield
    }
    const strays: KnownEntry[] = []
    for (const found of this.#input.disk.entries.values()) {
      if (this.#input.fold !== undefined) this.#spelledByFolded?.set(this.#input.fold(found.path), found.path)
      if (isAside(found.path) && !this.#input.agreement.has(found.path)) strays.push(found)
      else if (this.#agreedIn(found.path, found) === undefined) this.#hold(parentPath(found.path))
      if (found.kind === 'directory' && this.#input.disk.holdsUnseen(found.path)) this.#hold(found.path)
      if (this.#endsStep()) yield
    }
    // What an earlier run has put aside, and is no part of the drive any more: the deepest first.
    for (const { path, ...found } of strays.reverse()) this.#list.push({ kind: 'delete', path, expected: found })
    for (const item of this.#input.layout.items.values()) {
      if (this.#isOurs(item)) this.#arrange(item)
      if (this.#endsStep()) yield
    }
    const deletions = yield* deepestFirst(yield* this.#deletions())
    const files = deletions.filter(({ expected }) => expected.kind === 'file')
    const hold =
      this.#input.allowDeletions === true
        ? undefined
        : deletionsHold(this.#input.agreement, files.length, this.#input.recentDeletions)
    if (hold === undefined) this.#list.push(...deletions)
    yield* this.#restoreTimes()
    return { list: [...this.#list, ...(yield* deepestFirst(this.#lastFacts))], obstacles: this.#obstacles, hold }
  }

  #endsStep(): boolean {
    this.#count += 1
    return endsStep(this.#count)
  }

  #hold(directory: string): void {
    for (let path = directory; path !== '' && !this.#holding.has(path); path = parentPath(path)) this.#holding.add(path)
  }

  #occupantAt(path: string): Occupant | undefined {
    const found = this.#input.disk.entries.get(path)
    if (found === undefined) return undefined
    const agreed = this.#agreedIn(path, found)
    return { path, agreed, found: agreed === undefined ? found : this.#factsOf(agreed, found) }
  }

  /** What was agreed on at a path, if that is what is there: who only receives may have put something else there. */
  #agreedIn(path: string, found: KnownEntry): Agreed | undefined {
    const agreed = this.#input.agreement.get(path)
    if (agreed === undefined || this.#input.isReceiver !== true) return agreed
    return agreed.disk.inode === found.inode && agreed.disk.kind === found.kind ? agreed : undefined
  }

  /** What is in the folder of something that was agreed on. */
  #foundOf(agreed: Agreed): KnownEntry | undefined {
    const found = this.#input.disk.entries.get(agreed.path)
    return found === undefined || this.#agreedIn(agreed.path, found) === undefined ? undefined : found
  }

  /** Not what is found now: if that is something else it was changed after it was published, and is not to be touched. */
  #factsOf(agreed: Agreed, found: KnownEntry): DiskFacts {
    return this.#input.isReceiver === true ? found : agreed.disk
  }

  /** Not what is ignored here, and not what is gone and asked about. */
  #isOurs(item: Item): boolean {
    if (!this.#input.disk.isSeen(item.path)) return false
    const agreed = this.#pairing.agreedOf(item)
    if (agreed === undefined || this.#foundOf(agreed) !== undefined) return true
    // Whoever only receives may delete here what comes again when it changes.
    if (this.#input.isReceiver !== true) return false
    return item.version.kind === 'directory' || !sameContent(item.version, agreed.version)
  }

  #arrange(item: Item): void {
    const agreed = this.#pairing.agreedOf(item)
    const found = agreed === undefined ? undefined : this.#foundOf(agreed)
    // Nearly always: it is where it was, and so is everything else.
    if (agreed?.path === item.path && found !== undefined && !this.#isRearranged)
      return this.#update(item, agreed, this.#factsOf(agreed, found))
    const place = agreed === undefined || found === undefined ? undefined : this.#places.ofFound(agreed.path)
    const parent = this.#places.at(parentPath(item.path))
    if (parent === undefined || (parent !== this.#places.top && parent.value?.found.kind !== 'directory'))
      return this.#refuse(item.path, 'cannot be put there: the directory that it is in is not here', place)
    const occupant = this.#places.at(item.path)
    if (occupant !== undefined && occupant !== place && this.#isToAdopt(occupant, item))
      return this.#adopt(occupant, item, agreed)
    if (occupant !== undefined && occupant !== place && !this.#clear(occupant, item, place)) return
    if (agreed === undefined || place === undefined) return this.#make(item)
    const before = this.#places.pathOf(place)
    if (before !== item.path) this.#move(place, before, item.path)
    this.#update(item, agreed, (place.value as Occupant).found)
  }

  /** Whether a directory is there that has to stay, or is somebody's own. */
  #isToAdopt({ value }: Place<Occupant>, item: Item): boolean {
    const { path, agreed, found } = value as Occupant
    if (item.version.kind !== 'directory' || found.kind !== 'directory') return false
    if (agreed === undefined) return this.#input.isReceiver === true && this.#input.disk.isSeen(path)
    return this.#leaving.has(agreed) && this.#holding.has(agreed.path)
  }

  #adopt(occupant: Place<Occupant>, item: Item, instead: Agreed | undefined): void {
    const { agreed, found } = occupant.value as Occupant
    if (agreed !== undefined) this.#pairing.add(item, agreed)
    // It goes when what is in it has come here.
    if (instead !== undefined) this.#leaving.add(instead)
    const expected = this.#expectedAt(occupant)
    this.#list.push({ kind: 'adopt', path: item.path, item, expected, forgets: this.#forgets(item.path) })
    if (item.version.mode !== found.mode && isDescribed(item))
      this.#lastFacts.push({ kind: 'facts', path: item.path, item, expected })
  }

  #make(item: Item): void {
    const { path, version } = item
    const { kind, mode, size, mtimeNs } = version
    const found = { kind, mode, size, mtimeNs, ctimeNs: 0n, inode: 0n }
    this.#places.add(path, { path, agreed: undefined, found })
    const forgets = this.#forgets(path)
    if (kind !== 'directory') this.#list.push({ kind: 'write', path, item, expected: undefined, forgets })
    else {
      this.#list.push({ kind: 'directory', path, item, forgets })
      this.#lastFacts.push({ kind: 'facts', path, item, expected: found })
    }
  }

  #move(place: Place<Occupant>, from: string, path: string): void {
    const { found } = place.value as Occupant
    this.#isRearranged = true
    this.#places.move(place, path)
    // To be renamed is a change of its own to the system.
    this.#list.push({ kind: 'move', from, path, expected: { ...found, ctimeNs: 0n }, forgets: this.#forgets(path) })
  }

  /** Whether what was agreed on at a path is not there any more, which nobody wants to know of whoever only receives. */
  #forgets(path: string): boolean {
    const agreed = this.#input.isReceiver === true ? this.#input.agreement.get(path) : undefined
    return agreed !== undefined && this.#foundOf(agreed) === undefined
  }

  #update(item: Item, agreed: Agreed, found: DiskFacts): void {
    const { path, version } = item
    const isMoved = path !== agreed.path
    const expected = isMoved ? { ...found, ctimeNs: 0n } : found
    if (version.kind !== 'directory' && !sameContent(version, agreed.version))
      this.#list.push({ kind: 'write', path, item, expected })
    else if (!sameFacts(item, agreed)) {
      const facts: Action = { kind: 'facts', path, item, expected }
      if (version.kind === 'directory') this.#lastFacts.push(facts)
      else this.#list.push(facts)
    } else if (isMoved || !isNamedAlike(item, agreed)) this.#list.push({ kind: 'agree', path, item, expected })
  }

  /** Makes room at a path. False when that cannot be. */
  #clear(occupant: Place<Occupant>, item: Item, place: Place<Occupant> | undefined): boolean {
    const { agreed, found } = occupant.value as Occupant
    const path = this.#places.pathOf(occupant)
    const isFolder = found.kind === 'directory'
    if (agreed !== undefined && this.#leaving.has(agreed) && !isFolder) {
      this.#list.push({ kind: 'delete', path, expected: this.#expectedAt(occupant) })
      this.#places.remove(occupant)
      this.#leaving.delete(agreed)
      return true
    }
    if (agreed === undefined && !(this.#input.isReceiver === true && this.#input.disk.isSeen(path) && !isFolder)) {
      this.#refuse(item.path, 'cannot be put there: something is in the way that is not part of the drive', place)
      return false
    }
    if (agreed !== undefined && this.#leaving.has(agreed) && this.#holding.has(agreed.path)) {
      this.#refuse(
        item.path,
        'cannot be put there: a directory is in the way, with something in it that is not part of the drive',
        place,
      )
      return false
    }
    if (agreed === undefined) {
      this.#list.push({ kind: 'delete', path, expected: found, isOwn: true })
      this.#places.remove(occupant)
      return true
    }
    this.#move(occupant, path, this.#freeAside())
    return true
  }

  /** Directories in which something is done keep the time that they have been given here. */
  *#restoreTimes(): Steps<void> {
    const touched = new Set<string>()
    for (const action of this.#list) {
      if (action.kind !== 'facts' && action.kind !== 'agree') touched.add(parentPath(action.path))
      if (action.kind === 'move') touched.add(parentPath(action.from))
      if (this.#endsStep()) yield
    }
    for (const { path } of this.#lastFacts) touched.delete(path)
    for (const path of touched) {
      const item = this.#input.layout.items.get(path)
      const agreed = item === undefined ? undefined : this.#pairing.agreedOf(item)
      const found = agreed === undefined ? undefined : this.#foundOf(agreed)
      if (this.#endsStep()) yield
      if (item === undefined || agreed === undefined || found === undefined) continue
      if (nearTime(found.mtimeNs, agreed.version.mtimeNs) && isDescribed(item))
        this.#lastFacts.push({ kind: 'facts', path, item, expected: found })
    }
  }

  /** Of what was agreed on and is no more. */
  *#deletions(): Steps<readonly Deletion[]> {
    const deletions: Deletion[] = []
    for (const agreed of this.#leaving) {
      const found = this.#foundOf(agreed)
      if (this.#endsStep()) yield
      if (found !== undefined && this.#holding.has(agreed.path)) {
        const why = this.#waitedIn.has(agreed.path)
          ? 'until what is in it can be put in its place'
          : 'because of what is in it and is not part of the drive'
        this.#refuse(agreed.path, `is deleted elsewhere, and stays here ${why}`)
        continue
      }
      const place = this.#isRearranged && found !== undefined ? this.#places.ofFound(agreed.path) : undefined
      if (place !== undefined)
        deletions.push({ kind: 'delete', path: this.#places.pathOf(place), expected: this.#expectedAt(place) })
      else if (found !== undefined)
        deletions.push({ kind: 'delete', path: agreed.path, expected: this.#factsOf(agreed, found) })
    }
    return deletions
  }

  #expectedAt(place: Place<Occupant>): DiskFacts {
    const { agreed, found } = place.value as Occupant
    return this.#places.pathOf(place) === agreed?.path ? found : { ...found, ctimeNs: 0n }
  }

  #freeAside(): string {
    let path: string
    do {
      this.#asides += 1
      path = `${asideFolder}/${this.#asides}`
    } while (this.#places.at(path) !== undefined)
    return path
  }

  /** `waiting`: where that is which cannot be put at the path. The directories in which it waits stay with it. */
  #refuse(path: string, reason: string, waiting?: Place<Occupant>): void {
    this.#obstacles.push({ path, reason })
    for (let place = waiting?.parent; place !== undefined; place = place.parent) {
      const directory = place.value?.agreed
      if (directory === undefined || this.#holding.has(directory.path)) continue
      this.#holding.add(directory.path)
      this.#waitedIn.add(directory.path)
    }
  }
}

function sameFacts(item: Item, agreed: Agreed): boolean {
  const { version } = item
  if (version.kind === 'link') return true
  if (!isDescribed(item)) return true
  const known = agreed.version
  return version.mode === known.mode && nearTime(version.mtimeNs, known.mtimeNs)
}

/** Of a directory that is here for what is in it only, nothing is known. */
function isDescribed({ claims }: Item): boolean {
  return claims.some(({ versions }) => versions.length > 0)
}

function isNamedAlike(item: Item, agreed: Agreed): boolean {
  return item.name === agreed.name && item.isCopy === agreed.isCopy && sameClaims(item.claims, agreed.claims)
}
