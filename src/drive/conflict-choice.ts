import { PlaitError } from '../base/error.ts'
import { fileError } from './disk/file-error.ts'
import { Applier, Unexpected } from './folder/applier.ts'
import type { PlaitFolder } from './folder/plait-folder.ts'
import type { Agreed, Agreement, Item } from './plan/item.ts'
import { baseName, childPath, parentPath } from './tree-path.ts'

/** Whether something stands beside what has its name. */
export function isConflict({ path, name, isCopy }: Item): boolean {
  return isCopy || name !== baseName(path)
}

/** What wanted one name in one directory. */
export interface ConflictChoice {
  /** The name that they wanted. */
  readonly path: string
  readonly kept: Agreed
  readonly dropped: readonly Agreed[]
}

/**
 * What stays when the version at a path is kept, or, with `other`, the one beside it. Throws `INVALID_ARGUMENT` when there is nothing to
 * be chosen, in words that say what to do.
 */
export function conflictChoice(
  agreement: Agreement,
  items: ReadonlyMap<string, Item>,
  path: string,
  keep: 'this' | 'other',
): ConflictChoice {
  const item = items.get(path)
  if (item === undefined) throw refuse(`${path} is not in this drive; see \`plait conflicts\``)
  const wanted = childPath(parentPath(path), item.name)
  const rivals = [...items.values()].filter(
    (one) => childPath(parentPath(one.path), one.name) === wanted && (one.path === wanted || isConflict(one)),
  )
  const others = rivals.filter((one) => one.path !== path)
  const [other] = others
  if (other === undefined) throw refuse(`${path} stands beside no other version; see \`plait conflicts\``)
  if (keep === 'other' && others.length > 1)
    throw refuse(`${path} stands beside ${others.length} other versions; name the one to keep, with --keep this`)
  const dropped = keep === 'this' ? others : [item]
  for (const one of dropped)
    if (one.version.kind === 'directory') throw refuse(`${one.path} is a directory: move or delete what is in it first`)
  const here = (one: Item): Agreed => {
    const agreed = agreement.get(one.path)
    if (agreed === undefined) throw refuse(`${one.path} is not here yet; wait until it is`)
    return agreed
  }
  return { path: wanted, kept: here(keep === 'this' ? item : other), dropped: dropped.map(here) }
}

/**
 * Moves what is dropped to the history, and what is kept to the name that both wanted; the next look tells the others. Throws
 * `FILE_FAILED` when something was changed meanwhile or cannot be done.
 */
export function carryOutChoice(folder: PlaitFolder, { path, kept, dropped }: ConflictChoice): void {
  const applier = new Applier(folder)
  let at = path
  try {
    for (const one of dropped) {
      at = one.path
      applier.carryOut({ kind: 'delete', path: one.path, expected: one.disk }, 'replaced')
    }
    at = kept.path
    if (kept.path !== path)
      applier.carryOut({ kind: 'move', from: kept.path, path, expected: { ...kept.disk, ctimeNs: 0n } }, 'replaced')
  } catch (error) {
    if (!(error instanceof Unexpected)) throw fileError(error, at)
    throw new PlaitError('FILE_FAILED', `${at} was changed meanwhile; look at it, and choose again`, {
      facts: { path: at },
      cause: error,
    })
  } finally {
    applier.finish(true)
  }
}

function refuse(message: string): PlaitError {
  return new PlaitError('INVALID_ARGUMENT', message)
}
