import type { Writer } from '../crdt/dot.ts'
import type { DriveProblem } from './drive-api.ts'
import type { Action } from './plan/action.ts'
import { actionsOf } from './plan/actions.ts'
import type { Actions } from './plan/actions.ts'
import { changesOf } from './plan/changes.ts'
import type { Change, Changes } from './plan/changes.ts'
import type { Hold } from './plan/guard.ts'
import { isAside } from './plan/item.ts'
import type { Agreement, Files } from './plan/item.ts'
import type { Layout } from './plan/layout.ts'
import type { Disk } from './plan/match.ts'
import { parentPath } from './tree-path.ts'

/** What would become of one path. */
export interface PreviewStep {
  readonly kind: 'create' | 'change' | 'move' | 'delete'
  readonly path: string
  /** Where it is now, of a move. */
  readonly from?: string
  /** Bytes of the content that would be written or said; 0 for directories, links, and where only mode or time differ. */
  readonly size: number
}

/** What `sync` would do, as far as it is known here. */
export interface DrivePreview {
  /** What the others would hear of this folder. */
  readonly outgoing: readonly PreviewStep[]
  /** What would be done in this folder. */
  readonly incoming: readonly PreviewStep[]
  readonly problems: readonly DriveProblem[]
  readonly hold: Hold | undefined
}

export interface PreviewParts {
  readonly agreement: Agreement
  readonly disk: Disk
  readonly layout: Layout
  readonly files: Files
  readonly writer: Writer
  readonly isMarked: boolean
  readonly mayWrite: boolean
}

/** Makes the plan of a sync, and carries out none of it. */
export function preview({ agreement, disk, layout, files, writer, isMarked, mayWrite }: PreviewParts): DrivePreview {
  const { view } = files
  const changes = changesOf({ agreement, disk, view, layout, isMarked, writer })
  const next = new Map(changes.kept.map((agreed) => [agreed.path, agreed] as const))
  for (const change of changes.list)
    if (change.kind !== 'create' && !next.has(change.agreed.path)) next.set(change.agreed.path, change.agreed)
  const isStopped = changes.hold !== undefined && changes.hold.reason !== 'many-deletions'
  const plan = actionsOf({ agreement: next, disk, layout, view, isReceiver: !mayWrite })
  return previewOf(changes, isStopped ? { ...plan, list: [] } : plan, mayWrite)
}

/** Where both sides have changed something, what is done here depends on what is said first: only that is told. */
function previewOf(changes: Changes, plan: Actions, mayWrite: boolean): DrivePreview {
  const outgoing = mayWrite ? changes.list.flatMap(stepOfChange) : []
  const changed = new Set(outgoing.flatMap(({ path, from }) => (from === undefined ? [path] : [path, from])))
  // A directory gets its times once more when something in it was changed: that is no change of it.
  const touched = new Set(plan.list.flatMap(({ kind, path }) => (kind === 'facts' ? [] : [parentPath(path)])))
  const incoming = plan.list
    .filter(({ kind, path }) => kind !== 'facts' || !touched.has(path))
    .flatMap(stepOfAction)
    .filter(({ path }) => !changed.has(path))
  const problems = plan.obstacles.filter(({ path }) => !changed.has(path))
  return { outgoing, incoming, problems, hold: changes.hold ?? plan.hold }
}

function stepOfChange(change: Change): readonly PreviewStep[] {
  switch (change.kind) {
    case 'create':
    case 'detach':
      return [{ kind: 'create', path: change.found.path, size: change.found.size }]
    case 'edit':
      return [{ kind: 'change', path: change.found.path, size: change.found.size }]
    case 'move':
      return [{ kind: 'move', path: change.found.path, from: change.agreed.path, size: 0 }]
    case 'delete':
      return [{ kind: 'delete', path: change.agreed.path, size: 0 }]
    case 'restate':
      return []
  }
}

function stepOfAction(action: Action): readonly PreviewStep[] {
  const { path } = action
  switch (action.kind) {
    case 'directory':
      return [{ kind: 'create', path, size: 0 }]
    case 'write':
      return [{ kind: action.expected === undefined ? 'create' : 'change', path, size: action.item.version.size }]
    case 'facts':
      // That of a directory which is made comes after all that is in it.
      return action.expected.inode === 0n ? [] : [{ kind: 'change', path, size: 0 }]
    case 'move':
      return isAside(path) || isAside(action.from) ? [] : [{ kind: 'move', path, from: action.from, size: 0 }]
    case 'delete':
      return [{ kind: 'delete', path, size: 0 }]
    case 'adopt':
    case 'agree':
      return []
  }
}
