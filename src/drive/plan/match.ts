import { encodeHex } from '../../base/bytes.ts'
import type { KnownEntry } from '../folder/disk-entry.ts'
import { baseName } from '../tree-path.ts'
import { isAside, sameContent } from './item.ts'
import type { Agreed, Agreement } from './item.ts'
import { endsStep } from './steps.ts'
import type { Steps } from './steps.ts'

/** What is in the folder now. */
export interface Disk {
  /** By path, each directory before what is in it. What waits aside is among them. All of it was seen. */
  readonly entries: ReadonlyMap<string, KnownEntry>
  /** Whether a path was looked at: not one that is ignored or could not be read, or what is below it. Nothing is known of others. */
  isSeen(path: string): boolean
  /** Whether a path has no part in the folder here, by its rules: what is put there elsewhere goes away here. */
  isLeftOut(path: string): boolean
  /** Whether something is in a directory, at whatever depth, that was not looked at. */
  holdsUnseen(path: string): boolean
}

/** Which of what was agreed is which of what is in the folder. What is where it was is not written down, only looked at again. */
export class Match {
  /** Agreed, looked for, and not in the folder any more. */
  readonly gone: Agreed[] = []
  /** How many have been found. */
  count = 0
  readonly #agreement: Agreement
  readonly #disk: Disk
  readonly #foundByAgreed = new Map<Agreed, KnownEntry>()
  readonly #agreedByFound = new Map<KnownEntry, Agreed>()

  constructor(agreement: Agreement, disk: Disk) {
    this.#agreement = agreement
    this.#disk = disk
  }

  /** What was agreed of something in the folder. */
  agreedOf(found: KnownEntry): Agreed | undefined {
    const agreed = this.#agreement.get(found.path)
    if (agreed !== undefined && isSettled(agreed, found)) return agreed
    return this.#agreedByFound.get(found)
  }

  /** Whether something that was agreed is in the folder. */
  has(agreed: Agreed): boolean {
    const found = this.#disk.entries.get(agreed.path)
    return (found !== undefined && isSettled(agreed, found)) || this.#foundByAgreed.has(agreed)
  }

  add(agreed: Agreed, found: KnownEntry): void {
    this.#foundByAgreed.set(agreed, found)
    this.#agreedByFound.set(found, agreed)
    this.count += 1
  }

  /** Of two that are not where they were. */
  areFree(agreed: Agreed, found: KnownEntry): boolean {
    return !this.#foundByAgreed.has(agreed) && !this.#agreedByFound.has(found)
  }
}

/**
 * Recognises what was agreed in the folder. What is still where it was stays what it is. Of the others those are the same that have the
 * same number on the disk and hold the same, wherever they are; then files that hold the same; what is left at its own path, with another
 * content, has been edited. The wrong guess costs a name its history, never a content.
 */
export function* matchDisk(agreement: Agreement, disk: Disk): Steps<Match> {
  const match = new Match(agreement, disk)
  const lost: Agreed[] = []
  let count = 0
  for (const agreed of agreement.values()) {
    count += 1
    if (endsStep(count)) yield
    const found = disk.entries.get(agreed.path)
    if (found !== undefined && isSettled(agreed, found)) match.count += 1
    else if (found !== undefined || isAside(agreed.path) || disk.isSeen(agreed.path)) lost.push(agreed)
  }
  if (lost.length === 0) return match
  const fresh: KnownEntry[] = []
  for (const found of disk.entries.values()) {
    count += 1
    if (endsStep(count)) yield
    if (match.agreedOf(found) === undefined) fresh.push(found)
  }
  if (fresh.length > 0) {
    yield* pairByInode(lost, fresh, disk, match)
    yield* pairByContent(lost, fresh, disk, match)
  }
  for (const agreed of lost) {
    count += 1
    if (endsStep(count)) yield
    const found = disk.entries.get(agreed.path)
    if (found?.kind === agreed.disk.kind && match.areFree(agreed, found) && match.agreedOf(found) === undefined)
      match.add(agreed, found)
  }
  for (const agreed of lost) {
    count += 1
    if (endsStep(count)) yield
    if (!match.has(agreed)) match.gone.push(agreed)
  }
  return match
}

function isSettled(agreed: Agreed, found: KnownEntry): boolean {
  if (agreed.disk.kind !== found.kind) return false
  return found.kind === 'directory' ? found.inode === agreed.disk.inode : sameContent(found, agreed.version)
}

function* pairByInode(lost: readonly Agreed[], fresh: readonly KnownEntry[], disk: Disk, match: Match): Steps<void> {
  const foundByInode = new Map<number, KnownEntry>()
  const lostByInode = new Map<number, Agreed>()
  let count = 0
  for (const found of fresh) {
    foundByInode.set(inodeKey(found), found)
    count += 1
    if (endsStep(count)) yield
  }
  for (const agreed of lost) {
    lostByInode.set(inodeKey(agreed.disk), agreed)
    count += 1
    if (endsStep(count)) yield
  }
  for (const agreed of lost) {
    count += 1
    if (endsStep(count)) yield
    const found = foundByInode.get(inodeKey(agreed.disk))
    if (found === undefined || !isSameInode(agreed, found) || !isSame(agreed, found)) continue
    if (!match.areFree(agreed, found)) continue
    // An editor that puts the old file aside and writes a new one has edited it, unless the new one is an old one from elsewhere.
    const inPlace = disk.entries.get(agreed.path)
    const other = inPlace === undefined ? undefined : lostByInode.get(inodeKey(inPlace))
    const isEdited = inPlace?.kind === 'file' && agreed.disk.kind === 'file' && !isAside(found.path)
    if (isEdited && (other === undefined || !isSameInode(other, inPlace) || !isSame(other, inPlace))) continue
    match.add(agreed, found)
  }
}

function* pairByContent(lost: readonly Agreed[], fresh: readonly KnownEntry[], disk: Disk, match: Match): Steps<void> {
  const freeByContent = new Map<string, Free>()
  let count = 0
  for (const found of fresh) {
    count += 1
    if (endsStep(count)) yield
    if (found.kind !== 'file' || found.size === 0 || match.agreedOf(found) !== undefined) continue
    const key = encodeHex(found.root)
    const free = freeByContent.get(key)
    if (free === undefined) freeByContent.set(key, new Free(found))
    else free.add(found)
  }
  if (freeByContent.size === 0) return
  for (const agreed of lost) {
    count += 1
    if (endsStep(count)) yield
    if (agreed.disk.kind !== 'file' || match.has(agreed)) continue
    if (disk.entries.get(agreed.path)?.kind === 'file') continue
    const found = freeByContent.get(encodeHex(agreed.version.root))?.take(baseName(agreed.path))
    if (found !== undefined) match.add(agreed, found)
  }
}

/** Files of one content, each to be taken once: among ten thousand copies of one form nothing is searched ten thousand times. */
class Free {
  readonly #all: KnownEntry[]
  readonly #taken = new Set<KnownEntry>()
  /** The last one first. */
  #byName: Map<string, KnownEntry[]> | undefined
  #next = 0

  constructor(found: KnownEntry) {
    this.#all = [found]
  }

  add(found: KnownEntry): void {
    this.#all.push(found)
  }

  /** The first of that name, or else the first. */
  take(name: string): KnownEntry | undefined {
    if (this.#all.length > 1) this.#byName ??= lastFirstByName(this.#all)
    const named = this.#byName?.get(name)
    const found = this.#free(() => named?.pop()) ?? this.#free(() => this.#all[this.#next++])
    if (found !== undefined) this.#taken.add(found)
    return found
  }

  #free(next: () => KnownEntry | undefined): KnownEntry | undefined {
    let found = next()
    while (found !== undefined && this.#taken.has(found)) found = next()
    return found
  }
}

function lastFirstByName(all: readonly KnownEntry[]): Map<string, KnownEntry[]> {
  const byName = new Map<string, KnownEntry[]>()
  for (const found of all.toReversed()) {
    const name = baseName(found.path)
    const known = byName.get(name)
    if (known === undefined) byName.set(name, [found])
    else known.push(found)
  }
  return byName
}

function isSame(agreed: Agreed, found: KnownEntry): boolean {
  return agreed.disk.kind === found.kind && (found.kind === 'directory' || sameContent(found, agreed.version))
}

/** Quick to look up, and exact where numbers are below 2^53: who finds something compares what is exact. */
function inodeKey({ inode }: Pick<KnownEntry, 'inode'>): number {
  return Number(inode)
}

function isSameInode({ disk }: Agreed, found: KnownEntry): boolean {
  return disk.inode === found.inode && disk.kind === found.kind
}
