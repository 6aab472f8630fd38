import { bytesEqual } from '../base/bytes.ts'
import { DirectoryTree } from './disk/directory-tree.ts'
import { failureReason, systemCode } from './disk/file-error.ts'
import { SourceFile } from './disk/source-file.ts'
import type { ContentDigester } from './content/node/content-digester.ts'
import type { DiskFacts } from './folder/disk-entry.ts'
import { entryAt } from './folder/entry-at.ts'
import type { PlaitFolder } from './folder/plait-folder.ts'
import type { Action } from './plan/action.ts'
import { isAside, nearTime, sameContent } from './plan/item.ts'
import type { Agreed, Agreement } from './plan/item.ts'
import type { Layout } from './plan/layout.ts'
import { baseName, parentPath } from './tree-path.ts'

/** How a path differs from what the folder and the drive were last known to say alike. */
export type Damage =
  /** Its size and time are as they were, and its content is not: nobody has edited it. */
  | 'broken'
  /** Nothing is there. */
  | 'missing'
  /** It cannot be read. */
  | 'unreadable'

export interface DamagedPath {
  readonly path: string
  readonly damage: Damage
  /** The end of a sentence that begins with the path. */
  readonly reason: string
}

/** What a second reading of a folder has shown. */
export interface DriveVerification {
  /** Files whose contents were read, and their bytes. */
  readonly files: number
  readonly bytes: number
  readonly damaged: readonly DamagedPath[]
  /** Paths at which something was edited since the last look: the next one tells the others. */
  readonly edited: readonly string[]
  /** Paths of the drive that are not in this folder yet, what is left out here aside. */
  readonly absent: readonly string[]
}

export interface VerifyProgress {
  readonly files: number
  readonly bytes: number
  readonly filesTotal: number
  readonly bytesTotal: number
}

export interface VerificationParts {
  readonly folder: PlaitFolder
  readonly agreement: Agreement
  readonly layout: Layout
  readonly digester: ContentDigester
  /** Whether a path takes part here. */
  readonly isSeen: (path: string) => boolean
}

interface Found {
  readonly agreed: Agreed
  /** What is there; undefined: nothing. */
  readonly facts: DiskFacts | undefined
  readonly damage: Damage
}

/** A folder whose files are read again, all of them, and compared with what they are known to hold. */
export class Verification implements DriveVerification {
  files = 0
  bytes = 0
  readonly damaged: DamagedPath[] = []
  readonly edited: string[] = []
  readonly absent: string[] = []
  readonly #parts: VerificationParts
  readonly #found: Found[] = []

  private constructor(parts: VerificationParts) {
    this.#parts = parts
  }

  /** Rejects with the signal's reason. */
  static async of(
    parts: VerificationParts,
    options: { readonly signal?: AbortSignal | undefined; readonly progress?: (progress: VerifyProgress) => void },
  ): Promise<Verification> {
    const verification = new Verification(parts)
    await verification.#readAll(options)
    return verification
  }

  /** What brings back what is damaged, in its order: directories first, and their modes at last. */
  repairs(): readonly Action[] {
    const actions: Action[] = []
    const modes: Action[] = []
    for (const { agreed, facts, damage } of this.#found) {
      if (damage === 'unreadable') continue
      // Of what somebody else has changed since nobody may have the old version any more.
      const item = this.#parts.layout.items.get(agreed.path) ?? agreed
      const { path, version } = item
      if (version.kind !== 'directory') actions.push({ kind: 'write', path, item, expected: facts })
      else {
        const { kind, mode, size, mtimeNs } = version
        const expected = { kind, mode, size, mtimeNs, ctimeNs: 0n, inode: 0n }
        actions.push({ kind: 'directory', path, item })
        modes.unshift({ kind: 'facts', path, item, expected })
      }
    }
    return [...actions, ...modes]
  }

  async #readAll({
    signal,
    progress,
  }: {
    readonly signal?: AbortSignal | undefined
    readonly progress?: (progress: VerifyProgress) => void
  }): Promise<void> {
    const { folder, agreement, layout, isSeen } = this.#parts
    const known = [...agreement.values()].filter(({ path }) => !isAside(path) && isSeen(path))
    known.sort((left, right) => (left.path < right.path ? -1 : 1))
    const files = known.filter(({ version }) => version.kind === 'file')
    const totals = { filesTotal: files.length, bytesTotal: files.reduce((sum, { version }) => sum + version.size, 0) }
    const tree = new DirectoryTree(folder.root)
    try {
      for (const agreed of known) {
        signal?.throwIfAborted()
        await this.#look(agreed, tree, signal)
        progress?.({ files: this.files, bytes: this.bytes, ...totals })
      }
    } finally {
      tree.clear()
    }
    for (const { path, version } of layout.items.values()) {
      const agreed = agreement.get(path)
      if (isSeen(path) && (agreed === undefined || !sameContent(agreed.version, version))) this.absent.push(path)
    }
  }

  async #look(agreed: Agreed, tree: DirectoryTree, signal: AbortSignal | undefined): Promise<void> {
    const { path, version } = agreed
    let entry: ReturnType<typeof entryAt>
    try {
      entry = entryAt(tree.open(parentPath(path)), path)
      if (entry === undefined) return this.#note(agreed, undefined, 'missing', 'is missing')
      if (isEdited(agreed, entry)) return void this.edited.push(path)
      if (version.kind !== 'file') return
      const file = SourceFile.open(tree.open(parentPath(path)), baseName(path))
      try {
        const content = await this.#parts.digester.read(
          file.descriptor,
          file.size,
          signal === undefined ? {} : { signal },
        )
        if (!file.unchanged() || content === undefined) return void this.edited.push(path)
        this.files += 1
        this.bytes += file.size
        if (bytesEqual(content.root, version.root)) return
        this.#note(agreed, file.stats(), 'broken', 'does not hold what it did, though nobody has edited it')
      } finally {
        file.close()
      }
    } catch (error) {
      signal?.throwIfAborted()
      const isGone = systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR'
      if (isGone) this.#note(agreed, undefined, 'missing', 'is missing')
      else this.#note(agreed, entry, 'unreadable', failureReason(error))
    }
  }

  #note(agreed: Agreed, facts: DiskFacts | undefined, damage: Damage, reason: string): void {
    this.#found.push({ agreed, facts, damage })
    this.damaged.push({ path: agreed.path, damage, reason })
  }
}

/** By what the system says of it: an edit shows in the time. */
function isEdited({ version, disk }: Agreed, found: DiskFacts & { readonly target: string }): boolean {
  if (found.kind !== version.kind) return true
  if (found.kind === 'link') return found.target !== version.target
  if (found.kind === 'directory') return false
  return found.size !== disk.size || !nearTime(found.mtimeNs, disk.mtimeNs)
}
