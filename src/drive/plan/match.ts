import { encodeHex } from '../../base/bytes.ts'
import type { KnownEntry } from '../folder/disk-entry.ts'
import { baseName } from '../tree-path.ts'
import { isAside, sameContent } from './item.ts'
import type { Agreed, Agreement } from './item.ts'

/** What is in the folder now. */
export interface Disk {
  /** By path, each directory before what is in it. What waits aside is among them. */
  readonly entries: ReadonlyMap<string, KnownEntry>
  /** Whether a path was looked at: not one that is ignored or could not be read, or what is below it. Nothing is known of others. */
  isSeen(path: string): boolean
}

/** Which of what was agreed is which of what is in the folder. */
export interface Match {
  readonly foundByAgreed: ReadonlyMap<Agreed, KnownEntry>
  readonly agreedByFound: ReadonlyMap<KnownEntry, Agreed>
  /** Agreed, looked for, and not in the folder any more. */
  readonly gone: readonly Agreed[]
  /** In the folder, and nothing that was agreed. */
  readonly fresh: readonly KnownEntry[]
}

/**
 * Recognises what was agreed in the folder. What is still where it was stays what it is. Of the others those are the same that have the
 * same number on the disk and hold the same, wherever they are; then files that hold the same; what is left at its own path, with another
 * content, has been edited. The wrong guess costs a name its history, never a content.
 */
export function matchDisk(agreement: Agreement, disk: Disk): Match {
  const pairs = new Pairs()
  const lost: Agreed[] = []
  for (const agreed of agreement.values()) {
    if (!isAside(agreed.path) && !disk.isSeen(agreed.path)) continue
    const found = disk.entries.get(agreed.path)
    if (found !== undefined && isSettled(agreed, found)) pairs.add(agreed, found)
    else lost.push(agreed)
  }
  const fresh = [...disk.entries.values()].filter((found) => !pairs.agreedByFound.has(found))
  pairByInode(lost, fresh, disk, pairs)
  pairByContent(lost, fresh, disk, pairs)
  for (const agreed of lost) {
    const found = disk.entries.get(agreed.path)
    if (found?.kind === agreed.disk.kind && pairs.areFree(agreed, found)) pairs.add(agreed, found)
  }
  return {
    foundByAgreed: pairs.foundByAgreed,
    agreedByFound: pairs.agreedByFound,
    gone: lost.filter((agreed) => !pairs.foundByAgreed.has(agreed)),
    fresh: fresh.filter((found) => !pairs.agreedByFound.has(found)),
  }
}

class Pairs {
  readonly foundByAgreed = new Map<Agreed, KnownEntry>()
  readonly agreedByFound = new Map<KnownEntry, Agreed>()

  add(agreed: Agreed, found: KnownEntry): void {
    this.foundByAgreed.set(agreed, found)
    this.agreedByFound.set(found, agreed)
  }

  areFree(agreed: Agreed, found: KnownEntry): boolean {
    return !this.foundByAgreed.has(agreed) && !this.agreedByFound.has(found)
  }
}

function isSettled(agreed: Agreed, found: KnownEntry): boolean {
  if (agreed.disk.kind !== found.kind) return false
  return found.kind === 'directory' ? found.inode === agreed.disk.inode : sameContent(found, agreed.version)
}

function pairByInode(lost: readonly Agreed[], fresh: readonly KnownEntry[], disk: Disk, pairs: Pairs): void {
  const foundByInode = new Map(fresh.map((found) => [inodeKey(found), found] as const))
  const lostInodes = new Map(lost.map((agreed) => [inodeKey(agreed.disk), agreed] as const))
  for (const agreed of lost) {
    const found = foundByInode.get(inodeKey(agreed.disk))
    if (found === undefined || !pairs.areFree(agreed, found) || !isSame(agreed, found)) continue
    // An editor that puts the old file aside and writes a new one has edited it, unless the new one is an old one from elsewhere.
    const inPlace = disk.entries.get(agreed.path)
    const other = inPlace === undefined ? undefined : lostInodes.get(inodeKey(inPlace))
    const isEdited = inPlace?.kind === 'file' && agreed.disk.kind === 'file' && !isAside(found.path)
    if (isEdited && (other === undefined || !isSame(other, inPlace))) continue
    pairs.add(agreed, found)
  }
}

function pairByContent(lost: readonly Agreed[], fresh: readonly KnownEntry[], disk: Disk, pairs: Pairs): void {
  const freeByContent = new Map<string, KnownEntry[]>()
  for (const found of fresh) {
    if (found.kind !== 'file' || found.size === 0 || pairs.agreedByFound.has(found)) continue
    const key = encodeHex(found.root)
    const free = freeByContent.get(key)
    if (free === undefined) freeByContent.set(key, [found])
    else free.push(found)
  }
  for (const agreed of lost) {
    if (agreed.disk.kind !== 'file' || pairs.foundByAgreed.has(agreed)) continue
    if (disk.entries.get(agreed.path)?.kind === 'file') continue
    const free = freeByContent.get(encodeHex(agreed.version.root))
    if (free === undefined || free.length === 0) continue
    const named = free.findIndex(({ path }) => baseName(path) === baseName(agreed.path))
    const [found] = free.splice(Math.max(0, named), 1)
    if (found !== undefined) pairs.add(agreed, found)
  }
}

function isSame(agreed: Agreed, found: KnownEntry): boolean {
  return agreed.disk.kind === found.kind && (found.kind === 'directory' || sameContent(found, agreed.version))
}

function inodeKey({ kind, inode }: Pick<KnownEntry, 'kind' | 'inode'>): string {
  return `${kind}/${inode}`
}
