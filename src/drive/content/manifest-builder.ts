import { assert } from '../../base/assert.ts'
import { hashBytes } from '../../feed/hash.ts'
import { encodePage, endsPage, pageEntriesMax } from './page.ts'

/** SHA-256, in fresh memory. */
export type Digest = (bytes: Uint8Array) => Uint8Array

/** A page as it is kept and sent. */
export interface NamedPage {
  readonly hash: Uint8Array
  readonly level: number
  readonly bytes: Uint8Array
}

/** Makes the manifest of a file from its chunks, page by page. Holds one page of each level at a time. */
export class ManifestBuilder {
  readonly #digest: Digest
  readonly #emit: (page: NamedPage) => void
  readonly #drafts: Draft[] = []

  /** `emit` is given each page when it is whole: those below before the one that names them, the root last. */
  constructor(digest: Digest, emit: (page: NamedPage) => void) {
    this.#digest = digest
    this.#emit = emit
  }

  /** The next chunk of the file. Copies the hash. */
  add(hash: Uint8Array, length: number): void {
    this.#add(0, hash, length)
  }

  /** The hash of the root. At least two chunks were added: what is one chunk needs no page. */
  finish(): Uint8Array {
    for (let level = 0; ; level += 1) {
      const draft = this.#drafts[level]
      assert(draft !== undefined, 'a manifest has chunks')
      const only = draft.closed + (draft.count > 0 ? 1 : 0) === 1
      // A level of one page is the top: nothing stands above it but, when it was cut at its last entry, a draft with its name.
      if (only) return draft.count > 0 ? this.#close(level, draft).hash : (this.#drafts[level + 1] as Draft).firstHash()
      if (draft.count > 0) this.#raise(level, draft)
    }
  }

  #add(level: number, hash: Uint8Array, length: number): void {
    const draft = (this.#drafts[level] ??= new Draft())
    const index = draft.count
    draft.add(hash, length)
    if (endsPage(index, hash)) this.#raise(level, draft)
  }

  /** Closes a page and names it in the level above. */
  #raise(level: number, draft: Draft): void {
    const { length } = draft
    this.#add(level + 1, this.#close(level, draft).hash, length)
  }

  #close(level: number, draft: Draft): NamedPage {
    const bytes = encodePage({ level, ...draft.take() })
    const page = { hash: this.#digest(bytes), level, bytes }
    this.#emit(page)
    return page
  }
}

/** The entries of a page that is being filled. */
class Draft {
  /** Pages of this level that are whole. */
  closed = 0
  /** Bytes of the file. */
  length = 0
  #hashes = new Uint8Array(hashBytes * 8)
  #lengths: number[] = []

  get count(): number {
    return this.#lengths.length
  }

  add(hash: Uint8Array, length: number): void {
    const at = this.count * hashBytes
    if (at === this.#hashes.length) {
      const grown = new Uint8Array(Math.min(at * 4, pageEntriesMax * hashBytes))
      grown.set(this.#hashes)
      this.#hashes = grown
    }
    this.#hashes.set(hash, at)
    this.#lengths.push(length)
    this.length += length
  }

  firstHash(): Uint8Array {
    return this.#hashes.slice(0, hashBytes)
  }

  take(): { readonly hashes: Uint8Array; readonly lengths: readonly number[] } {
    const lengths = this.#lengths
    this.#lengths = []
    this.length = 0
    this.closed += 1
    return { hashes: this.#hashes.subarray(0, lengths.length * hashBytes), lengths }
  }
}
