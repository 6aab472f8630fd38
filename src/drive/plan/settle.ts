import type { DiskFacts } from '../folder/disk-entry.ts'
import type { Action } from './action.ts'
import type { Agreed } from './item.ts'

/**
 * Takes down that an action was carried out; `facts` is what is at its path now. If that is not written down, because the process has
 * ended, the next comparison sees in the folder and in the tree that they say the same.
 */
export function settle(agreement: Map<string, Agreed>, action: Action, facts: DiskFacts | undefined): void {
  switch (action.kind) {
    case 'directory':
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
