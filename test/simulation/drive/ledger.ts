import { encodeHex } from '../../../src/base/bytes.ts'
import type { Dot, Writer } from '../../../src/crdt/dot.ts'
import type { Change } from '../../../src/drive/plan/changes.ts'
import type { Files } from '../../../src/drive/plan/item.ts'
import type { Machine } from './machine.ts'
import { rootOf } from './memory-disk.ts'

/** How a user parts with a content: its file is deleted, another one takes its name, or it gets another content. */
export type Parting = 'deleted' | 'replaced' | 'edited'

/** Somebody has said something of a content, in operations from this one on. Who has none of them cannot have seen it. */
interface Statement {
  /** The entries that it was said of. */
  readonly ids: readonly Dot[]
  readonly kind: 'moved' | 'held'
  readonly writer: Writer
  readonly number: number
}

/**
 * What must not be lost: contents that users have written and that nobody has parted with who had seen all that was said of them. Who
 * moves a file keeps it from being deleted by somebody who does not know of that; who says something of its version (its mode, or that it
 * is an entry of its own) keeps it from being edited, too. What has been said and not been published yet is not counted on: it may come to
 * nothing, as a file does that is moved back.
 *
 * Of a content that was copied anybody may part with any copy: which of them is which the folders do not say. So one parting is enough.
 */
export class Ledger {
  readonly #statementsByContent = new Map<string, readonly Statement[]>()
  /** What users have deleted since their machines looked last, and before that and since these have published last. */
  readonly #deletedByWriter = new Map<Writer, Set<string>>()
  readonly #seenDeletedByWriter = new Map<Writer, ReadonlySet<string>>()
  /** What users have parted with since their machines looked last. */
  readonly #partedByWriter = new Map<Writer, Set<string>>()
  /** By somebody, ever. */
  readonly #deleted = new Set<string>()
  readonly #wanted = new Set<string>()
  readonly #copied = new Set<string>()
  readonly #contentByRoot = new Map<string, string>()

  written(content: string): void {
    this.#wanted.add(content)
    this.#contentByRoot.set(encodeHex(rootOf(content)), content)
  }

  copied(content: string): void {
    this.#copied.add(content)
  }

  /** A machine looks at its folder, to say what has changed. */
  looks({ site: { writer } }: Machine): void {
    const deleted = this.#deletedByWriter.get(writer) ?? new Set()
    this.#deletedByWriter.set(writer, new Set())
    this.#seenDeletedByWriter.set(writer, new Set([...deleted, ...(this.#seenDeletedByWriter.get(writer) ?? [])]))
    this.#partedByWriter.set(writer, new Set())
  }

  /** What a machine has said after it looked, in operations from `number` on. */
  published(changes: readonly Change[], { site: { writer } }: Machine, number: number): void {
    const deleted = new Set<string>()
    for (const change of changes) {
      if (change.kind === 'delete') {
        // A version beside another one goes alone, and its entry stays where it has been moved to.
        if (!change.agreed.isCopy) deleted.add(encodeHex(change.agreed.version.root))
        continue
      }
      const entry = 'found' in change ? change.found : undefined
      const content = entry?.kind === 'file' ? this.#contentByRoot.get(encodeHex(entry.root)) : undefined
      // Perhaps its user has parted with it while that was said.
      if (content === undefined || this.#partedByWriter.get(writer)?.has(content) === true) continue
      const ids = 'agreed' in change ? change.agreed.claims.map(({ id }) => id) : []
      const statement = { ids, kind: change.kind === 'move' ? 'moved' : 'held', writer, number } as const
      this.#statementsByContent.set(content, [...this.#statementsOf(content), statement])
    }
    for (const content of this.#seenDeletedByWriter.get(writer) ?? [])
      // Something else was put in its place before anybody looked: that is an edit.
      if (!deleted.has(encodeHex(rootOf(content)))) this.#keep(content, this.#statementsOf(content).filter(isHeld))
    this.#seenDeletedByWriter.delete(writer)
  }

  /** True when something that was said of it keeps it, which the user of this machine cannot have seen. */
  partedWith(content: string, { site: { writer, clock }, isReceiver }: Machine, parting: Parting): boolean {
    if (content === '' || isReceiver) return false
    const unseen = this.#statementsOf(content).filter(
      (one) => one.writer !== writer && clock.at(one.writer) < one.number,
    )
    this.#partedByWriter.get(writer)?.add(content)
    this.#deleted.add(content)
    if (parting !== 'deleted') return this.#keep(content, unseen.filter(isHeld))
    const deleted = this.#deletedByWriter.get(writer) ?? new Set()
    this.#deletedByWriter.set(writer, deleted.add(content))
    return this.#keep(content, unseen)
  }

  #keep(content: string, statements: readonly Statement[]): boolean {
    this.#statementsByContent.set(content, statements)
    const isKept = statements.length > 0 && !this.#copied.has(content)
    if (!isKept) this.#wanted.delete(content)
    return isKept
  }

  #statementsOf(content: string): readonly Statement[] {
    return this.#statementsByContent.get(content) ?? []
  }

  /**
   * What is wanted and not in `here`. A file that was moved while somebody deleted one of its versions stays with the others.
   */
  lost(here: ReadonlySet<string>, view: Files['view']): readonly string[] {
    const stays = ({ kind, ids }: Statement): boolean =>
      kind === 'moved' && ids.some((id) => view.content(id)?.isEmpty === false)
    return [...this.#wanted].filter((content) => {
      const isDeleted = this.#deleted.has(content)
      return !here.has(content) && !(isDeleted && this.#statementsOf(content).every(stays))
    })
  }
}

function isHeld({ kind }: Statement): boolean {
  return kind === 'held'
}
