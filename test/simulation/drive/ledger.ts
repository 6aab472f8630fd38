import { encodeHex } from '../../../src/base/bytes.ts'
import type { Writer } from '../../../src/crdt/dot.ts'
import type { Change } from '../../../src/drive/plan/changes.ts'
import type { Machine } from './machine.ts'
import { rootOf } from './memory-disk.ts'

/** How a user parts with a content: its file is deleted, another one takes its name, or it gets another content. */
export type Parting = 'deleted' | 'replaced' | 'edited'

/** Somebody has said something of a content, in operations from this one on. Who has none of them cannot have seen it. */
interface Statement {
  readonly kind: 'moved' | 'held'
  readonly writer: Writer
  readonly number: number
}

/**
 * What must not be lost: contents that users have written and that nobody has parted with who had seen all that was said of them. Who moves a file
 * keeps it from being deleted by somebody who does not know of that; who says something of its version (its mode, or that it is an entry
 * of its own) keeps it from being edited, too. What has been said and not been published yet is not counted on: it may come to nothing, as a
 * file does that is moved back.
 *
 * Of a content that was copied anybody may part with any copy: which of them is which the folders do not say. So one parting is enough.
 */
export class Ledger {
  readonly #statementsByContent = new Map<string, readonly Statement[]>()
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

  /** `number`: of the first operation of those that say so. */
  published(changes: readonly Change[], writer: Writer, number: number): void {
    for (const change of changes) {
      const entry = 'found' in change ? change.found : undefined
      const content = entry === undefined ? undefined : this.#contentByRoot.get(encodeHex(entry.root))
      if (content === undefined || entry?.kind !== 'file') continue
      const kind = change.kind === 'move' ? 'moved' : 'held'
      const known = this.#statementsByContent.get(content) ?? []
      this.#statementsByContent.set(content, [...known, { kind, writer, number }])
    }
  }

  /** True when something that was said of it keeps it, which the user of this machine cannot have seen. */
  partedWith(content: string, { site, isReceiver }: Machine, parting: Parting): boolean {
    if (content === '' || isReceiver) return false
    const left = (this.#statementsByContent.get(content) ?? []).filter(
      ({ kind, writer, number }) =>
        writer !== site.writer && site.clock.at(writer) < number && (kind === 'held' || parting === 'deleted'),
    )
    this.#statementsByContent.set(content, left)
    const isKept = left.length > 0 && !this.#copied.has(content)
    if (!isKept) this.#wanted.delete(content)
    return isKept
  }

  get wanted(): ReadonlySet<string> {
    return this.#wanted
  }
}
