import { encodeHex } from '../../base/bytes.ts'
import { hashBytes } from '../../feed/hash.ts'
import type { NamedPage } from './manifest-builder.ts'
import { decodePageAlone } from './page.ts'

/** The pages of a manifest as they come, in any order. */
export class ManifestPages {
  readonly #pagesByHash = new Map<string, NamedPage>()

  readonly add = (page: NamedPage): void => void this.#pagesByHash.set(encodeHex(page.hash), page)

  /** All of them as a `ManifestBuilder` makes them: those below before the one that names them. Undefined when one is missing. */
  inOrder(root: Uint8Array): readonly NamedPage[] | undefined {
    const pages: NamedPage[] = []
    const visit = (hash: Uint8Array): boolean => {
      const page = this.#pagesByHash.get(encodeHex(hash))
      if (page === undefined) return false
      if (page.level > 0) {
        const { hashes, lengths } = decodePageAlone(page.bytes)
        for (let index = 0; index < lengths.length; index += 1)
          if (!visit(hashes.subarray(index * hashBytes, (index + 1) * hashBytes))) return false
      }
      pages.push(page)
      return true
    }
    return visit(root) ? pages : undefined
  }
}
