import { sameDot } from '../../crdt/dot.ts'
import type { Dot } from '../../crdt/dot.ts'
import type { DotList } from '../../crdt/dot-list.ts'
import { DotMap } from '../../crdt/dot-map.ts'
import type { DiskFacts, KnownEntry } from '../folder/disk-entry.ts'
import { compareTreePaths, parentPath } from '../tree-path.ts'
import type { Action, Obstacle } from './action.ts'
import { deletionsHold } from './guard.ts'
import type { Hold } from './guard.ts'
import { asideFolder, entryDots, isAside, isToRestate, nearTime, sameContent, versionDots } from './item.ts'
import type { Agreed, Agreement, Claim, Files, Item } from './item.ts'
import type { Layout } from './layout.ts'
import type { Disk } from './match.ts'
import { Places } from './places.ts'
import type { Place } from './places.ts'

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
  return new Planner(input).plan()
}

/** Something in the folder: agreed on, or not. */
interface Occupant {
  readonly agreed: Agreed | undefined
  readonly found: DiskFacts
}

class Planner {
  readonly #input: ActionsInput
  readonly #places = new Places<Occupant>()
  readonly #placeByAgreed = new Map<Agreed, Place<Occupant>>()
  readonly #agreedByItem: ReadonlyMap<Item, Agreed>
  readonly #staying: Set<Agreed>
  readonly #list: Action[] = []
  readonly #lastFacts: Action[] = []
  readonly #obstacles: Obstacle[] = []
  #asides = 0

  constructor(input: ActionsInput) {
    this.#input = input
    this.#agreedByItem = pairItems(input.agreement, input.layout)
    this.#staying = new Set(this.#agreedByItem.values())
    // Until it is said once more what they hold: whoever has it says so when they look at their folder the next time.
    for (const agreed of input.agreement.values())
      if (!agreed.isCopy && agreed.claims.some((claim) => isToRestate(input.view, claim))) this.#staying.add(agreed)
    for (const found of input.disk.entries.values()) this.#settle(found)
    // What an earlier run has put aside, and is no part of the drive any more: the deepest first.
    const strays = [...input.disk.entries.values()]
      .filter(({ path }) => isAside(path) && !input.agreement.has(path))
      .reverse()
    for (const { path, ...found } of strays) this.#list.push({ kind: 'delete', path, expected: found })
  }

  plan(): Actions {
    for (const item of this.#input.layout.items.values()) if (this.#isOurs(item)) this.#arrange(item)
    const deletions = this.#deletions()
    const files = deletions.filter(({ kind, expected }) => kind === 'delete' && expected.kind === 'file')
    const hold =
      this.#input.allowDeletions === true
        ? undefined
        : deletionsHold(this.#input.agreement, files.length, this.#input.recentDeletions)
    const list = [...this.#list, ...(hold === undefined ? deletions : []), ...this.#lastFacts.reverse()]
    return { list, obstacles: this.#obstacles, hold }
  }

  #settle(found: KnownEntry): void {
    const agreed = this.#input.agreement.get(found.path)
    // Not what is found now: if that is something else it was changed after it was published, and is not to be touched.
    const known = this.#input.isReceiver === true ? undefined : agreed?.disk
    const place = this.#places.add(found.path, { agreed, found: known ?? found })
    if (agreed !== undefined) this.#placeByAgreed.set(agreed, place)
  }

  /** Not what is ignored here, and not what is gone and asked about. */
  #isOurs(item: Item): boolean {
    if (!this.#input.disk.isSeen(item.path)) return false
    const agreed = this.#agreedByItem.get(item)
    if (agreed === undefined || this.#placeByAgreed.has(agreed)) return true
    // Whoever only receives may delete here what comes again when it changes.
    if (this.#input.isReceiver !== true) return false
    return item.version.kind === 'directory' || !sameContent(item.version, agreed.version)
  }

  #arrange(item: Item): void {
    const agreed = this.#agreedByItem.get(item)
    const place = agreed === undefined ? undefined : this.#placeByAgreed.get(agreed)
    const parent = this.#places.at(parentPath(item.path))
    if (parent === undefined || (parent !== this.#places.top && parent.value?.found.kind !== 'directory'))
      return this.#refuse(item.path, 'cannot be put there: the directory that it is in is not here')
    const occupant = this.#places.at(item.path)
    if (occupant !== undefined && occupant !== place && !this.#clear(occupant, item)) return
    if (agreed === undefined || place === undefined) return this.#make(item)
    const before = this.#places.pathOf(place)
    if (before !== item.path) this.#move(place, before, item.path)
    this.#update(item, agreed, place)
  }

  #make(item: Item): void {
    const { path, version } = item
    const { kind, mode, size, mtimeNs } = version
    const found = { kind, mode, size, mtimeNs, ctimeNs: 0n, inode: 0n }
    this.#places.add(path, { agreed: undefined, found })
    if (kind !== 'directory') this.#list.push({ kind: 'write', path, item, expected: undefined })
    else {
      this.#list.push({ kind: 'directory', path, item })
      this.#lastFacts.push({ kind: 'facts', path, item, expected: found })
    }
  }

  #move(place: Place<Occupant>, from: string, path: string): void {
    const { found } = place.value as Occupant
    this.#places.move(place, path)
    // To be renamed is a change of its own to the system.
    this.#list.push({ kind: 'move', from, path, expected: { ...found, ctimeNs: 0n } })
  }

  #update(item: Item, agreed: Agreed, place: Place<Occupant>): void {
    const { path, version } = item
    const isMoved = this.#places.pathOf(place) !== agreed.path
    const { found } = place.value as Occupant
    const expected = isMoved ? { ...found, ctimeNs: 0n } : found
    if (version.kind !== 'directory' && !sameContent(version, agreed.version))
      this.#list.push({ kind: 'write', path, item, expected })
    else if (!sameFacts(item, agreed)) {
      const facts: Action = { kind: 'facts', path, item, expected }
      if (version.kind === 'directory') this.#lastFacts.push(facts)
      else this.#list.push(facts)
    } else if (isMoved || !sameClaims(item, agreed)) this.#list.push({ kind: 'agree', path, item, expected })
  }

  /** Makes room at a path. False when that cannot be. */
  #clear(occupant: Place<Occupant>, item: Item): boolean {
    const { agreed, found } = occupant.value as Occupant
    const path = this.#places.pathOf(occupant)
    const isFolder = found.kind === 'directory'
    if (agreed !== undefined && !this.#staying.has(agreed) && !isFolder) {
      this.#list.push({ kind: 'delete', path, expected: this.#expectedAt(occupant) })
      this.#places.remove(occupant)
      this.#placeByAgreed.delete(agreed)
      return true
    }
    if (agreed === undefined && !(this.#input.isReceiver === true && this.#input.disk.isSeen(path) && !isFolder)) {
      this.#refuse(item.path, 'cannot be put there: something is in the way that is not part of the drive')
      return false
    }
    if (agreed === undefined) {
      this.#list.push({ kind: 'delete', path, expected: found })
      this.#places.remove(occupant)
      return true
    }
    this.#move(occupant, path, this.#freeAside())
    return true
  }

  /** Of what was agreed on and is no more, the deepest first. */
  #deletions(): readonly (Action & { readonly kind: 'delete' })[] {
    const actions: (Action & { readonly kind: 'delete' })[] = []
    for (const [agreed, place] of this.#placeByAgreed) {
      if (this.#staying.has(agreed) || !this.#input.disk.isSeen(agreed.path)) continue
      actions.push({ kind: 'delete', path: this.#places.pathOf(place), expected: this.#expectedAt(place) })
    }
    return actions.sort((left, right) => compareTreePaths(right.path, left.path))
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

  #refuse(path: string, reason: string): void {
    this.#obstacles.push({ path, reason })
  }
}

/**
 * Which item is which of what was agreed on: first by the version that it shows, so that one which loses its name to another is not
 * fetched again; then by the entry. Directories and files are never one another.
 */
function pairItems(agreement: Agreement, layout: Layout): ReadonlyMap<Item, Agreed> {
  const agreedByItem = new Map<Item, Agreed>()
  const free = new Set(agreement.values())
  for (const dotsIn of [versionDots, entryDots]) {
    const agreedByDot = new DotMap<Agreed>()
    for (const agreed of free) for (const dot of dotsIn(agreed)) agreedByDot.set(dot, agreed)
    for (const item of layout.items.values()) {
      if (agreedByItem.has(item)) continue
      for (const dot of dotsIn(item)) {
        const agreed = agreedByDot.at(dot)
        if (agreed === undefined || !free.has(agreed) || agreed.disk.kind !== item.version.kind) continue
        agreedByItem.set(item, agreed)
        free.delete(agreed)
        break
      }
    }
  }
  return agreedByItem
}

function sameFacts({ version, claims }: Item, agreed: Agreed): boolean {
  if (version.kind === 'link') return true
  // Of a directory that is here for what is in it only, nothing is known.
  if (claims.every(({ versions }) => versions.length === 0)) return true
  const known = agreed.version
  return version.mode === known.mode && (version.kind === 'directory' || nearTime(version.mtimeNs, known.mtimeNs))
}

function sameClaims(item: Item, agreed: Agreed): boolean {
  if (item.name !== agreed.name || item.isCopy !== agreed.isCopy || item.claims.length !== agreed.claims.length)
    return false
  return item.claims.every((claim, index) => {
    const known = agreed.claims[index] as Claim
    return sameDot(claim.id, known.id) && sameDots(claim.life, known.life) && sameDots(claim.versions, known.versions)
  })
}

function sameDots(left: DotList, right: DotList): boolean {
  return left.length === right.length && left.every((dot, index) => sameDot(dot, right[index] as Dot))
}
