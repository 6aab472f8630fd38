import { sameDot } from '../../crdt/dot.ts'
import type { DiskFacts } from '../folder/disk-entry.ts'
import type { Action } from './action.ts'
import type { Agreed, Item } from './item.ts'

/**
 * Whether an action is about what is agreed on at its path. It is not when one before it has failed, on which it relies; then it is left
 * for the next plan, even if what it expects happens to be there, put there by somebody else.
 */
export function isCurrent(agreement: ReadonlyMap<string, Agreed>, action: Action): boolean {
  const agreed = agreement.get(action.path)
  switch (action.kind) {
    case 'directory':
      // Whoever only receives may have removed it: nothing is there, or it is not made.
      return agreed === undefined || action.forgets === true || sameEntry(agreed, action.item)
    case 'adopt':
      return agreed === undefined || action.forgets === true || agreed.disk.inode === action.expected.inode
    case 'write':
    case 'facts':
    case 'agree':
      if (agreed === undefined || action.kind === 'write') return isWrite(agreed, action)
      return sameEntry(agreed, action.item)
    case 'move':
      if (agreed !== undefined && action.forgets !== true) return false
      return agreement.get(action.from)?.disk.inode === action.expected.inode
    case 'delete':
      return agreed === undefined || action.isOwn === true || agreed.disk.inode === action.expected.inode
  }
}

function isWrite(agreed: Agreed | undefined, action: Action): boolean {
  if (action.kind !== 'write') return false
  if (action.forgets === true) return true
  return agreed === undefined ? action.expected === undefined : sameEntry(agreed, action.item)
}

function sameEntry(agreed: Agreed, item: Item): boolean {
  return agreed.claims.some(({ id }) => item.claims.some((claim) => sameDot(claim.id, id)))
}

/**
 * Takes down that an action was carried out; `facts` is what is at its path now. If that is not written down, because the process has
 * ended, the next comparison sees in the folder and in the tree that they say the same.
 */
export function settle(agreement: Map<string, Agreed>, action: Action, facts: DiskFacts | undefined): void {
  switch (action.kind) {
    case 'directory':
    case 'adopt':
      if (facts !== undefined) agreement.set(action.path, made(action.item, facts))
      break
    case 'write':
    case 'facts':
    case 'agree':
      if (facts !== undefined) agreement.set(action.path, { ...action.item, disk: facts })
      break
    case 'move':
      moveAgreed(agreement, action.from, action.path, facts)
      break
    case 'delete':
      agreement.delete(action.path)
  }
}

/** A directory that has its mode not yet: it gets it when all is in it, perhaps by another process. */
function made(item: Item, facts: DiskFacts): Agreed {
  const { mode, mtimeNs } = facts
  return { ...item, version: { ...item.version, mode, mtimeNs }, disk: facts }
}

function moveAgreed(agreement: Map<string, Agreed>, from: string, path: string, facts: DiskFacts | undefined): void {
  const moved = agreement.get(from)
  if (moved === undefined) return
  agreement.delete(from)
  agreement.set(path, { ...moved, path, disk: facts ?? moved.disk })
  if (moved.version.kind !== 'directory') return
  const prefix = `${from}/`
  for (const [old, agreed] of [...agreement]) {
    if (!old.startsWith(prefix)) continue
    agreement.delete(old)
    const now = `${path}/${old.slice(prefix.length)}`
    agreement.set(now, { ...agreed, path: now })
  }
}
